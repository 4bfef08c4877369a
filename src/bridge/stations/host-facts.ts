/** The most IP addresses of one station. A further one displaces the one that was seen least recently. */
export const MOST_ADDRESSES = 8;

/** An IP address of a station. */
export interface HostAddress {
  /** Latin-1 text of its 4 or 16 octets */
  readonly address: string;
  /** whether a DHCP server has assigned it */
  readonly isLease: boolean;
  /** when it is forgotten, unless it is seen again */
  readonly untilMs: number;
}

/** What snooping knows about one station, beside its filtering entry. It ends with that. */
export class HostFacts {
  /** As the station gives it to DHCP, or the server assigns it; undefined: neither has been seen. */
  name: string | undefined;
  /** From the most to the least recently seen one; changed in place, since frames of a flood come here. */
  readonly #addresses: { address: string; isLease: boolean; untilMs: number }[] = [];
  #changes = 0;

  /** With those that have expired and were not removed yet. */
  get size(): number {
    return this.#addresses.length;
  }

  /** Those that have not expired, the most recently seen one first. */
  addresses(nowMs: number): HostAddress[] {
    return this.#addresses.filter(({ untilMs }) => nowMs < untilMs);
  }

  /** Another number if the addresses may be others than before: it does not change when one is only seen again. */
  revision(nowMs: number): number {
    let valid = 0;
    for (const { untilMs } of this.#addresses) if (nowMs < untilMs) valid++;
    // No more than 8 are valid, so neither part runs into the other.
    return this.#changes * (MOST_ADDRESSES + 1) + valid;
  }

  /**
   * Notes that the station has an address. ARP does not shorten a lease.
   * @param most the most that it may have then, at least 1; the least recently seen ones are forgotten
   */
  note(address: string, isLease: boolean, untilMs: number, most: number): void {
    const all = this.#addresses;
    let place = 0;
    while (place < all.length && all[place]?.address !== address) place++;
    if (place === all.length) {
      this.#changes++;
      if (all.length < most) all.push({ address, isLease, untilMs });
    }
    // Of a new one that finds no room the place of the oldest one is taken.
    const last = Math.min(place, all.length - 1);
    const seen = all[last] as { address: string; isLease: boolean; untilMs: number };
    if (seen.address === address) {
      seen.untilMs = isLease ? untilMs : Math.max(seen.untilMs, untilMs);
      seen.isLease ||= isLease;
    } else {
      seen.address = address;
      seen.isLease = isLease;
      seen.untilMs = untilMs;
    }
    all.copyWithin(1, 0, last);
    all[0] = seen;
  }

  /** Forgets the leases that have ended. */
  endLeases(isEnded: (address: string) => boolean): void {
    const kept = this.#addresses.filter(({ isLease, address }) => !isLease || !isEnded(address));
    // Fewer are valid, but another one may become valid before the revision is read.
    if (kept.length < this.#addresses.length) this.#changes++;
    this.#addresses.splice(0, this.#addresses.length, ...kept);
  }
}
