import type { PortEvents } from '../../../bridge/port.ts';
import { PeerDeadline } from '../../../net/peer-deadline.ts';
import { TunnelPort } from '../tunnel-port.ts';
import { LastingPort } from './lasting-port.ts';

export interface ServerPortOptions {
  /**
   * the first connection, on the batched wire, not opened yet; or the target of the last connection in an earlier run
   * of the switch: the port then begins as `away`
   */
  tunnel: TunnelPort | { readonly lastTarget: string };
  /** how long the port waits for its client when a connection was lost */
  graceMs: number;
  /** called once, when the port and all its connections are closed */
  onGone?: () => void;
}

/** Why and since when the client is away. */
interface Absence {
  readonly sinceMs: number;
  readonly reason: string;
}

/**
 * An accepted tunnel that its client can resume.
 *
 *   up ──connection lost──► away ──`resume`──► up
 *                            └──graceMs──► closed
 *
 * After a close handshake by the peer, or a violation of the protocol, the port
 * is `closed` at once.
 */
export class ServerPort extends LastingPort {
  readonly type = 'server';
  readonly #graceMs: number;
  readonly #onGone: (() => void) | undefined;
  #target: string;
  /** Whether the last connection had received anything; set when it is lost. */
  #wasHeard = false;
  #absence: Absence | undefined;
  #grace: PeerDeadline | undefined;
  #isOver = false;

  constructor({ tunnel, graceMs, onGone }: ServerPortOptions) {
    super(tunnel instanceof TunnelPort ? tunnel : undefined);
    this.#target = tunnel instanceof TunnelPort ? tunnel.target : tunnel.lastTarget;
    this.#graceMs = graceMs;
    this.#onGone = onGone;
    if (this.current === undefined) this.#wait('the switch was restarted');
  }

  /** The client's address and port; while it is away, those of the last connection. */
  get target(): string {
    return this.#target;
  }

  get linkReason(): string | undefined {
    if (this.#absence === undefined) return undefined;
    const { sinceMs, reason } = this.#absence;
    const leftMs = sinceMs + this.#graceMs - performance.now();
    return `waiting for its client (${Math.max(0, Math.ceil(leftMs / 1000))} s left): ${reason}`;
  }

  /** Since when the client is away, on the clock of `performance`; undefined while it is connected. */
  get awaySinceMs(): number | undefined {
    return this.#absence?.sinceMs;
  }

  /** Whether the last connection has received anything: then its client has the response of the handshake. */
  get isHeard(): boolean {
    return this.current?.isHeard ?? this.#wasHeard;
  }

  /** Whether the port can no longer be resumed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Opens the next connection, which the port owns from now on. A connection that
   * is still open is cut, since its client has left it.
   */
  resume(tunnel: TunnelPort): void {
    if (this.current !== undefined) this.leave(this.current.cut('replaced by a newer connection'));
    this.#present();
    this.#target = tunnel.target;
    this.carryOn(tunnel);
  }

  override open(events: PortEvents): void {
    super.open(events);
    if (this.#absence !== undefined) events.linkChanged('away', this.linkReason);
  }

  /** Stops waiting and closes the port. Without effect unless the client is away. @param reason one line */
  giveUp(reason: string): void {
    if (this.#absence !== undefined) this.#end(reason);
  }

  protected override stop(): undefined {
    this.#isOver = true;
    this.#present();
  }

  protected override gone(): void {
    this.#onGone?.();
  }

  protected override lost(tunnel: TunnelPort, reason: string): void {
    this.#wasHeard = tunnel.isHeard;
    if (tunnel.hasParted) {
      this.#end(reason);
      return;
    }
    this.#wait(reason);
    this.events?.linkChanged('away', this.linkReason);
  }

  #wait(reason: string): void {
    this.#absence = { sinceMs: performance.now(), reason };
    this.#grace = new PeerDeadline(this.#graceMs, () => {
      this.#end(`its client did not come back within ${this.#graceMs / 1000} s`);
    }).unref();
  }

  #end(reason: string): void {
    this.#isOver = true;
    this.#present();
    this.events?.linkChanged('closed', reason);
  }

  /** Cancels the grace timer and clears the absence. */
  #present(): void {
    this.#grace?.cancel();
    this.#absence = undefined;
  }
}
