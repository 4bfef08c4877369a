import type { Vid } from '../../wire/ethernet/vid.ts';
import { IpWords } from '../../wire/multicast/ip-words.ts';
import type { BridgePort } from '../bridge-port.ts';
import { hashOfWords, mix, randomFactors } from './hash-words.ts';
import type { Membership } from './membership.ts';
import type { SourceTable } from './source-table.ts';
import type { PortList } from './timed-ports.ts';

/** A group in a VLAN that has members. */
export class Group implements PortList {
  readonly vid: Vid;
  readonly address: IpWords = new IpWords();
  readonly members = new Map<BridgePort, Membership>();
  /** The sources that memberships list; undefined: none. */
  sources: SourceTable | undefined;
  /** The ports that send its frames of sources that no membership lists: members for all sources, and router ports. */
  targets: readonly BridgePort[] = [];
  targetsUntilMs: number = Number.NEGATIVE_INFINITY;
  targetsVersion = 0;
  /** Changes with the memberships, and with their group timers. */
  version = 0;
  /** Kept by `GroupTable`: the next one of the same bucket. */
  next: Group | undefined;

  constructor(vid: Vid, address: IpWords) {
    this.vid = vid;
    this.address.copy(address);
  }
}

const MIN_BITS = 4;

/**
 * A hash table (VID, group address) → group, chained through the groups: a look-up allocates nothing. The hash is
 * multiply-shift with random factors, as that of `StationTable`, so that invented groups do not share a bucket more often
 * than random ones.
 */
export class GroupTable {
  #bits = MIN_BITS;
  #buckets: (Group | undefined)[] = emptyBuckets(MIN_BITS);
  #size = 0;
  readonly #factors: Int32Array;

  /** @param factors other ones for tests */
  constructor(factors: Int32Array = randomFactors(5)) {
    this.#factors = factors;
  }

  get size(): number {
    return this.#size;
  }

  find(vid: Vid, address: IpWords): Group | undefined {
    let group = this.#buckets[this.#bucketOf(vid, address)];
    while (group !== undefined && (group.vid !== vid || !group.address.equals(address))) group = group.next;
    return group;
  }

  /** @param group is not in the table, and none with its VID and address is */
  add(group: Group): void {
    this.#size++;
    if (this.#size > this.#buckets.length) this.#resize(this.#bits + 1);
    this.#put(group);
  }

  /** @param group is in the table */
  remove(group: Group): void {
    const bucket = this.#bucketOf(group.vid, group.address);
    let before = this.#buckets[bucket];
    if (before === group) this.#buckets[bucket] = group.next;
    else {
      while (before !== undefined && before.next !== group) before = before.next;
      if (before !== undefined) before.next = group.next;
    }
    this.#size--;
    if (this.#bits > MIN_BITS && this.#size < this.#buckets.length >> 3) this.#resize(this.#bits - 1);
  }

  /** In any order. The table must not change meanwhile. */
  *groups(): IterableIterator<Group> {
    for (const first of this.#buckets) {
      for (let group = first; group !== undefined; group = group.next) yield group;
    }
  }

  #bucketOf(vid: Vid, address: IpWords): number {
    const factors = this.#factors;
    const hash = mix(hashOfWords(address, factors), (vid << 4) | address.family, factors[4] as number);
    return hash >>> (32 - this.#bits);
  }

  #put(group: Group): void {
    const bucket = this.#bucketOf(group.vid, group.address);
    group.next = this.#buckets[bucket];
    this.#buckets[bucket] = group;
  }

  #resize(bits: number): void {
    const before = [...this.groups()];
    this.#bits = bits;
    this.#buckets = emptyBuckets(bits);
    for (const group of before) this.#put(group);
  }
}

function emptyBuckets(bits: number): (Group | undefined)[] {
  return new Array(1 << bits).fill(undefined);
}
