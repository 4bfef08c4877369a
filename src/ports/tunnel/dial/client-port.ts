import type { CloseReason, Congestion, DiscardReason, Port, PortEvents, Tunnel } from '../../../bridge/port.ts';
import type { Described, TunnelDetails } from '../../../bridge/port-details.ts';
import { EtherwsError } from '../../../errors.ts';
import { requestedWaitMs } from '../../../net/retry-after.ts';
import { type Logger, SILENT } from '../../../observability/logger.ts';
import { MAX_SUPER_FRAME_BYTES } from '../../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../../wire/ethernet/frame-batch.ts';
import { OFFLOAD_NONE, type Offloads } from '../../../wire/offload/virtio-header.ts';
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
 * A tunnel that is dialled again when it ends: a port that outlives its
 * connections, with its number, its counters and its configuration. When to
 * dial is the matter of `Reconnection`; this gives it the clock and the timer.
 *
 * While no connection stands `send` refuses with `linkDown`, and the link is
 * `connecting` or `backoff`; without reconnection it ends as `down`.
 */
export class ClientPort implements Port, Described {
  readonly type = 'client';
  readonly target: string;
  readonly maxFrameBytes: number = MAX_SUPER_FRAME_BYTES;
  readonly #connect: ClientPortOptions['connect'];
  readonly #watchNetwork: ClientPortOptions['watchNetwork'];
  readonly #reconnection: Reconnection;
  readonly #failback: Failback | undefined;
  readonly #logger: Logger;

  #events: PortEvents | undefined;
  /** The connection that stands, if any, and whether it was opened already. */
  #current: TunnelPort | undefined;
  #isOpen = false;
  #isClosed = false;
  #attempt: AbortController | undefined;
  #attempting: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #unwatch: (() => Promise<void>) | undefined;
  /** Connections that are lost, and not quite gone. */
  readonly #leaving = new Set<Promise<void>>();

  /** The port begins to dial when it is opened. @throws RangeError for waits that cannot be */
  constructor(options: ClientPortOptions) {
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
    port.#current = await options.connect(signal);
    port.#reconnection.connected(performance.now());
    return port;
  }

  /** Those of the connection that stands. */
  get offloads(): Offloads {
    return this.#current === undefined ? OFFLOAD_NONE : this.#current.offloads;
  }

  get congestion(): Congestion | undefined {
    return this.#current?.congestion;
  }

  get flowSource(): object | undefined {
    return this.#isOpen ? this.#current?.flowSource : undefined;
  }

  get flowTarget(): object | undefined {
    return this.#isOpen ? this.#current?.flowTarget : undefined;
  }

  get tunnel(): Tunnel | undefined {
    return this.#current?.tunnel;
  }

  get details(): TunnelDetails {
    const current = this.#current;
    const url = current?.target === this.target ? undefined : current?.target;
    return {
      kind: 'tunnel',
      connection: current && { ...current.details.connection, url },
      linkReason: this.linkReason,
    };
  }

  get linkReason(): string | undefined {
    return this.#reconnection.describe(performance.now());
  }

  open(events: PortEvents): void {
    this.#events = events;
    this.#unwatch = this.#watchNetwork?.(() => this.#networkChanged());
    if (this.#current === undefined) this.#dial();
    else this.#openCurrent(this.#current);
  }

  send(batch: FrameBatch, index: number): DiscardReason | undefined {
    return this.#current === undefined || !this.#isOpen ? 'linkDown' : this.#current.send(batch, index);
  }

  flush(isSoleEgress: boolean): void {
    this.#current?.flush(isSoleEgress);
  }

  /** Ends the connection, or the dialling, and dials no more. */
  async close(reason: CloseReason = 'removed'): Promise<void> {
    this.#isClosed = true;
    this.#isOpen = false;
    this.#events = undefined;
    clearTimeout(this.#timer);
    this.#attempt?.abort(new EtherwsError('PORT_CLOSED', `The port to ${this.target} was closed`));
    await Promise.all([this.#current?.close(reason), this.#attempting, this.#failback?.stop(), this.#unwatch?.()]);
    await Promise.all(this.#leaving);
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
    if (this.#isClosed) return tunnel.close('removed');
    this.#reconnection.connected(performance.now());
    this.#current = tunnel;
    this.#tell();
    this.#openCurrent(tunnel);
  }

  #openCurrent(tunnel: TunnelPort): void {
    this.#isOpen = true;
    tunnel.open({
      receive: (batch) => {
        if (this.#current === tunnel) this.#events?.receive(batch);
      },
      tunnelLost: (tunnelId) => {
        if (this.#current === tunnel) this.#events?.tunnelLost?.(tunnelId);
      },
      discarded: (direction, reason, frames, example) => this.#events?.discarded(direction, reason, frames, example),
      linkChanged: (_state, reason = 'lost') => {
        if (this.#current === tunnel) this.#lost(tunnel, reason);
      },
    });
    this.#failback?.start(tunnel);
  }

  /** A better tunnel stands: the one that carried so far ends in order. */
  #moveTo(tunnel: TunnelPort): void {
    const before = this.#current;
    if (this.#isClosed || before === undefined) {
      this.#leave(tunnel);
      return;
    }
    this.#logger.info({ target: this.target, from: before.target, to: tunnel.target }, 'tunnel moved back');
    this.#reconnection.connected(performance.now());
    this.#current = tunnel;
    this.#leave(before);
    // First, since a parallel tunnel may have to stand by: nothing must arrive before that is known.
    this.#tell();
    this.#openCurrent(tunnel);
  }

  #leave(tunnel: TunnelPort): void {
    const leaving = tunnel.close().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#reconnection.failed(performance.now(), oneLine(reason), isLastingFailure(error), requestedWaitMs(error));
    this.#logger.debug({ target: this.target, error }, 'dialling failed');
    this.#rest();
  }

  #lost(tunnel: TunnelPort, reason: string): void {
    this.#leave(tunnel);
    void this.#failback?.stop();
    this.#current = undefined;
    this.#isOpen = false;
    if (this.#isClosed) return;
    this.#reconnection.lost(performance.now(), oneLine(reason));
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
    this.#events?.linkChanged(this.#reconnection.state, this.linkReason);
  }
}

/** A reason may come from the far end. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
