import { type ErrorCode, EtherwsError } from '../../errors.ts';
import { MeshFullError } from '../../net/retry-after.ts';
import { ClientPort, type ClientPortOptions } from '../tunnel/dial/client-port.ts';
import type { TunnelPort } from '../tunnel/tunnel-port.ts';
import { fullRestMs } from './full-rest.ts';
import { overlapping } from './overlapping.ts';

/** Dials the other node once. @param via the node that carries; undefined: directly */
export type MeshDial = (via: string | undefined, signal: AbortSignal) => Promise<TunnelPort>;

export interface MeshPortOptions extends Pick<ClientPortOptions, 'target' | 'logger'> {
  readonly meshNode: string;
  readonly dial: MeshDial;
  /** The nodes that may carry, the best one first. */
  readonly carriers: () => readonly string[];
  /**
   * The other node has refused the tunnel since it has too many of automatic networks; the port may be closed, else it dials again after a rest.
   * @param waitMs the wait that it asks for
   */
  readonly onFull?: ((waitMs: number) => void) | undefined;
}

/** After so long without a direct tunnel a third node is asked to carry. */
const DIRECT_MS = 2000;
export const ATTEMPT_MS = 5000;
const ATTEMPT_INTERVAL_MS = 500;
const DIRECT_AGAIN_MS = 1000;
const WAITS = { minMs: 200, maxMs: 1000 };

/** The other node was reached directly, and refused. */
const ANSWERED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'AUTH_FAILED',
  'HANDSHAKE_REJECTED',
  'NOT_WEBSOCKET',
  'TUNNEL_FORBIDDEN',
]);

/**
 * A port that dials another node of the cluster, for ever: directly, and when that has failed for `DIRECT_MS` in turn through
 * a third node. While a third node carries, it dials directly once a second, and moves when it succeeds.
 */
export class MeshPort extends ClientPort {
  readonly #ways: Ways;

  constructor(options: MeshPortOptions) {
    const ways = new Ways(options);
    const { target, meshNode, logger } = options;
    super({
      target,
      meshNode,
      connect: (signal) => ways.connect(signal),
      reconnection: WAITS,
      leastWaitMs: (error) => (error instanceof MeshFullError ? fullRestMs(error.retryAfterMs) : undefined),
      failback: {
        intervalMs: DIRECT_AGAIN_MS,
        connect: (signal) => ways.connectDirectly(signal),
        isPreferred: (tunnel) => ways.carrierOf(tunnel) === undefined,
      },
      ...(logger === undefined ? {} : { logger }),
    });
    this.#ways = ways;
  }

  /** The node that carries the present tunnel; undefined: none does, or there is no tunnel. */
  get via(): string | undefined {
    return this.current === undefined ? undefined : this.#ways.carrierOf(this.current);
  }

  /** Whether direct attempts have failed for so long that a third node is asked. */
  get isCutOff(): boolean {
    return this.via !== undefined || this.#ways.isCutOff;
  }
}

class Ways {
  readonly #options: MeshPortOptions;
  readonly #carriers = new WeakMap<TunnelPort, string>();
  /** since when direct attempts fail; undefined: the last one succeeded */
  #failingMs: number | undefined;
  #attempts = 0;

  constructor(options: MeshPortOptions) {
    this.#options = options;
  }

  carrierOf(tunnel: TunnelPort): string | undefined {
    return this.#carriers.get(tunnel);
  }

  get isCutOff(): boolean {
    return this.#failingMs !== undefined && performance.now() - this.#failingMs > DIRECT_MS;
  }

  connect(signal: AbortSignal): Promise<TunnelPort> {
    this.#failingMs ??= performance.now();
    return this.#overlap((each) => this.#once(this.#nextCarrier(), each), signal).catch((error: unknown) => {
      if (error instanceof MeshFullError) this.#options.onFull?.(error.retryAfterMs);
      throw error;
    });
  }

  connectDirectly(signal: AbortSignal): Promise<TunnelPort> {
    return this.#overlap((each) => this.#once(undefined, each), signal);
  }

  #overlap(attempt: (signal: AbortSignal) => Promise<TunnelPort>, signal: AbortSignal): Promise<TunnelPort> {
    const most = ATTEMPT_MS / ATTEMPT_INTERVAL_MS;
    return overlapping(attempt, (late) => void late.close(), { intervalMs: ATTEMPT_INTERVAL_MS, most, signal });
  }

  /** Each second attempt of a pair that is cut off goes through a carrier, the next one each time. */
  #nextCarrier(): string | undefined {
    if (!this.isCutOff) {
      this.#attempts = 0;
      return undefined;
    }
    const turn = this.#attempts++;
    const carriers = this.#options.carriers();
    return turn % 2 === 0 ? carriers[(turn / 2) % Math.max(1, carriers.length)] : undefined;
  }

  async #once(via: string | undefined, signal: AbortSignal): Promise<TunnelPort> {
    try {
      const tunnel = await this.#options.dial(via, signal);
      if (via !== undefined) this.#carriers.set(tunnel, via);
      else this.#failingMs = undefined;
      return tunnel;
    } catch (error) {
      const isAnswered = error instanceof EtherwsError && ANSWERED.has(error.code);
      if (via === undefined && isAnswered) this.#failingMs = performance.now();
      throw error;
    }
  }
}
