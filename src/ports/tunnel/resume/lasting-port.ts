import type {
  CloseReason,
  Congestion,
  DiscardReason,
  Port,
  PortEvents,
  PortType,
  Tunnel,
} from '../../../bridge/port.ts';
import type { Described, TunnelDetails } from '../../../bridge/port-details.ts';
import { MAX_SUPER_FRAME_BYTES } from '../../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../../wire/ethernet/frame-batch.ts';
import { OFFLOAD_NONE, type Offloads } from '../../../wire/offload/virtio-header.ts';
import type { TunnelPort } from '../tunnel-port.ts';

/**
 * A port that outlives its connections: it keeps its number, its counters and its FDB
 * entries. It sends and receives by the current connection; without one, `send`
 * refuses with `linkDown`. The two ends of a tunnel differ in the origin of the next
 * connection: a `ClientPort` dials it, a `ServerPort` waits for it.
 */
export abstract class LastingPort implements Port, Described {
  abstract readonly type: PortType;
  abstract readonly target: string;
  /** Why there is no connection, as of now, in one line; undefined while there is one. */
  abstract readonly linkReason: string | undefined;
  readonly maxFrameBytes: number = MAX_SUPER_FRAME_BYTES;
  #events: PortEvents | undefined;
  #current: TunnelPort | undefined;
  /** Resolve when connections that were lost or replaced are closed. */
  readonly #leaving = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  /** @param first a connection whose handshake is done and whose `open` was not called yet */
  constructor(first?: TunnelPort) {
    this.#current = first;
  }

  /** The current connection. */
  protected get current(): TunnelPort | undefined {
    return this.#current;
  }

  /** The bridge's listeners; undefined before `open` and from `close` on. */
  protected get events(): PortEvents | undefined {
    return this.#events;
  }

  protected get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  get offloads(): Offloads {
    return this.#current?.offloads ?? OFFLOAD_NONE;
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
    const current = this.#current;
    const url = current?.target === this.target ? undefined : current?.target;
    const connection = current && { ...current.details.connection, url };
    return { kind: 'tunnel', connection, linkReason: this.linkReason };
  }

  open(events: PortEvents): void {
    this.#events = events;
    if (this.#current !== undefined) this.#start(this.#current);
  }

  send(batch: FrameBatch, index: number): DiscardReason | undefined {
    return this.#current === undefined ? 'linkDown' : this.#current.send(batch, index);
  }

  flush(isSoleEgress: boolean): void {
    this.#current?.flush(isSoleEgress);
  }

  close(reason: CloseReason = 'removed'): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: CloseReason): Promise<void> {
    this.#events = undefined;
    await Promise.all([this.stop(), this.#current?.close(reason)]);
    await Promise.all(this.#leaving);
    this.gone();
  }

  /** Opens the next connection, which the port owns from now on. The one before it must have been given to `leave`. */
  protected carryOn(tunnel: TunnelPort): void {
    this.#current = tunnel;
    if (this.#events === undefined) return;
    // Before `#start`: the bridge may put a parallel tunnel on standby, and no frame must arrive before that.
    this.#events.linkChanged('up');
    this.#start(tunnel);
  }

  /** Has `close` wait for a connection that ends. @param gone resolves when its resources are released */
  protected leave(gone: Promise<void>): void {
    const leaving = gone.finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  /** The connection has ended for another reason than `close`. @param reason one line */
  protected abstract lost(tunnel: TunnelPort, reason: string): void;

  /** Called by `close`, once: stops timers and attempts that would bring another connection. */
  protected abstract stop(): Promise<unknown> | undefined;

  /** A connection was opened. */
  protected started(_tunnel: TunnelPort): void {}

  /** Called once, when the port and all its connections are closed. */
  protected gone(): void {}

  /** A connection that was closed or cut emits no events, so all events are of the current one. */
  #start(tunnel: TunnelPort): void {
    tunnel.open({
      receive: (batch) => this.#events?.receive(batch),
      tunnelLost: (tunnelId) => this.#events?.tunnelLost?.(tunnelId),
      discarded: (direction, reason, frames, example) => this.#events?.discarded(direction, reason, frames, example),
      linkChanged: (_state, reason = 'lost') => this.#lost(tunnel, reason),
    });
    this.started(tunnel);
  }

  #lost(tunnel: TunnelPort, reason: string): void {
    this.leave(tunnel.close());
    this.#current = undefined;
    this.lost(tunnel, reason);
  }
}
