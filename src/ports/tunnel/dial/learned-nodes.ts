import type { Logger } from '../../../observability/logger.ts';
import { parseNodeList } from '../../../wire/tunnel/node-list.ts';
import { redirectTarget } from './redirect.ts';
import type { TunnelUrl } from './tunnel-url.ts';

/** A server that a client has reached. */
export interface Reached {
  readonly url: TunnelUrl;
  /** its address; undefined: it was reached through a proxy */
  readonly address: string | undefined;
  /** it is an address of this host. Default false */
  readonly isOwn?: boolean;
}

/** A node of a cluster, and the server that has told of it. */
export interface Lead {
  readonly to: TunnelUrl;
  readonly from: Reached;
}

/** Follows the servers of a client that tell of other nodes. */
export interface NodeListener {
  /**
   * A tunnel stands.
   * @param server undefined: one that leads the client to no other node
   * @returns takes each list that comes by the tunnel (node-list.ts)
   */
  reached(server: Reached | undefined): ((message: Buffer) => void) | undefined;
}

/**
 * The nodes of a cluster at which a client may come back, besides the URLs that it was given: those of which its last server has
 * told, and that server itself. They are trusted as the target of a redirect of that server is, and never less secure than any
 * of the given URLs. A list is read when it is needed, so a server that sends many of them costs little.
 */
export class LearnedNodes implements NodeListener {
  readonly #own: readonly TunnelUrl[];
  readonly #logger: Logger;
  readonly #random: () => number;
  readonly #restingUntilMs = new Map<string, number>();
  #server: Reached | undefined;
  #list: Buffer | undefined;

  /** @param own the URLs that the client was given */
  constructor(own: readonly TunnelUrl[], logger: Logger, random: () => number = Math.random) {
    this.#own = own;
    this.#logger = logger;
    this.#random = random;
  }

  reached(server: Reached | undefined): ((message: Buffer) => void) | undefined {
    this.#server = server;
    this.#list = undefined;
    this.#restingUntilMs.clear();
    if (server === undefined) return undefined;
    return (message) => {
      if (this.#server === server) this.#list = message;
    };
  }

  /** A node has asked not to be dialled for a time. */
  rest({ to }: Lead, untilMs: number): void {
    this.#restingUntilMs.set(to.href, untilMs);
  }

  /** The nodes to dial, in an order by chance, so that the clients of one node spread; the last server comes last. */
  leads(nowMs: number): readonly Lead[] {
    const from = this.#server;
    if (from === undefined) return [];
    const leads = new Map<string, Lead>();
    for (const text of this.#list === undefined ? [] : parseNodeList(this.#list)) {
      const to = this.#target(from, text);
      if (to !== undefined && to.href !== from.url.href) leads.set(to.href, { to, from });
    }
    const order = [...leads.values()].map((lead) => ({ lead, at: this.#random() }));
    order.sort((a, b) => a.at - b.at);
    const all = [...order.map(({ lead }) => lead), { to: from.url, from }];
    return all.filter(({ to }) => this.#isFurther(to) && !((this.#restingUntilMs.get(to.href) ?? 0) > nowMs));
  }

  #isFurther(to: TunnelUrl): boolean {
    return this.#own.every(({ href, isSecure }) => href !== to.href && (to.isSecure || !isSecure));
  }

  #target({ url }: Reached, text: string): TunnelUrl | undefined {
    // Unlike a redirect, a list is not relative to what was dialled.
    if (!/^wss?:\/\//i.test(text)) return undefined;
    try {
      return redirectTarget(url, text);
    } catch (error) {
      this.#logger.debug({ target: url.shown, error }, 'a node of which the server tells is not used');
      return undefined;
    }
  }
}
