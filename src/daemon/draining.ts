import type { NodeAnnouncement } from '../cluster/node-announcement.ts';
import { isForClients, lighterNode, nodeInstead, urlAt } from '../cluster/node-choice.ts';
import type { DrainEntry } from '../control/drain-entries.ts';
import { EtherwsError } from '../errors.ts';
import type { Refusal } from '../net/http-refusal.ts';
import type { Logger } from '../observability/logger.ts';
import type { Newcomer } from '../ports/tunnel/accept/server-options.ts';
import { DRAINING, redirectTo } from '../ports/tunnel/accept/server-refusals.ts';
import type { Roaming } from './roaming.ts';

/** What draining asks of the cluster. */
export interface DrainableNode {
  others(): NodeAnnouncement[];
  readonly isDraining: boolean;
  /** Resolves when the other nodes are told. */
  setDraining(isDraining: boolean): Promise<void>;
}

/** Time, as a test may give it. */
export interface DrainingClock {
  nowMs(): number;
  pause(ms: number): Promise<void>;
}

export interface DrainingOptions {
  readonly cluster: DrainableNode;
  readonly roaming: Pick<Roaming, 'numbers' | 'handOver' | 'flush'>;
  /** the present number of tunnels */
  readonly tunnels: () => number;
  /** whether new clients are sent to nodes with a lower load, and all are told of other nodes */
  readonly redirects: boolean;
  /** Called when the node begins to be drained, and when it takes clients again. */
  readonly onChange: (isDraining: boolean) => void;
  readonly logger: Logger;
  /** default: that of the process */
  readonly clock?: DrainingClock;
}

