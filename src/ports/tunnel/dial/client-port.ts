import type { PortEvents, PortType } from '../../../bridge/port.ts';
import { EtherwsError } from '../../../errors.ts';
import { requestedWaitMs } from '../../../net/retry-after.ts';
import { type Logger, SILENT } from '../../../observability/logger.ts';
import { LastingPort } from '../resume/lasting-port.ts';
import { MESH_TYPE, type TunnelPort } from '../tunnel-port.ts';
import { isLastingFailure } from './dial-errors.ts';
import { Failback, type FailbackOptions } from './failback.ts';
import { Reconnection, type ReconnectionOptions } from './reconnection.ts';

export interface ClientPortOptions {
  /** the node of the cluster that is dialled: the port is one of the mesh then. Default: none */
  meshNode?: string;
  /** what `listport` shows: the first of the URLs, without credentials */
  target: string;
  /** Dials once. Rejects with an EtherwsError, or with the signal's reason; no socket is left open then. */
  connect: (signal: AbortSignal) => Promise<TunnelPort>;
  reconnection?: ReconnectionOptions;
  /** The least wait after this failure, which may be above `reconnection.maxMs`; undefined: none. */
  leastWaitMs?: (error: unknown) => number | undefined;
  /** How to return to the preferred server; without it a tunnel to another server stays until it is lost. */
  failback?: FailbackOptions;
  /** Reports links that came up and new addresses. @returns stops that; resolves when all its resources are released */
  watchNetwork?: (listener: () => void) => () => Promise<void>;
  logger?: Logger;
}

/**
 * A tunnel that is dialled again when it ends. `Reconnection` decides when to
 * dial; this class has the clock and the timer.
 *
 * Without a connection the link is `connecting` or `backoff`; with reconnection
 * disabled, `down`.
 */
export class ClientPort extends LastingPort {
  readonly type: PortType;
  readonly meshNode: string | undefined;
  readonly target: string;
  readonly #connect: ClientPortOptions['connect'];
  readonly #leastWaitMs: ClientPortOptions['leastWaitMs'];
  readonly #watchNetwork: ClientPortOptions['watchNetwork'];
  readonly #reconnection: Reconnection;
  readonly #failback: Failback | undefined;
  readonly #logger: Logger;

  #attempt: AbortController | undefined;
  #attempting: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #unwatch: (() => Promise<void>) | undefined;

  /** The port begins to dial when it is opened. @throws RangeError for waits that `Reconnection` refuses */
  constructor(options: ClientPortOptions) {
    super();
    this.meshNode = options.meshNode;
    this.type = this.meshNode === undefined ? 'client' : MESH_TYPE;
    this.target = options.target;
    this.#connect = options.connect;
    this.#leastWaitMs = options.leastWaitMs;
    this.#watchNetwork = options.watchNetwork;
    this.#reconnection = new Reconnection(options.reconnection);
    this.#logger = options.logger ?? SILENT;
    this.#failback =
      options.failback === undefined
        ? undefined
        : new Failback(options.failback, (tunnel) => this.#moveTo(tunnel), this.#logger);
  }

  /**
   * Makes a port whose tunnel is connected.
   * @param signal aborts the first attempt to dial
   * @throws EtherwsError the failure of the first attempt, or the signal's reason; there is no port then
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

  /** Replaces the tunnel by one to the preferred server; the old one is closed in order. */
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
    const [requestedMs, leastMs] = [requestedWaitMs(error), this.#leastWaitMs?.(error)];
    this.#reconnection.failed(performance.now(), oneLine(reason), isLastingFailure(error), requestedMs, leastMs);
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

  /** Sets the timer for the next attempt, if `Reconnection` wants one. */
  #rest(): void {
    this.#schedule();
    this.#tell();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#reconnection.state !== 'backoff') return;
    // Not `unref`: a port that waits keeps the process alive, as a connected tunnel does.
    this.#timer = setTimeout(() => this.#dial(), this.#reconnection.nextTryMs - performance.now());
  }

  #tell(): void {
    this.events?.linkChanged(this.#reconnection.state, this.linkReason);
  }
}

/** A reason may come from the peer, with line breaks in it. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
