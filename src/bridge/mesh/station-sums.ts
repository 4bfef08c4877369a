import type { StationDigest, StationName } from '../../wire/mesh/station-records.ts';

/** What a digest has of a station. */
export type SummedStation = StationName & { readonly sequence: number; readonly isIsolated: boolean };

/**
 * The digest of a changing set of stations: their number, and two sums of hashes of their names, sequence numbers and isolation.
 * Sums are the same in whatever order stations come and go. It finds losses, not forgeries: the nodes of a cluster trust each
 * other.
 */
export class StationSums {
  count = 0;
  #one = 0;
  #other = 0;

  add(station: SummedStation): void {
    this.count++;
    const hash = hashOf(station);
    this.#one = (this.#one + hash) >>> 0;
    this.#other = (this.#other + mixed(hash ^ 0x9e37_79b9)) >>> 0;
  }

  /** @param station as it was added */
  remove(station: SummedStation): void {
    this.count--;
    const hash = hashOf(station);
    this.#one = (this.#one - hash) >>> 0;
    this.#other = (this.#other - mixed(hash ^ 0x9e37_79b9)) >>> 0;
  }

  get digest(): StationDigest {
    return { count: this.count, sums: [this.#one, this.#other] };
  }

  equals({ count, sums }: StationDigest): boolean {
    return count === this.count && sums[0] === this.#one && sums[1] === this.#other;
  }
}

function hashOf({ vid, mac, sequence, isIsolated }: SummedStation): number {
  // The sixteen high bits of the address, the twelve of the VID, and one that is free.
  const high = (Math.floor(mac / 0x1_0000_0000) << 12) | vid | (isIsolated ? 0x8000_0000 : 0);
  return mixed(mixed(mixed(high) ^ ((mac % 0x1_0000_0000) | 0)) ^ (sequence | 0));
}

/** The finalizer of MurmurHash3 (Appleby): each bit changes each other one about as often as not. */
function mixed(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
