import { codeOf, describeError } from '../../errors.ts';
import type { EventKind } from '../../events/event.ts';
import type { EventHub } from '../../events/event-hub.ts';
import type { ClusterCaller, NodeEventReader, NodeEvents } from '../cluster-entries.ts';
import { errorOfNode, type NodeStream, type OpenNodeStream } from './node-stream.ts';

export interface AllNodesOptions {
  /** the name of this node */
  readonly node: string;
  /** all nodes that are known, this one included */
  readonly nodes: () => Iterable<string>;
  /** Calls `listener` after each change of these. @returns stops that */
  readonly onChange: (listener: () => void) => () => void;
  readonly open: OpenNodeStream;
}

/** A node that cannot be asked for its events is asked again after this time. */
const AGAIN_MS = 1000;

/**
 * Sends the events of all nodes to a reader: those of this one by its hub, those of each other one by a stream. When
 * a stream cannot be had or ends, the reader is told `unwatched` once, and `watched` when it is there again.
 */
export class AllNodeEvents implements NodeEvents {
  readonly #options: AllNodesOptions;
  readonly #kinds: readonly EventKind[];
  readonly #caller: ClusterCaller;
  readonly #reader: NodeEventReader;
  readonly #streams = new Map<string, NodeStream | 'opening' | 'waiting'>();
  readonly #unwatched = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stops: (() => void)[];
  #isPaused = false;
  #hasEnded = false;

  constructor(
    options: AllNodesOptions & { readonly events: EventHub },
    kinds: readonly EventKind[],
    caller: ClusterCaller,
    reader: NodeEventReader,
  ) {
    this.#options = options;
    [this.#kinds, this.#caller, this.#reader] = [kinds, caller, reader];
    this.#stops = [
      options.events.subscribe((batch, lost) => reader.own(batch, lost), kinds),
      options.onChange(() => this.#look()),
    ];
    this.#look();
  }

  get node(): string {
    return this.#options.node;
  }

  drained(): void {
    if (!this.#isPaused || this.#reader.isFull) return;
    this.#isPaused = false;
    for (const stream of this.#open) stream.resume();
  }

  end(): void {
    this.#hasEnded = true;
    for (const stop of this.#stops) stop();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const stream of this.#open) stream.end();
    this.#streams.clear();
  }

  get #open(): NodeStream[] {
    return [...this.#streams.values()].filter((stream) => typeof stream !== 'string');
  }

  #look(): void {
    if (this.#hasEnded) return;
    const nodes = new Set(this.#options.nodes());
    nodes.delete(this.#options.node);
    for (const [node, stream] of this.#streams) {
      if (nodes.has(node) || typeof stream === 'string') continue;
      stream.end();
      this.#streams.delete(node);
      this.#tellUnwatched(node, 'it is no member any more');
    }
    for (const node of nodes) if (!this.#streams.has(node)) void this.#watch(node);
  }

  /** Never rejects. */
  async #watch(node: string): Promise<void> {
    this.#streams.set(node, 'opening');
    const { user, allowed } = this.#caller;
    let isOver = false;
    try {
      const stream = await this.#options.open(
        node,
        { user, networks: allowed ?? null },
        'subscribe',
        { events: this.#kinds },
        {
          notified: (method, event) => {
            if (method === 'event') this.#heard(node, event as object);
          },
          ended: (error) => {
            isOver = true;
            this.#lost(node, error);
          },
        },
      );
      // It may have ended before this is told of its beginning.
      if (isOver) return;
      if (this.#hasEnded) return stream.end();
      this.#streams.set(node, stream);
      if (this.#isPaused) stream.pause();
      if (this.#unwatched.delete(node)) this.#reader.event({ at: node, time: now(), event: 'watched' });
      this.#look();
    } catch (error) {
      this.#lost(node, errorOfNode(error));
    }
  }

  #heard(node: string, event: object): void {
    this.#reader.event({ at: node, ...event });
    if (this.#isPaused || !this.#reader.isFull) return;
    this.#isPaused = true;
    for (const stream of this.#open) stream.pause();
  }

  #lost(node: string, error: unknown): void {
    if (this.#hasEnded) return;
    this.#streams.set(node, 'waiting');
    this.#tellUnwatched(node, `${codeOf(error)}: ${describeError(error)}`);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#streams.delete(node);
      this.#look();
    }, AGAIN_MS);
    this.#timers.add(timer);
  }

  #tellUnwatched(node: string, reason: string): void {
    if (this.#unwatched.has(node)) return;
    this.#unwatched.add(node);
    this.#reader.event({ at: node, time: now(), event: 'unwatched', reason });
  }
}

const now = (): string => new Date().toISOString();
