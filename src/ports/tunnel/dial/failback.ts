import { requestedWaitMs } from '../../../net/retry-after.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { TunnelPort } from '../tunnel-port.ts';

export interface FailbackOptions {
  /** Mean time between attempts to dial the preferred server while the tunnel leads to another. */
  readonly intervalMs: number;
  /** Dials the preferred server once; as the `connect` of ClientPort. */
  readonly connect: (signal: AbortSignal) => Promise<TunnelPort>;
  /** Whether a tunnel leads to the preferred server. */
  readonly isPreferred: (tunnel: TunnelPort) => boolean;
}

/** Waits are random, 3/4 to 5/4 of the interval: clients that lost one server do not return at one instant. */
const SPREAD = 0.5;

/** Dials the preferred server while the tunnel leads to another, until it accepts. */
export class Failback {
  readonly #options: FailbackOptions;
  readonly #onTunnel: (tunnel: TunnelPort) => void;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #attempt: AbortController | undefined;
  #attempting: Promise<void> = Promise.resolve();

  /** @param onTunnel gets the tunnel to the preferred server, to open and to close */
  constructor(options: FailbackOptions, onTunnel: (tunnel: TunnelPort) => void, logger: Logger) {
    this.#options = options;
    this.#onTunnel = onTunnel;
    this.#logger = logger;
  }

  /** To be called with a connected tunnel: dials until one leads to the preferred server, or until `stop`. */
  start(current: TunnelPort): void {
    clearTimeout(this.#timer);
    if (!this.#options.isPreferred(current)) this.#schedule(this.#options.intervalMs);
  }

  /** Stops dialling. Resolves when the current attempt has released its resources. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#attempt?.abort(new Error('no longer wanted'));
    this.#attempt = undefined;
    await this.#attempting;
  }

  #schedule(waitMs: number): void {
    const spread = 1 - SPREAD / 2 + Math.random() * SPREAD;
    this.#timer = setTimeout(() => this.#try(), waitMs * spread);
  }

  #try(): void {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#attempting = this.#options.connect(attempt.signal).then(
      async (tunnel) => {
        if (this.#attempt === attempt) this.#onTunnel(tunnel);
        else await tunnel.close();
      },
      (error: unknown) => {
        if (this.#attempt !== attempt) return;
        this.#logger.debug({ error }, 'the first URL cannot be had yet');
        this.#schedule(Math.max(this.#options.intervalMs, requestedWaitMs(error) ?? 0));
      },
    );
  }
}
