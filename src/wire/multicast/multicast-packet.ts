import { word } from '../ethernet/transport-header.ts';
import { IpWords } from './ip-words.ts';

const NO_BYTES = new Uint8Array(0);

/**
 * What a frame to a group address is for a snooping switch.
 * - `foreign`: no IP packet to a group, or an IGMP message of an unknown type, which is flooded (RFC 4541, 2.1.1, rule 3).
 * - `data`: an IP packet to the group `destination`.
 * - `malformed`: an IGMP or MLD message with wrong checksums or lengths, which must not be used, and is not
 *   flooded (RFC 4541, 2.1.1, rule 4).
 * - `query`; `report` of IGMPv1, IGMPv2 or MLDv1; `records`, a report of IGMPv3 or MLDv2; `leave` (IGMP), `done` (MLDv1).
 * - `router`: a PIM hello, or an advertisement of multicast router discovery (RFC 4286); `routerGone`: its termination.
 */
export type MulticastKind =
  | 'foreign'
  | 'data'
  | 'malformed'
  | 'query'
  | 'report'
  | 'records'
  | 'leave'
  | 'router'
  | 'routerGone';

/** The types of group records (RFC 3376, 4.2.12; RFC 3810, 5.2.12). */
export const MODE_IS_INCLUDE = 1;
export const MODE_IS_EXCLUDE = 2;
export const CHANGE_TO_INCLUDE = 3;
export const CHANGE_TO_EXCLUDE = 4;
export const ALLOW_NEW_SOURCES = 5;
export const BLOCK_OLD_SOURCES = 6;

/**
 * A frame to a group address, as a snooping switch reads it (`readMulticast`). The object is used again for the next
 * frame, and refers to the frame's octets: what it says is valid until then.
 */
export class MulticastPacket {
  kind: MulticastKind = 'foreign';
  /** Of the IP packet; not for `foreign`. */
  readonly source: IpWords = new IpWords();
  readonly destination: IpWords = new IpWords();
  /** The group of a query, a report or a leave; unspecified in a general query. After `nextRecord`: that of the record. */
  readonly group: IpWords = new IpWords();
  /** 1 to 3 for IGMP, 1 or 2 for MLD. */
  version = 0;
  /** Of a query: the time within which hosts answer, in ms. */
  maxResponseMs = 0;
  /** Of a query or a record: how many sources it lists. */
  sources = 0;
  /** Where the first of them is in `bytes`; for the codecs. */
  sourcesAt = 0;
  /** Of a query of IGMPv3 or MLDv2: the flag S, "suppress router-side processing" (RFC 3376, 4.1.5). */
  isSuppressing = false;
  /** The type of the record after `nextRecord`; unknown types are 0 or above 6. */
  recordType = 0;

  /** Where the message is in `bytes`, and where the IPv6 addresses are; for the codecs. */
  bytes: Uint8Array = NO_BYTES;
  at = 0;
  end = 0;
  addressesAt = 0;
  #recordsLeft = 0;
  #recordAt = 0;

  /**
   * Reads the next group record of `records` into `recordType`, `group` and `sources`. The lengths were checked.
   * @returns false behind the last one
   */
  nextRecord(): boolean {
    if (this.#recordsLeft === 0) return false;
    this.#recordsLeft--;
    const { bytes } = this;
    const at = this.#recordAt;
    this.recordType = bytes[at] as number;
    this.sources = word(bytes, at + 2);
    if (this.source.family === 4) this.group.readIpv4(bytes, at + 4);
    else this.group.readIpv6(bytes, at + 4);
    this.sourcesAt = at + 4 + addressBytesOf(this);
    this.#recordAt += recordBytes(bytes, at, addressBytesOf(this));
    return true;
  }

  /** Reads a source of a query or a record into `address`. @param index below `sources`; the lengths were checked */
  readSource(index: number, address: IpWords): void {
    const at = this.sourcesAt + index * addressBytesOf(this);
    if (this.source.family === 4) address.readIpv4(this.bytes, at);
    else address.readIpv6(this.bytes, at);
  }

  /** Forgets the records of the message before. */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#recordsLeft = 0;
  }

  /**
   * Whether the group records from `at` on fit into the message. To be called by the codecs.
   * @param count of records that the message announces
   */
  hasRecords(at: number, count: number): boolean {
    const { bytes, end } = this;
    const addressBytes = addressBytesOf(this);
    let next = at;
    for (let record = 0; record < count; record++) {
      if (next + 4 + addressBytes > end) return false;
      next += recordBytes(bytes, next, addressBytes);
      if (next > end) return false;
    }
    this.#recordAt = at;
    this.#recordsLeft = count;
    return true;
  }
}

function addressBytesOf({ source }: MulticastPacket): number {
  return source.family === 4 ? 4 : 16;
}

/** The length of a group record: type, length of auxiliary data in units of 4 octets, count of sources, group, sources. */
function recordBytes(bytes: Uint8Array, at: number, addressBytes: number): number {
  return 4 + addressBytes * (1 + word(bytes, at + 2)) + 4 * (bytes[at + 1] as number);
}
