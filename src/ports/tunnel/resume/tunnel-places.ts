import { addressGroup } from '../../../net/address-group.ts';

export interface PlaceBounds {
  readonly maxConnections: number;
  readonly maxPerAddress: number;
  readonly maxPerUser: number;
}

export type PlaceBound = 'full' | 'overAddressShare';

/** What a limit counts: all places, those of an address group, those of a user. */
export type PlaceKind = 'all' | 'address' | 'user';

/** Places by what the limits count. */
export interface PlaceCounts {
  readonly all: number;
  readonly address: readonly (readonly [group: string, count: number])[];
  readonly user: readonly (readonly [name: string, count: number])[];
}

export interface UserClaim {
  /** the user's own limit, where it is below the limit of all users */
  readonly most?: number | undefined;
  /** how many tunnels the user has at other nodes; they count. Default 0 */
  readonly elsewhere?: number | undefined;
  /** a place that will be given back for this one, so it does not count */
  readonly instead?: TunnelPlace | undefined;
}

/** One place under the limits; `leave` gives it back, once. */
export interface TunnelPlace {
  /** The limit that the place exceeds, for a client that may resume a port. */
  readonly beyond: PlaceBound | undefined;
  /** of the client, without a port */
  readonly address: string;
  /** The user of the place. */
  readonly owner: string | undefined;
  /** Counts the place for a user, too. @returns false, without a change, when the user has reached the limit */
  claim(user: string, claim?: UserClaim): boolean;
  /** Idempotent. */
  leave(): void;
}

/** Limits the number of tunnels and handshakes: in all, from one address, of one user. */
export class TunnelPlaces {
  readonly #bounds: PlaceBounds;
  readonly #byAddress = new Tally();
  readonly #byUser = new Tally();
  #taken = 0;
  /**
   * The places that other processes or nodes have, which count towards the limits, too. Default: there are none.
   * @param key the address group or the user; '' for all
   */
  elsewhere: (kind: PlaceKind, key: string) => number = () => 0;

  constructor(bounds: PlaceBounds) {
    this.#bounds = bounds;
  }

  get taken(): number {
    return this.#taken;
  }

  /** How many places a user has. */
  takenBy(user: string): number {
    return this.#byUser.count(user);
  }

  /** The counts that have changed since the last call, with all of them at the first one; 0: there are none any more. */
  takeChanges(): PlaceCounts {
    return { all: this.#taken, address: this.#byAddress.takeChanges(), user: this.#byUser.takeChanges() };
  }

  /**
   * @param isReturning the client may resume a port, whose place is given back then, so no limit refuses it here
   * @returns a place, or the limit that refuses it
   */
  enter(address: string, isReturning: boolean = false): TunnelPlace | PlaceBound {
    const group = addressGroup(address);
    const beyond = this.#boundOf(group);
    if (beyond !== undefined && !isReturning) return beyond;
    this.#taken++;
    this.#byAddress.add(group);
    let owner: string | undefined;
    let hasLeft = false;
    return {
      beyond,
      address,
      get owner() {
        return owner;
      },
      claim: (user, { most = this.#bounds.maxPerUser, elsewhere = 0, instead } = {}) => {
        // Other processes of this node may be nodes of the cluster, too, so the two are not added.
        const others = Math.max(elsewhere, this.elsewhere('user', user));
        const count = this.#byUser.count(user) + others - (instead?.owner === user ? 1 : 0);
        if (count >= Math.min(most, this.#bounds.maxPerUser)) return false;
        this.#byUser.add(user);
        owner = user;
        return true;
      },
      leave: () => {
        if (hasLeft) return;
        hasLeft = true;
        this.#taken--;
        this.#byAddress.remove(group);
        if (owner !== undefined) this.#byUser.remove(owner);
      },
    };
  }

  #boundOf(group: string): PlaceBound | undefined {
    if (this.#taken + this.elsewhere('all', '') >= this.#bounds.maxConnections) return 'full';
    const ofAddress = this.#byAddress.count(group) + this.elsewhere('address', group);
    return ofAddress >= this.#bounds.maxPerAddress ? 'overAddressShare' : undefined;
  }
}

/** Counters by name; a counter of 0 is removed, so that names do not pile up. */
class Tally {
  readonly #counts = new Map<string, number>();
  /** the names whose counts have changed; undefined until the first call of `takeChanges` */
  #changed: Set<string> | undefined;

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string): void {
    this.#counts.set(name, this.count(name) + 1);
    this.#changed?.add(name);
  }

  remove(name: string): void {
    this.#changed?.add(name);
    const left = this.count(name) - 1;
    if (left > 0) this.#counts.set(name, left);
    else this.#counts.delete(name);
  }

  takeChanges(): [name: string, count: number][] {
    const changed = this.#changed ?? this.#counts.keys();
    const counts = [...changed].map((name): [string, number] => [name, this.count(name)]);
    this.#changed = new Set();
    return counts;
  }
}
