import { isGroupAddress, type MacAddress } from '../wire/ethernet/mac-address.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';
import type { DiscardReason } from './port.ts';
import { TokenBucket } from './token-bucket.ts';

/** The kinds of frames that a bridge floods: to all stations, to a group of them, and to a station that it does not know. */
export const STORM_KINDS = ['broadcast', 'multicast', 'unicast'] as const;
export type StormKind = (typeof STORM_KINDS)[number];

/** How many frames of each kind a port may bring a second; absent: any number. */
export type StormRates = Readonly<Partial<Record<StormKind, number>>>;

/**
 * The rates of a port that has no others. A loop of tunnels or devices floods at what the processor can do, which is
 * some 100 000 frames a second. A large broadcast domain has some hundred broadcasts a second, and twenty streams of
 * video of 10 Mbit/s have about 20 000 multicast frames of 1400 octets.
 */
export const STORM_DEFAULTS: StormRates = { broadcast: 4000, multicast: 20_000, unicast: 20_000 };

const BROADCAST = 0xffff_ffff_ffff;
/** A storm is over when nothing was refused for this time. */
const CALM_MS = 5000;

const REASONS: Readonly<Record<StormKind, DiscardReason>> = {
  broadcast: 'stormBroadcast',
  multicast: 'stormMulticast',
  unicast: 'stormUnicast',
};

/** A storm at a port has begun, or is over. */
export interface StormReport {
  readonly kind: StormKind;
  readonly phase: 'start' | 'end';
  /** frames a second that pass */
  readonly limit: number;
  /** frames refused: until now, and in all */
  readonly frames: number;
}

/** The token bucket of one kind, and the storm that it holds back. */
interface Gate {
  readonly kind: StormKind;
  readonly limit: number;
  readonly bucket: TokenBucket;
  /** Frames refused since the last look, and since the storm began. */
  refused: number;
  inStorm: number;
  /** When frames were refused last; undefined without a storm. */
  stormMs: number | undefined;
}

/**
 * Storm control of one port (as bridges of all vendors have it; IEEE 802.1Q leaves it to them): limits the frames that
 * the port brings and the bridge floods. Frames to one known port cost nothing here. The burst is one second's frames.
 * Sans-I/O: time is an argument.
 */
export class StormControl {
  readonly rates: StormRates;
  /** Each is made with the first frame of its kind, since most ports bring frames of few kinds. */
  #broadcast: Gate | undefined;
  #multicast: Gate | undefined;
  #unicast: Gate | undefined;
  /** The VLAN of the frame that was refused last. */
  refusedVid: Vid = UNTAGGED;

  private constructor(rates: StormRates) {
    this.rates = rates;
  }

  /** @returns undefined if nothing is limited, so that it costs nothing */
  static of(rates: StormRates): StormControl | undefined {
    return STORM_KINDS.every((kind) => rates[kind] === undefined) ? undefined : new StormControl(rates);
  }

  /**
   * Judges a frame that would be flooded, and takes tokens for it.
   * @param frames the number of finished frames that it makes
   * @returns why it is refused; undefined if it is flooded
   */
  refusalOf(destination: MacAddress, frames: number, nowMs: number): DiscardReason | undefined {
    const gate = this.#gateFor(destination);
    if (gate === undefined) return undefined;
    if (gate.bucket.isOpen(nowMs)) {
      gate.bucket.take(frames);
      return undefined;
    }
    gate.refused += frames;
    return REASONS[gate.kind];
  }

  /** Whether there is a storm. */
  get isStorming(): boolean {
    return [this.#broadcast, this.#multicast, this.#unicast].some((gate) => gate?.stormMs !== undefined);
  }

  /** Storms that have begun or ended since the last call; to be called about once a second. */
  reports(nowMs: number): StormReport[] {
    const gates = [this.#broadcast, this.#multicast, this.#unicast];
    return gates.flatMap((gate) => (gate === undefined ? [] : (reportOf(gate, nowMs) ?? [])));
  }

  #gateFor(destination: MacAddress): Gate | undefined {
    if (!isGroupAddress(destination)) {
      this.#unicast ??= gateOf('unicast', this.rates.unicast);
      return this.#unicast;
    }
    if (destination === BROADCAST) {
      this.#broadcast ??= gateOf('broadcast', this.rates.broadcast);
      return this.#broadcast;
    }
    this.#multicast ??= gateOf('multicast', this.rates.multicast);
    return this.#multicast;
  }
}

function gateOf(kind: StormKind, limit: number | undefined): Gate | undefined {
  if (limit === undefined) return undefined;
  return { kind, limit, bucket: bucketOf(limit), refused: 0, inStorm: 0, stormMs: undefined };
}

/** It is full, whatever the clock says at its first frame. */
function bucketOf(limit: number): TokenBucket {
  return new TokenBucket({ perSecond: limit, burst: limit }, 0);
}

function reportOf(gate: Gate, nowMs: number): StormReport | undefined {
  const { kind, limit, refused, stormMs } = gate;
  if (refused > 0) {
    gate.refused = 0;
    gate.inStorm += refused;
    gate.stormMs = nowMs;
    return stormMs === undefined ? { kind, phase: 'start', limit, frames: gate.inStorm } : undefined;
  }
  if (stormMs === undefined || nowMs - stormMs < CALM_MS) return undefined;
  const frames = gate.inStorm;
  gate.stormMs = undefined;
  gate.inStorm = 0;
  return { kind, phase: 'end', limit, frames };
}
