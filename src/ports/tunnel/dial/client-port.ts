import type { PortEvents } from '../../../bridge/port.ts';
import { EtherwsError } from '../../../errors.ts';
import { requestedWaitMs } from '../../../net/retry-after.ts';
import { type Logger, SILENT } from '../../../observability/logger.ts';
import { LastingPort } from '../resume/lasting-port.ts';
import type { TunnelPort } from '../tunnel-port.ts';
import { isLastingFailure } from './dial-errors.ts';
import { Failback, type FailbackOptions } from './failback.ts';
import { Reconnection, type ReconnectionOptions } from './reconnection.ts';

export interface ClientPortOptions {
  /** what listport shows: the first of the URLs, without credentials */
  target: string;
  /** Dials once. Rejects with an EtherwsError, or with the signal's reason; nothing is left behind then. */
  connect: (signal: AbortSignal) => Promise<TunnelPort>;
  reconnection?: ReconnectionOptions;
  /** Leads the port back to where it would rather be; without it a tunnel stays where it is until it is lost. */
  failback?: FailbackOptions;
  /** Tells of links that came up and of new addresses. @returns ends it, and resolves when nothing of it is left */
  watchNetwork?: (listener: () => void) => () => Promise<void>;
  logger?: Logger;
}

/**
 * A tunnel that is dialled again when it ends. When to dial is the matter of
 * `Reconnection`; this gives it the clock and the timer.
 *
 * While no connection stands the link is `connecting` or `backoff`; without
 * reconnection it ends as `down`.
 */
export class ClientPort extends LastingPort {
  readonly type = 'client';
  readonly target: string;
  readonly #connect: ClientPortOptions['connect'];
  readonly #watchNetwork: ClientPortOptions['watchNetwork'];
  readonly #reconnection: Reconnection;
  readonly #failback: Failback | undefined;
  readonly #logger: Logger;

  #attempt: AbortController | undefined;
  #attempting: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #unwatch: (() => Promise<void>) | undefined;

  /** The port begins to dial when it is opened. @throws RangeError for waits that cannot be */
  constructor(options: ClientPortOptions) {
    super();
    this.target = options.target;
    this.#connect = options.connect;
    this.#watchNetwork = options.watchNetwork;
    this.#reconnection = new Reconnection(options.reconnection);
    this.#logger = options.logger ?? SILENT;
    this.#failback =
      options.failback === undefined
        ? undefined
        : new Failback(options.failback, (tunnel) => this.#moveTo(tunnel), this.#logger);
  }

  /**
   * Makes a port whose tunnel stands.
   * @param signal ends the first dialling
   * @throws EtherwsError what the first dialling failed with, or the signal's reason; there is no port then
   */
  static async connected(
    options: ClientPortOptions,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<ClientPort> {
    const port = new ClientPort(options);
    port.#reconnection.dialling(performance.now());
    const tunnel = await options.connect(signal);
    port.#reconnection.connected(performance.now());
    port.carryOn(tunnel);
    return port;
  }

  get linkReason(): string | undefined {
    return this.#reconnection.describe(performance.now());
  }

  override open(events: PortEvents): void {
    const isConnected = this.current !== undefined;
    this.#unwatch = this.#watchNetwork?.(() => this.#networkChanged());
    super.open(events);
    if (!isConnected) this.#dial();
  }

  protected override stop(): Promise<unknown> {
    clearTimeout(this.#timer);
    this.#attempt?.abort(new EtherwsError('PORT_CLOSED', `The port to ${this.target} was closed`));
    return Promise.all([this.#attempting, this.#failback?.stop(), this.#unwatch?.()]);
  }

  #dial(): void {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#reconnection.dialling(performance.now());
    this.#tell();
    this.#attempting = this.#connect(attempt.signal).then(
      (tunnel) => this.#connected(tunnel),
      (error: unknown) => this.#failed(error),
    );
  }

  async #connected(tunnel: TunnelPort): Promise<void> {
    if (this.isClosed) return tunnel.close('removed');
    this.#reconnection.connected(performance.now());
    this.carryOn(tunnel);
  }

  protected override started(tunnel: TunnelPort): void {
    this.#failback?.start(tunnel);
  }

  /** A better tunnel stands: the one that carried so far ends in order. */
  #moveTo(tunnel: TunnelPort): void {
    const before = this.current;
    if (this.isClosed || before === undefined) {
      this.leave(tunnel.close());
      return;
    }
    this.#logger.info({ target: this.target, from: before.target, to: tunnel.target }, 'tunnel moved back');
    this.#reconnection.connected(performance.now());
    this.leave(before.close());
    this.carryOn(tunnel);
  }

  #failed(error: unknown): void {
    if (this.isClosed) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#reconnection.failed(performance.now(), oneLine(reason), isLastingFailure(error), requestedWaitMs(error));
    this.#logger.debug({ target: this.target, error }, 'dialling failed');
    this.#rest();
  }

  protected override lost(tunnel: TunnelPort, reason: string): void {
    void this.#failback?.stop();
    this.#reconnection.lost(performance.now(), oneLine(reason), tunnel.isPeerRestarting);
    this.#rest();
  }

  #networkChanged(): void {
    this.#reconnection.networkChanged(performance.now());
    if (this.#reconnection.state === 'backoff') this.#schedule();
  }

  /** Waits for the next try, if there is to be one. */
  #rest(): void {
    this.#schedule();
    this.#tell();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#reconnection.state !== 'backoff') return;
    // It keeps the process alive, as a tunnel that stands does.
    this.#timer = setTimeout(() => this.#dial(), this.#reconnection.nextTryMs - performance.now());
  }

  #tell(): void {
    this.events?.linkChanged(this.#reconnection.state, this.linkReason);
  }
}

/** A reason may come from the far end. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
