import { isGroupAddress, type MacAddress } from '../../wire/ethernet/mac-address.ts';
import { type ReservedSet, reservedDigitOf } from '../../wire/ethernet/reserved-address.ts';
import type { FilteringDatabase } from '../fdb.ts';
import { MAY_PASS, MUST_COME } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, Stage } from './stage.ts';

/** Relays no reserved group address (IEEE 802.1Q-2022, 8.6.3 and table 8-1), but those that are named. */
export class ReservedAddresses implements Stage {
  readonly #relayed: ReservedSet;

  /** @param relayed those that are relayed all the same */
  constructor(relayed: ReservedSet) {
    this.#relayed = relayed;
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

/** Finds the one port that the destination is behind (IEEE 802.1Q-2022, 8.8); leaves none for what is flooded. */
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

/** Sends no frame back to the port that it came by (IEEE 802.1Q-2022, 8.6.1). */
export class NoWayBack implements Stage {
  apply(pass: Pass): Answer {
    return pass.egress === pass.ingress ? 'filtered' : MAY_PASS;
  }
}
