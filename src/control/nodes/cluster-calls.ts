import { randomUUID } from 'node:crypto';
import type { ClusterStore } from '../../cluster/cluster-store.ts';
import { EtherwsError } from '../../errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { check } from '../../schema/check.ts';
import {
  CLUSTER_CALLS,
  type ClusterCall,
  type ClusterCaller,
  type ClusterMethod,
  NODE_CALLS,
  type NodeAnswerEntry,
} from '../cluster-entries.ts';
import { type AllowedNetworks, METHOD_REACH, requireReach } from '../method-reach.ts';
import { PING } from '../reach-entries.ts';
import { METHODS } from '../schema.ts';

/** How long a node may take for an answer, and for each further part of it. */
const PATIENCE_MS = 2000;
/** NATS takes messages of 1 MiB by default; JSON of a part's text may be longer than the text. */
const PART_CHARACTERS = 256 * 1024;
/** The most characters of an answer: more than a full filtering database. */
const MOST_CHARACTERS = 64 * 1024 * 1024;
/** Answers that are fetched in parts, at the same time. Bounds the memory for callers that do not come back. */
const MOST_KEPT = 4;
const KEPT_MS = 10_000;

/** What the node asked first sends to the others: the call, and what its caller may do. */
interface Asked {
  readonly method: ClusterMethod;
  readonly params: Readonly<Record<string, unknown>>;
  readonly user: string | null;
  /** null: all networks, and the switch itself */
  readonly networks: readonly string[] | null;
}

/** The answer, or the first part of its JSON. */
interface Answered {
  readonly text: string;
  /** where the further parts are; absent for a whole answer */
  readonly kept?: string;
  /** the number of all parts */
  readonly parts: number;
}

/** Runs a method here. @returns its entries */
export type RunHere = (method: ClusterMethod, params: object, allowed: AllowedNetworks) => Promise<readonly unknown[]>;

/** What this node's own policy lets a user do. */
export interface OwnRights {
  mayCall(user: string | null, method: string): boolean;
  networksOf(user: string | null): AllowedNetworks;
}

export interface ClusterCallsOptions {
  readonly store: ClusterStore;
  /** the name of this node */
  readonly node: string;
  /** all nodes that are known, this one included */
  readonly nodes: () => Iterable<string>;
  readonly run: RunHere;
  readonly rights: OwnRights;
  readonly logger: Logger;
  /** default 2000 */
  readonly patienceMs?: number;
}

/** Calls of the control API that reach all nodes of a cluster, from any of them: asks the others, and answers them. */
export class ClusterCalls {
  readonly #options: ClusterCallsOptions;
  readonly #patienceMs: number;
  /** the parts that are not fetched yet, the oldest first */
  readonly #kept = new Map<string, { readonly parts: readonly string[]; readonly timer: NodeJS.Timeout }>();
  readonly #stops: (() => void)[];

