import { addressGroup } from '../../../net/address-group.ts';

export interface PlaceBounds {
  readonly maxConnections: number;
  readonly maxPerAddress: number;
  readonly maxPerUser: number;
}

export type PlaceBound = 'full' | 'overAddressShare';

/** One place under the limits; `leave` gives it back, once. */
export interface TunnelPlace {
  /** The limit that the place exceeds, for a client that may resume a port. */
  readonly beyond: PlaceBound | undefined;
  /** of the client, without a port */
  readonly address: string;
  /** The user of the place. */
  readonly owner: string | undefined;
  /**
   * Counts the place for a user, too.
   * @param most the user's own limit, where it is below the limit of all users
   * @param instead a place that will be given back for this one, so it does not count
   * @returns false, without a change, when the user has reached the limit
   */
  claim(user: string, most?: number, instead?: TunnelPlace): boolean;
  /** Idempotent. */
  leave(): void;
}

/** Limits the number of tunnels and handshakes: in all, from one address, of one user. */
export class TunnelPlaces {
  readonly #bounds: PlaceBounds;
  readonly #byAddress = new Tally();
  readonly #byUser = new Tally();
  #taken = 0;

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
      claim: (user, most = this.#bounds.maxPerUser, instead = undefined) => {
        const count = this.#byUser.count(user) - (instead?.owner === user ? 1 : 0);
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
    if (this.#taken >= this.#bounds.maxConnections) return 'full';
    return this.#byAddress.count(group) >= this.#bounds.maxPerAddress ? 'overAddressShare' : undefined;
  }
}

/** Counters by name; a counter of 0 is removed, so that names do not pile up. */
class Tally {
  readonly #counts = new Map<string, number>();

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string): void {
    this.#counts.set(name, this.count(name) + 1);
  }

  remove(name: string): void {
    const left = this.count(name) - 1;
    if (left > 0) this.#counts.set(name, left);
    else this.#counts.delete(name);
  }
}