const SLICE_INTERVAL_MS = 100;
const LEAST_SLICE = 8;
/** All clients are handed over in about so many slices, or in slices of `LEAST_SLICE`. */
const SLICES = 30;
/** A node that stops listens so long after the last client was handed over: clients dial again within 400 ms, perhaps here. */
const LINGER_MS = 1000;
/** A command waits so long for the news that another node takes clients: it may come later than the command. */
const NEWS_MS = 1000;
/** A node that stops waits so long for another one that takes its clients, such as one that is just starting. */
const PATIENCE_MS = 3000;
const PROCESS_CLOCK: DrainingClock = {
  nowMs: () => performance.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Hands the clients of this node over to others, and sends new ones there. */
export class Draining {
  readonly #options: DrainingOptions;
  readonly #clock: DrainingClock;
  #run: Promise<void> | undefined;
  /** Whether the other nodes know the sessions, so that clients are being handed over. */
  #isTold = false;
  #isFinished = false;

  constructor(options: DrainingOptions) {
    this.#options = options;
    this.#clock = options.clock ?? PROCESS_CLOCK;
  }

  /** Where a client goes that comes to this node; undefined: it may come in. */
  divert({ asked, follows, isReturning }: Newcomer): Refusal | undefined {
    const { cluster, tunnels, redirects } = this.#options;
    if (cluster.isDraining) {
      const node = nodeInstead(cluster.others());
      // As those that stay while no other node takes them.
      if (node === undefined && isReturning) return undefined;
      const url = node === undefined || !follows ? undefined : urlAt(node, asked);
      return url === undefined ? DRAINING : redirectTo(url);
    }
    if (!redirects || !follows || isReturning) return undefined;
    const node = lighterNode(tunnels(), cluster.others());
    const url = node === undefined ? undefined : urlAt(node, asked);
    return url === undefined ? undefined : redirectTo(url);
  }

  /**
   * Begins to hand clients over, unless that goes on already. Resolves when the other nodes are told.
   * @throws EtherwsError REQUEST_REFUSED if no other node takes clients
   */
  async drain(): Promise<DrainEntry> {
    if (!this.#options.cluster.isDraining && !(await this.#hasTakerWithin(NEWS_MS))) {
      throw new EtherwsError('REQUEST_REFUSED', 'No other node of the cluster takes clients', {
        hint: 'See "etherws ctl cluster": another node must be there, have room, and advertise a URL',
      });
    }
    await this.#begin();
    return this.#entry();
  }

  /** Takes clients again. Resolves when the other nodes are told. */
  async end(): Promise<DrainEntry> {
    const { cluster, logger, onChange } = this.#options;
    if (cluster.isDraining) {
      const told = cluster.setDraining(false);
      onChange(false);
      logger.info({}, 'taking clients again');
      await told;
    }
    return this.#entry();
  }

  /**
   * Hands all clients over before this node stops, if another one takes them; one that comes, or takes clients again, is waited
   * for. Resolves after `mostMs` at the latest.
   */
  async finish(mostMs: number): Promise<void> {
    const { roaming, logger } = this.#options;
    const untilMs = this.#clock.nowMs() + mostMs;
    const clients = roaming.numbers.length;
    if (!(clients > 0 ? await this.#hasTakerWithin(Math.min(PATIENCE_MS, mostMs)) : this.#hasTaker)) {
      if (clients > 0) logger.warn({ clients }, 'no other node takes the clients of this one');
      this.#isFinished = true;
      return;
    }
    void this.#begin();
    for (let takerMs = this.#clock.nowMs(); this.#isHandingOver && this.#clock.nowMs() < untilMs; ) {
      if (this.#hasTaker) takerMs = this.#clock.nowMs();
      else if (this.#isAlone || this.#clock.nowMs() - takerMs >= PATIENCE_MS) break;
      await this.#clock.pause(SLICE_INTERVAL_MS / 2);
    }
    if (clients > 0) await this.#clock.pause(Math.min(LINGER_MS, Math.max(0, untilMs - this.#clock.nowMs())));
    this.#isFinished = true;
  }

  get #isHandingOver(): boolean {
    return this.#run !== undefined && (!this.#isTold || this.#options.roaming.numbers.length > 0);
  }

  get #hasTaker(): boolean {
    return nodeInstead(this.#options.cluster.others()) !== undefined;
  }

  get #isAlone(): boolean {
    return !this.#options.cluster.others().some(isForClients);
  }

  /** Whether another node takes clients, now or within a time. Without another one that may there is nothing to wait for. */
  async #hasTakerWithin(mostMs: number): Promise<boolean> {
    const untilMs = this.#clock.nowMs() + mostMs;
    while (!this.#hasTaker) {
      if (this.#isAlone || this.#clock.nowMs() >= untilMs) return false;
      await this.#clock.pause(SLICE_INTERVAL_MS / 2);
    }
    return true;
  }

  /** Resolves when the other nodes are told. */
  async #begin(): Promise<void> {
    const { cluster, roaming, logger, onChange } = this.#options;
    let told = Promise.resolve();
    if (!cluster.isDraining) {
      told = cluster.setDraining(true);
      onChange(true);
      logger.info({ tunnels: roaming.numbers.length }, 'draining: clients are handed over to other nodes');
    }
    this.#run ??= this.#handOver(told).finally(() => {
      this.#run = undefined;
    });
    await told;
  }

  /** Goes on until the node takes clients again or stops: a client may come late, or return while no other node takes it. */
  async #handOver(told: Promise<void>): Promise<void> {
    const { cluster, roaming, logger } = this.#options;
    this.#isTold = false;
    // The other nodes have to know the sessions before the clients come, and that they send none back.
    await Promise.race([Promise.all([told, roaming.flush()]), this.#clock.pause(LINGER_MS)]);
    this.#isTold = true;
    // The session of a client that has just come is written within half the pause, so it is handed over after the next one.
    let known = new Set(roaming.numbers);
    for (let slice = LEAST_SLICE; cluster.isDraining && !this.#isFinished; ) {
      slice = Math.max(slice, Math.ceil(roaming.numbers.length / SLICES));
      // A client that no other node takes is better off here.
      const ready = this.#hasTaker ? roaming.numbers.filter((number) => known.has(number)) : [];
      for (const number of ready.slice(0, slice)) {
        roaming.handOver(number).catch((error: unknown) => {
          logger.error({ port: number, error }, 'a client could not be handed over');
        });
      }
      known = new Set(roaming.numbers);
      await this.#clock.pause(SLICE_INTERVAL_MS);
    }
  }

  #entry(): DrainEntry {
    return { draining: this.#options.cluster.isDraining, tunnels: this.#options.roaming.numbers.length };
  }
}