  constructor(options: ClusterCallsOptions) {
    this.#options = options;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    const { store, node } = options;
    this.#stops = [
      store.respond(`call.${node}`, (message) => this.#answer(message)),
      store.respond(`part.${node}`, (message) => this.#part(message)),
    ];
  }

  close(): void {
    for (const stop of this.#stops) stop();
    for (const { timer } of this.#kept.values()) clearTimeout(timer);
    this.#kept.clear();
  }

  /**
   * Asks all nodes, or one. A node that fails or does not answer within 2 s is an answer with an error.
   * @returns one answer for each node, in the order of their names
   * @throws EtherwsError METHOD_FORBIDDEN, ARGUMENT_INVALID, before any node is asked
   */
  async call({ method, params = {}, node }: ClusterCall, caller: ClusterCaller): Promise<NodeAnswerEntry[]> {
    if (node === undefined && (NODE_CALLS as readonly string[]).includes(method)) {
      throw new EtherwsError('ARGUMENT_INVALID', `${method} is about a port of one node`, {
        hint: 'Name the node, too',
      });
    }
    if (!caller.mayCall(method)) throw forbidden(caller.user, method);
    check(METHODS[method].params, params);
    // The port is one of the answering node, which checks whether the caller may reach it.
    if (caller.allowed !== undefined && METHOD_REACH[method] !== 'port') {
      requireReach(method, params, caller.allowed, { networkOf: () => undefined });
    }
    const asked: Asked = { method, params, user: caller.user, networks: caller.allowed ?? null };
    const nodes = node === undefined ? [...new Set(this.#options.nodes())].sort() : [node];
    return Promise.all(nodes.map((name) => this.#ask(name, asked)));
  }

  async #ask(node: string, asked: Asked): Promise<NodeAnswerEntry> {
    try {
      return { node, entries: [...(await this.#entriesOf(node, asked))], error: null };
    } catch (error) {
      if (!(error instanceof EtherwsError))
        this.#options.logger.error({ err: error, node }, 'a node was asked in vain');
      const { code, message, hint } =
        error instanceof EtherwsError
          ? error
          : new EtherwsError('CLUSTER_UNAVAILABLE', 'The node failed unexpectedly', { hint: 'Its log says how' });
      const patienceMs = this.#patienceMs + durationMs(asked);
      const silent = code === 'CLUSTER_TIMEOUT' ? `The node did not answer within ${patienceMs / 1000} s` : message;
      return { node, entries: null, error: `${code}: ${silent}${hint === undefined ? '' : `. ${hint}`}` };
    }
  }

  async #entriesOf(node: string, asked: Asked): Promise<readonly unknown[]> {
    const { store, node: self } = this.#options;
    if (node === self) return this.#run(asked);
    const first = (await store.request(`call.${node}`, asked, this.#patienceMs + durationMs(asked))) as Answered;
    const texts = [first.text];
    let characters = first.text.length;
    for (let part = 1; part < first.parts; part++) {
      const text = (await store.request(`part.${node}`, { kept: first.kept, part }, this.#patienceMs)) as string;
      characters += text.length;
      if (characters > MOST_CHARACTERS) throw tooLong(asked.method);
      texts.push(text);
    }
    return JSON.parse(texts.join('')) as unknown[];
  }

  /** Runs the call with the rights that the node asked first has found, and with those of this node's policy. */
  async #run({ method, params, user, networks }: Asked): Promise<readonly unknown[]> {
    const { rights, run } = this.#options;
    if (!rights.mayCall(user, method)) throw forbidden(user, method);
    const own = rights.networksOf(user);
    return run(method, params, networks === null ? own : networks.filter((name) => own?.includes(name) ?? true));
  }

  async #answer(message: unknown): Promise<Answered> {
    const asked = message as Asked;
    // A node of another version may ask for what this one does not answer.
    if (!CLUSTER_CALLS.includes(asked.method)) {
      throw new EtherwsError('REQUEST_REFUSED', `This node does not answer ${String(asked.method)}`, {
        hint: 'Are the versions equal?',
      });
    }
    const text = JSON.stringify(await this.#run(asked));
    if (text.length <= PART_CHARACTERS) return { text, parts: 1 };
    if (text.length > MOST_CHARACTERS) throw tooLong(asked.method);
    const parts: string[] = [];
    for (let at = 0; at < text.length; at += PART_CHARACTERS) parts.push(text.slice(at, at + PART_CHARACTERS));
    return { text: parts[0] ?? '', kept: this.#keep(parts), parts: parts.length };
  }

  #keep(parts: readonly string[]): string {
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size >= MOST_KEPT) this.#drop(oldest);
    const kept = randomUUID();
    this.#kept.set(kept, { parts, timer: setTimeout(() => this.#drop(kept), KEPT_MS).unref() });
    return kept;
  }

  async #part(message: unknown): Promise<string> {
    const { kept, part } = message as { readonly kept: string; readonly part: number };
    const found = this.#kept.get(kept);
    const text = found?.parts[part];
    if (found === undefined || text === undefined) {
      throw new EtherwsError('REQUEST_REFUSED', 'The rest of the answer is gone', { hint: 'Ask again' });
    }
    if (part === found.parts.length - 1) this.#drop(kept);
    else found.timer.refresh();
    return text;
  }

  #drop(kept: string): void {
    clearTimeout(this.#kept.get(kept)?.timer);
    this.#kept.delete(kept);
  }
}

/** How long the call itself may take. */
function durationMs({ method, params }: Asked): number {
  return method === 'ping' ? 1000 * Number(params['wait'] ?? PING.wait.default) : 0;
}

export function forbidden(user: string | null, method: string): EtherwsError {
  const caller = user === null ? 'A caller without credentials' : `The user ${user}`;
  return new EtherwsError('METHOD_FORBIDDEN', `${caller} may not call ${method}`, {
    hint: 'The operator of the cluster can allow it in its policy',
  });
}

function tooLong(method: string): EtherwsError {
  return new EtherwsError('REQUEST_REFUSED', `The answer to ${method} is longer than ${MOST_CHARACTERS} characters`, {
    hint: 'Ask for one network, or ask the node itself',
  });
}
