import type { PortEvents } from '../../../bridge/port.ts';
import { TunnelPort } from '../tunnel-port.ts';
import { LastingPort } from './lasting-port.ts';

export interface ServerPortOptions {
  /**
   * the first connection, not opened yet; on the batched wire. Or the target of the last one, in an earlier run of the
   * switch: the port then waits for its client from the beginning
   */
  tunnel: TunnelPort | { readonly lastTarget: string };
  /** how long the port waits for its client when a connection was lost */
  graceMs: number;
  /** called once, when the port is closed and none of its connections is left */
  onGone?: () => void;
}

/** Why a client is not there. */
interface Absence {
  readonly sinceMs: number;
  readonly reason: string;
}

/**
 * An accepted tunnel whose client may come back.
 *
 *   up ──connection lost──► away ──`resume`──► up
 *                            └──graceMs──► closed
 *
 * A connection that the peer ended in order, or by breaking the protocol, is
 * not waited for: the port is `closed` at once.
 */
export class ServerPort extends LastingPort {
  readonly type = 'server';
  readonly #graceMs: number;
  readonly #onGone: (() => void) | undefined;
  #target: string;
  /** Whether anything was heard on the last connection, once it is lost. */
  #wasHeard = false;
  #absence: Absence | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor({ tunnel, graceMs, onGone }: ServerPortOptions) {
    super(tunnel instanceof TunnelPort ? tunnel : undefined);
    this.#target = tunnel instanceof TunnelPort ? tunnel.target : tunnel.lastTarget;
    this.#graceMs = graceMs;
    this.#onGone = onGone;
    if (this.current === undefined) this.#wait('the switch was restarted');
  }

  /** The client's address and port: those of the last connection. */
  get target(): string {
    return this.#target;
  }

  get linkReason(): string | undefined {
    if (this.#absence === undefined) return undefined;
    const { sinceMs, reason } = this.#absence;
    const leftMs = sinceMs + this.#graceMs - performance.now();
    return `waiting for its client (${Math.max(0, Math.ceil(leftMs / 1000))} s left): ${reason}`;
  }

  /** Since when the client is away, on the clock of `performance`; undefined while it is there. */
  get awaySinceMs(): number | undefined {
    return this.#absence?.sinceMs;
  }

  /** Whether anything arrived by the last connection: its client has then seen the handshake's answer. */
  get isHeard(): boolean {
    return this.current?.isHeard ?? this.#wasHeard;
  }

  /** Whether no client can come back any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Goes on by another connection, not opened yet, which belongs to the port from
   * now on. One that still stands is cut: its client is elsewhere.
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

  /** Waits no longer. Without effect unless the client is away. @param reason one line */
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
    this.#timer = setTimeout(() => {
      this.#end(`its client did not come back within ${this.#graceMs / 1000} s`);
    }, this.#graceMs).unref();
  }

  #end(reason: string): void {
    this.#isOver = true;
    this.#present();
    this.events?.linkChanged('closed', reason);
  }

  /** Cancels the grace timer and clears the absence. */
  #present(): void {
    clearTimeout(this.#timer);
    this.#absence = undefined;
  }
}
