import type { Port } from '../port.ts';
import { detailsOf, type PortDetails } from '../port-details.ts';

/** The path cost of 1 Gbit/s and of 10 Gbit/s (IEEE 802.1D-2004, table 17-3). */
const COST_1G = 20_000;
const COST_10G = 2000;
/** The path cost of 100 Mbit/s, for a tunnel that has not measured its round trip yet. */
const COST_UNMEASURED = 200_000;

/** The greatest step: 20 000 × 2¹³ is below the greatest cost, 200 000 000. */
const MAX_STEP = 13;
/** How far a round trip must be beyond the bounds of its step for the cost to change. */
const HYSTERESIS = 1.5;
/** How often a cost changes at most. */
const HOLD_MS = 60_000;
/** The least of so many measurements counts, since queues make a round trip longer, and never shorter. */
const WINDOW = 8;

/** The path cost of a port, by its kind: a device costs as 10 Gbit/s, so that it is better than any tunnel. */
export class PortCost {
  /** Made with its first measurement: a device has none. */
  #tunnel: TunnelCost | undefined;
  #kind: PortDetails['kind'] = 'device';
  #roundTripMs: number | undefined;
  #peer: string | undefined;

  get cost(): number {
    return this.#kind === 'device' ? COST_10G : (this.#tunnel?.cost ?? COST_UNMEASURED);
  }

  /** Looks for a new measurement of a port. @returns whether the cost has changed */
  look(port: Port, nowMs: number): boolean {
    const details = detailsOf(port);
    this.#kind = details?.kind ?? 'device';
    if (details?.kind !== 'tunnel' || details.connection === undefined) return false;
    const { roundTripMs, peer } = details.connection;
    if (peer !== this.#peer) this.#tunnel?.forget();
    this.#peer = peer;
    // Two measurements are never the same, in steps of less than a microsecond.
    if (roundTripMs === undefined || roundTripMs === this.#roundTripMs) return false;
    this.#roundTripMs = roundTripMs;
    this.#tunnel ??= new TunnelCost();
    return this.#tunnel.measured(roundTripMs, nowMs);
  }
}

/**
 * The path cost of a tunnel by its round trip: 20 000 up to 1 ms, and double for each doubling beyond. A tunnel has no
 * rate of its own, but the way with the least delay is the best one for most traffic.
 *
 * The cost is stable: it counts the least of the last measurements, has a hysteresis, and changes once a minute at
 * most, since each change may change the tree.
 */
export class TunnelCost {
  readonly #measurements: number[] = [];
  #step: number | undefined;
  #changedMs = 0;

  get cost(): number {
    return this.#step === undefined ? COST_UNMEASURED : COST_1G * 2 ** this.#step;
  }

  /** @returns whether the cost has changed */
  measured(roundTripMs: number, nowMs: number): boolean {
    if (this.#measurements.push(roundTripMs) > WINDOW) this.#measurements.shift();
    const least = Math.min(...this.#measurements);
    if (this.#step !== undefined) {
      if (nowMs - this.#changedMs < HOLD_MS || isNear(least, this.#step)) return false;
    }
    this.#step = stepOf(least);
    this.#changedMs = nowMs;
    return true;
  }

  /** The tunnel has another connection, whose round trip is unknown. */
  forget(): void {
    this.#measurements.length = 0;
  }
}

function stepOf(roundTripMs: number): number {
  return Math.min(MAX_STEP, Math.max(0, Math.ceil(Math.log2(roundTripMs))));
}

/** Whether a round trip is within the bounds of a step, or a little beyond them. */
function isNear(roundTripMs: number, step: number): boolean {
  const upperMs = 2 ** step;
  const isTooLong = roundTripMs > upperMs * HYSTERESIS && step < MAX_STEP;
  const isTooShort = roundTripMs < upperMs / 2 / HYSTERESIS && step > 0;
  return !isTooLong && !isTooShort;
}
