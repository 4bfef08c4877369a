import type { BridgePort } from '../bridge/bridge-port.ts';
import type { Direction, DiscardReason } from '../bridge/port.ts';
import type { PortTap } from '../bridge/port-tap.ts';
import { Capture, type CaptureOptions, type CaptureSink } from '../capture/capture.ts';
import type { CapturedPort } from '../capture/captured-port.ts';
import { EtherwsError } from '../errors.ts';
import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';

/** Limit of captures: each may hold some MiB for a slow reader, and costs time for each frame. */
const MOST_CAPTURES = 8;

/** A running capture. */
export interface RunningCapture {
  readonly capture: Capture;
  /** Removes the taps from its ports. Idempotent. */
  release(): void;
}

/** What adds taps to ports, and removes them: a bridge. */
export interface TapHost {
  addTap(port: BridgePort, tap: PortTap): void;
  removeTap(port: BridgePort, tap: PortTap): void;
}

/** The captures of one switch. A port that is in no capture has no tap of one. */
export class Captures {
  readonly #host: TapHost;
  readonly #taps = new Map<BridgePort, Set<CaptureTap>>();
  readonly #running = new Set<Capture>();

  constructor(host: TapHost) {
    this.#host = host;
  }

  /** @param ports in the order of `options.ports`. @throws EtherwsError REQUEST_REFUSED */
  start(ports: readonly BridgePort[], options: CaptureOptions, sink: CaptureSink): RunningCapture {
    if (this.#running.size >= MOST_CAPTURES) {
      throw new EtherwsError('REQUEST_REFUSED', `${MOST_CAPTURES} captures run already`, { hint: 'End one of them' });
    }
    const capture = new Capture(options, sink);
    this.#running.add(capture);
    const taps = ports.map((port, index) => this.#tap(port, capture.ports[index] as CapturedPort));
    const release = (): void => {
      if (!this.#running.delete(capture)) return;
      for (const [index, port] of ports.entries()) this.#leave(port, taps[index] as CaptureTap);
    };
    return { capture, release };
  }

  /** To be called when a port was removed from the switch. */
  portRemoved(port: BridgePort): void {
    const taps = this.#taps.get(port);
    this.#taps.delete(port);
    for (const { captured } of taps ?? []) captured.remove();
  }

  #tap(port: BridgePort, captured: CapturedPort): CaptureTap {
    const tap = new CaptureTap(captured);
    const taps = this.#taps.get(port) ?? new Set();
    this.#taps.set(port, taps.add(tap));
    this.#host.addTap(port, tap);
    return tap;
  }

  #leave(port: BridgePort, tap: CaptureTap): void {
    const taps = this.#taps.get(port);
    if (taps?.delete(tap) !== true) return;
    if (taps.size === 0) this.#taps.delete(port);
    this.#host.removeTap(port, tap);
  }
}

/** The tap of a port for one capture. */
class CaptureTap implements PortTap {
  readonly captured: CapturedPort;

  constructor(captured: CapturedPort) {
    this.captured = captured;
  }

  received(batch: FrameBatch): void {
    this.captured.receive(batch);
  }

  sent(batch: FrameBatch, index: number): void {
    this.captured.send(batch, index);
  }

  discarded(direction: Direction, reason: DiscardReason, batch: FrameBatch, index: number): void {
    this.captured.discard(direction, reason, batch, index);
  }
}
