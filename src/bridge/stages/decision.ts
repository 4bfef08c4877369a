import { isGroupAddress, type MacAddress } from '../../wire/ethernet/mac-address.ts';
import { type ReservedSet, reservedDigitOf } from '../../wire/ethernet/reserved-address.ts';
import type { FilteringDatabase } from '../fdb.ts';
import { MAY_PASS, MUST_COME } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, Stage } from './stage.ts';

/** Refuses frames to reserved group addresses (IEEE 802.1Q-2022, 8.6.3 and table 8-1). */
export class ReservedAddresses implements Stage {
  readonly #configured: ReservedSet;
  #relayed: ReservedSet;

  /** @param relayed the reserved addresses that are relayed nevertheless */
  constructor(relayed: ReservedSet) {
    this.#configured = relayed;
    this.#relayed = relayed;
  }

  /** @param addresses those that the bridge's protocol entities read, and that are never relayed */
  reserve(addresses: ReservedSet): void {
    this.#relayed = this.#configured & ~addresses;
  }

  apply(pass: Pass): Answer {
    return isGroupAddress(pass.destination) ? this.#judge(pass.destination) : MAY_PASS;
  }

  #judge(destination: MacAddress): Answer {
    const digit = reservedDigitOf(destination);
    if (digit < 0) return MAY_PASS;
    return ((this.#relayed >>> digit) & 1) === 1 ? MUST_COME : 'reserved';
  }
}

/** Finds the port at which the destination was learned (IEEE 802.1Q-2022, 8.8); none for a frame to be flooded. */
export class Decision implements Stage {
  readonly #fdb: FilteringDatabase;

  constructor(fdb: FilteringDatabase) {
    this.#fdb = fdb;
  }

  apply(pass: Pass): Answer {
    if (isGroupAddress(pass.destination)) return MUST_COME;
    const egress = this.#fdb.lookup(pass.vid, pass.destination, pass.nowMs);
    pass.egress = egress;
    return egress === undefined ? MUST_COME : MAY_PASS;
  }
}

/** Refuses to send a frame by the port that received it (IEEE 802.1Q-2022, 8.6.1). */
export class NoWayBack implements Stage {
  apply(pass: Pass): Answer {
    return pass.egress === pass.ingress ? 'filtered' : MAY_PASS;
  }
}
