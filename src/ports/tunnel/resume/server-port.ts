import type { CloseReason, Congestion, DiscardReason, Port, PortEvents, Tunnel } from '../../../bridge/port.ts';
import type { Described, TunnelDetails } from '../../../bridge/port-details.ts';
import { MAX_SUPER_FRAME_BYTES } from '../../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../../wire/ethernet/frame-batch.ts';
import type { Offloads } from '../../../wire/offload/virtio-header.ts';
import { PACKINGS } from '../../stream/packing.ts';
import type { TunnelPort } from '../tunnel-port.ts';

export interface ServerPortOptions {
  /** the first connection, not opened yet; on the batched wire */
  tunnel: TunnelPort;
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
 * An accepted tunnel whose client may come back: a port that outlives its
 * connections, with its number, its counters and what was learned behind it.
 *
 *   up ──connection lost──► away ──`resume`──► up
 *                            └──graceMs──► closed
 *
 * A connection that the peer ended in order, or by breaking the protocol, is
 * not waited for: the port is `closed` at once. While it is `away`, `send`
 * refuses with `linkDown`.
 */
export class ServerPort implements Port, Described {
  readonly type = 'server';
  readonly offloads: Offloads = PACKINGS.batched.offloads;
  readonly maxFrameBytes: number = MAX_SUPER_FRAME_BYTES;
  readonly #graceMs: number;
  readonly #onGone: (() => void) | undefined;
  #target: string;
  #events: PortEvents | undefined;
  /** The connection that stands; undefined while the client is away. */
  #current: TunnelPort | undefined;
  /** Whether anything was heard on the last connection, once it is lost. */
  #wasHeard = false;
  #absence: Absence | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  /** Connections that are lost or replaced, and not quite gone. */
  readonly #leaving = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor({ tunnel, graceMs, onGone }: ServerPortOptions) {
    this.#current = tunnel;
    this.#target = tunnel.target;
    this.#graceMs = graceMs;
    this.#onGone = onGone;
  }

  /** The client's address and port: those of the last connection. */
  get target(): string {
    return this.#target;
  }

  get congestion(): Congestion | undefined {
    return this.#current?.congestion;
  }

  get flowSource(): object | undefined {
    return this.#current?.flowSource;
  }

  get flowTarget(): object | undefined {
    return this.#current?.flowTarget;
  }

  get tunnel(): Tunnel | undefined {
    return this.#current?.tunnel;
  }

  get details(): TunnelDetails {
    return { kind: 'tunnel', connection: this.#current?.details.connection, linkReason: this.linkReason };
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
    return this.#current?.isHeard ?? this.#wasHeard;
  }

  /** Whether no client can come back any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  open(events: PortEvents): void {
    this.#events = events;
    if (this.#current !== undefined) this.#openTunnel(this.#current);
  }

  send(batch: FrameBatch, index: number): DiscardReason | undefined {
    return this.#current === undefined ? 'linkDown' : this.#current.send(batch, index);
  }

  flush(isSoleEgress: boolean): void {
    this.#current?.flush(isSoleEgress);
  }

  /**
   * Goes on by another connection, not opened yet, which belongs to the port from
   * now on. One that still stands is cut: its client is elsewhere.
   */
  resume(tunnel: TunnelPort): void {
    if (this.#current !== undefined) this.#leave(this.#current.cut('replaced by a newer connection'));
    this.#present();
    this.#current = tunnel;
    this.#target = tunnel.target;
    if (this.#events === undefined) return;
    this.#events.linkChanged('up');
    this.#openTunnel(tunnel);
  }

  /** Waits no longer. Without effect unless the client is away. @param reason one line */
  giveUp(reason: string): void {
    if (this.#absence !== undefined) this.#end(reason);
  }

  close(reason: CloseReason = 'removed'): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: CloseReason): Promise<void> {
    this.#isOver = true;
    this.#events = undefined;
    this.#present();
    await this.#current?.close(reason);
    await Promise.all(this.#leaving);
    this.#onGone?.();
  }

  #openTunnel(tunnel: TunnelPort): void {
    tunnel.open({
      receive: (batch) => this.#events?.receive(batch),
      tunnelLost: (tunnelId) => this.#events?.tunnelLost?.(tunnelId),
      discarded: (direction, reason, frames, example) => this.#events?.discarded(direction, reason, frames, example),
      linkChanged: (_state, reason = 'lost') => this.#lost(tunnel, reason),
    });
  }

  #lost(tunnel: TunnelPort, reason: string): void {
    this.#leave(tunnel.close());
    this.#current = undefined;
    this.#wasHeard = tunnel.isHeard;
    if (tunnel.hasParted) {
      this.#end(reason);
      return;
    }
    this.#absence = { sinceMs: performance.now(), reason };
    this.#timer = setTimeout(() => {
      this.#end(`its client did not come back within ${this.#graceMs / 1000} s`);
    }, this.#graceMs).unref();
    this.#events?.linkChanged('away', this.linkReason);
  }

  #end(reason: string): void {
    this.#isOver = true;
    this.#present();
    this.#events?.linkChanged('closed', reason);
  }

  /** Cancels the grace timer and clears the absence. */
  #present(): void {
    clearTimeout(this.#timer);
    this.#absence = undefined;
  }

  #leave(gone: Promise<void>): void {
    const leaving = gone.finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }
}
