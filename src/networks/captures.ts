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

/** The captures of one switch. A port that is in no capture has no tap. */
export class Captures {
  readonly #setTap: (port: BridgePort, tap: PortTap | undefined) => void;
  readonly #taps = new Map<BridgePort, SharedTap>();
  readonly #running = new Set<Capture>();

  constructor(setTap: (port: BridgePort, tap: PortTap | undefined) => void) {
    this.#setTap = setTap;
  }

  /** @param ports in the order of `options.ports`. @throws EtherwsError REQUEST_REFUSED */
  start(ports: readonly BridgePort[], options: CaptureOptions, sink: CaptureSink): RunningCapture {
    if (this.#running.size >= MOST_CAPTURES) {
      throw new EtherwsError('REQUEST_REFUSED', `${MOST_CAPTURES} captures run already`, { hint: 'End one of them' });
    }
    const capture = new Capture(options, sink);
    this.#running.add(capture);
    for (const [index, port] of ports.entries()) this.#tapOf(port).captured.add(capture.ports[index] as CapturedPort);
    const release = (): void => {
      if (!this.#running.delete(capture)) return;
      for (const [index, port] of ports.entries()) this.#leave(port, capture.ports[index] as CapturedPort);
    };
    return { capture, release };
  }

  /** To be called when a port was removed from the switch. */
  portRemoved(port: BridgePort): void {
    const tap = this.#taps.get(port);
    this.#taps.delete(port);
    for (const captured of tap?.captured ?? []) captured.remove();
  }

  #tapOf(port: BridgePort): SharedTap {
    const known = this.#taps.get(port);
    if (known !== undefined) return known;
    const tap = new SharedTap();
    this.#taps.set(port, tap);
    this.#setTap(port, tap);
    return tap;
  }

  #leave(port: BridgePort, captured: CapturedPort): void {
    const tap = this.#taps.get(port);
    tap?.captured.delete(captured);
    if (tap?.captured.size !== 0) return;
    this.#taps.delete(port);
    this.#setTap(port, undefined);
  }
}

/** The tap of a port, which any number of captures share. */
class SharedTap implements PortTap {
  readonly captured = new Set<CapturedPort>();

  received(batch: FrameBatch): void {
    for (const captured of this.captured) captured.receive(batch);
  }

  sent(batch: FrameBatch, index: number): void {
    for (const captured of this.captured) captured.send(batch, index);
  }

  discarded(direction: Direction, reason: DiscardReason, batch: FrameBatch, index: number): void {
    for (const captured of this.captured) captured.discard(direction, reason, batch, index);
  }
}
