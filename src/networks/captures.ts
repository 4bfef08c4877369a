import type { BridgePort } from '../bridge/bridge-port.ts';
import type { Direction, DiscardReason } from '../bridge/port.ts';
import type { PortTap } from '../bridge/port-tap.ts';
import { Capture, type CaptureOptions, type CaptureSink } from '../capture/capture.ts';
import type { CapturedPort } from '../capture/captured-port.ts';
import { EtherwsError } from '../errors.ts';
import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';

/** Limit of captures: each may hold some MiB for a slow reader, and costs time for each frame. */
const MOST_CAPTURES = 8;
/** The part of them that one user may have, so that others can look as well. */
const MOST_OF_ONE_USER = 4;

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
  /** with the user that has started each; null: a local caller without credentials */
  readonly #running = new Map<Capture, string | null>();

  constructor(host: TapHost) {
    this.#host = host;
  }

  /**
   * @param ports in the order of `options.ports`
   * @param user the user that the capture counts for; null: a local caller, which only the limit of all bounds
   * @throws EtherwsError REQUEST_REFUSED
   */
  start(
    ports: readonly BridgePort[],
    options: CaptureOptions,
    sink: CaptureSink,
    user: string | null = null,
  ): RunningCapture {
    this.#checkRoom(user);
    const capture = new Capture(options, sink);
    this.#running.set(capture, user);
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

  #checkRoom(user: string | null): void {
    if (this.#running.size >= MOST_CAPTURES) {
      throw new EtherwsError('REQUEST_REFUSED', `${MOST_CAPTURES} captures run already`, { hint: 'End one of them' });
    }
    if (user === null) return;
    let own = 0;
    for (const one of this.#running.values()) own += Number(one === user);
    if (own < MOST_OF_ONE_USER) return;
    throw new EtherwsError(
      'REQUEST_REFUSED',
      `User ${user} runs ${own} captures, and one user may run ${MOST_OF_ONE_USER} of the ${MOST_CAPTURES}`,
      { hint: 'End one of them' },
    );
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
