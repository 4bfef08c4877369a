import { IpWords } from '../../wire/multicast/ip-words.ts';
import type { BridgePort } from '../bridge-port.ts';
import { hashOfWords, randomFactors } from './hash-words.ts';
import type { ListedSource } from './membership.ts';
import type { PortList } from './timed-ports.ts';

/** Random, so that invented sources do not share a hash more often than random ones. */
const FACTORS = randomFactors(4);

/** A source that at least one membership of a group lists: (S, G). */
export class GroupSource implements PortList {
  readonly address: IpWords;
  /** The first list that has it; the others follow by `next`. */
  lists: ListedSource | undefined;
  /** The ports that send its frames: those that want them, and router ports. */
  targets: readonly BridgePort[] = [];
  targetsUntilMs: number = Number.NEGATIVE_INFINITY;
  targetsVersion = 0;
  /** The version of the group of which `targets` are. */
  groupVersion = -1;
  /** Kept by `SourceTable`: the next one with the same hash. */
  nextInTable: GroupSource | undefined;

  constructor(address: IpWords) {
    this.address = new IpWords().copy(address);
  }
}

/** The sources of a group that are in lists of memberships, by address: a look-up for a frame allocates nothing. */
export class SourceTable {
  readonly #byHash = new Map<number, GroupSource>();
  readonly #factors: Int32Array;
  #size = 0;

  /** @param factors other ones for tests */
  constructor(factors: Int32Array = FACTORS) {
    this.#factors = factors;
  }

  get size(): number {
    return this.#size;
  }

  find(address: IpWords): GroupSource | undefined {
    let source = this.#byHash.get(hashOfWords(address, this.#factors));
    while (source !== undefined && !source.address.equals(address)) source = source.nextInTable;
    return source;
  }

  /** @returns the source, which is in the table from now on */
  take(address: IpWords): GroupSource {
    const known = this.find(address);
    if (known !== undefined) return known;
    const source = new GroupSource(address);
    const hash = hashOfWords(address, this.#factors);
    source.nextInTable = this.#byHash.get(hash);
    this.#byHash.set(hash, source);
    this.#size++;
    return source;
  }

  /** @param source is in the table */
  remove(source: GroupSource): void {
    const hash = hashOfWords(source.address, this.#factors);
    let before = this.#byHash.get(hash);
    if (before === source) {
      if (source.nextInTable === undefined) this.#byHash.delete(hash);
      else this.#byHash.set(hash, source.nextInTable);
    } else {
      while (before !== undefined && before.nextInTable !== source) before = before.nextInTable;
      if (before !== undefined) before.nextInTable = source.nextInTable;
    }
    this.#size--;
  }
}

/** Puts a list in front of the others of its source. */
export function link(listed: ListedSource): void {
  listed.next = listed.source.lists;
  listed.source.lists = listed;
}

/** @param listed is one of the lists of its source */
export function unlink(listed: ListedSource): void {
  const { source } = listed;
  if (source.lists === listed) source.lists = listed.next;
  else {
    let before = source.lists;
    while (before !== undefined && before.next !== listed) before = before.next;
    if (before !== undefined) before.next = listed.next;
  }
}
