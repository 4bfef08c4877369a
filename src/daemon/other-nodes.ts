import type { NodeAnnouncement } from '../cluster/node-announcement.ts';
import { type Candidate, nodesToTell, urlAt } from '../cluster/node-choice.ts';
import { MOST_NODES } from '../wire/tunnel/node-list.ts';

/** Changes of many nodes at once, as at a start, are told together. */
const SOON_MS = 250;
/** How often it is looked whether nodes have room, which is no change of the cluster. */
const LOOK_MS = 5000;

/** The other nodes of the cluster that clients are told of. */
export class OtherNodes {
  readonly #cluster: { others(): NodeAnnouncement[] };
  readonly #onChange: () => void;
  readonly #stops: (() => void)[] = [];
  #soon: NodeJS.Timeout | undefined;
  #nodes: readonly Candidate[] = [];

  /** @param onChange called when `urlsFor` answers other URLs than before */
  constructor(
    cluster: { others(): NodeAnnouncement[]; onChange(listener: () => void): () => void },
    onChange: () => void,
  ) {
    this.#cluster = cluster;
    this.#onChange = onChange;
    const timer = setInterval(() => this.#look(), LOOK_MS).unref();
    this.#stops.push(
      cluster.onChange(() => {
        this.#soon ??= setTimeout(() => this.#look(), SOON_MS).unref();
      }),
      () => clearInterval(timer),
    );
  }

  /** @param asked the segment that a client has dialled, as of `urlAt` */
  urlsFor(asked: string | undefined): readonly string[] {
    return this.#nodes.flatMap((node) => urlAt(node, asked) ?? []);
  }

  close(): void {
    clearTimeout(this.#soon);
    for (const stop of this.#stops.splice(0)) stop();
  }

  #look(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    const former = this.urlsFor(undefined).join();
    this.#nodes = nodesToTell(this.#cluster.others(), this.#nodes, MOST_NODES);
    if (this.urlsFor(undefined).join() !== former) this.#onChange();
  }
}
