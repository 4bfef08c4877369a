import { addressGroup } from '../../auth/address-group.ts';

export interface PlaceBounds {
  readonly maxConnections: number;
  readonly maxPerAddress: number;
  readonly maxPerUser: number;
}

/** One of the places: given back once, with `leave`. */
export interface TunnelPlace {
  /**
   * Counts the place for a user, too.
   * @param most how many he may have, where that is less than everybody may
   * @returns false, and nothing has changed, when he has his share already
   */
  claim(user: string, most?: number): boolean;
  /** Idempotent. */
  leave(): void;
}

/** How many tunnels and handshakes there may be: in all, from one address, of one user. */
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

  /** @returns a place, or which bound stands in the way */
  enter(address: string): TunnelPlace | 'full' | 'overAddressShare' {
    if (this.#taken >= this.#bounds.maxConnections) return 'full';
    const group = addressGroup(address);
    if (this.#byAddress.count(group) >= this.#bounds.maxPerAddress) return 'overAddressShare';
    this.#taken++;
    this.#byAddress.add(group);
    let owner: string | undefined;
    let hasLeft = false;
    return {
      claim: (user, most = this.#bounds.maxPerUser) => {
        if (this.#byUser.count(user) >= Math.min(most, this.#bounds.maxPerUser)) return false;
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
}

/** Counts by name; a name that counts nothing is not kept. */
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
