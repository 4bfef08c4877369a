import { formatIpv4, formatIpv6 } from '../ethernet/ip-address.ts';
import type { MacAddress } from '../ethernet/mac-address.ts';

export type IpFamily = 4 | 6;

/** The high half of 224.0.0.0/24, whose groups are never pruned (RFC 4541, 2.1.2, rule 2). */
const LOCAL_IPV4 = 0xe00000;
const IPV4_GROUP_MAC = 0x0100_5e00_0000;
const IPV6_GROUP_MAC = 0x3333_0000_0000;

/**
 * An IP address as four words of 32 bits in network order; an IPv4 address is the last one, and the others are 0.
 * The words are signed, since V8 keeps those without an object for each. One object is used again for many frames.
 */
export class IpWords {
  family: IpFamily = 4;
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;

  /** Takes the four octets at `at`. The caller has checked the length. */
  readIpv4(bytes: Uint8Array, at: number): void {
    this.family = 4;
    this.w0 = 0;
    this.w1 = 0;
    this.w2 = 0;
    this.w3 = wordAt(bytes, at);
  }

  /** Takes the sixteen octets at `at`. The caller has checked the length. */
  readIpv6(bytes: Uint8Array, at: number): void {
    this.family = 6;
    this.w0 = wordAt(bytes, at);
    this.w1 = wordAt(bytes, at + 4);
    this.w2 = wordAt(bytes, at + 8);
    this.w3 = wordAt(bytes, at + 12);
  }

  /** The unspecified address, 0.0.0.0 or `::`. */
  clear(family: IpFamily): void {
    this.family = family;
    this.w0 = 0;
    this.w1 = 0;
    this.w2 = 0;
    this.w3 = 0;
  }

  copy(other: IpWords): this {
    this.family = other.family;
    this.w0 = other.w0;
    this.w1 = other.w1;
    this.w2 = other.w2;
    this.w3 = other.w3;
    return this;
  }

  equals(other: IpWords): boolean {
    return (
      this.w3 === other.w3 &&
      this.w2 === other.w2 &&
      this.w1 === other.w1 &&
      this.w0 === other.w0 &&
      this.family === other.family
    );
  }

  /** Below 0 if this address is the lower one, 0 if both are equal. Both are of one family. */
  compare(other: IpWords): number {
    return order(this.w0, other.w0) || order(this.w1, other.w1) || order(this.w2, other.w2) || order(this.w3, other.w3);
  }

  get isUnspecified(): boolean {
    return (this.w0 | this.w1 | this.w2 | this.w3) === 0;
  }

  /** Whether it is the address of a group: 224.0.0.0/4 (RFC 1112, 4), or ff00::/8 (RFC 4291, 2.7). */
  get isGroup(): boolean {
    return this.family === 4 ? this.w3 >>> 28 === 14 : this.w0 >>> 24 === 0xff;
  }

  /** Whether it is a link-local unicast address of IPv6, fe80::/10 (RFC 4291, 2.5.6). */
  get isLinkLocal(): boolean {
    return this.family === 6 && this.w0 >>> 22 === 0xfe80 >>> 6;
  }

  /**
   * Whether a switch floods the group whatever it knows: 224.0.0.0/24 (RFC 4541, 2.1.2, rule 2), since hosts do not
   * report all of these, and ff02::1 (RFC 4541, 3), which no host reports (RFC 3810, 6).
   */
  get isAlwaysFlooded(): boolean {
    return this.family === 4 ? this.w3 >>> 8 === LOCAL_IPV4 : this.isLinkScope(1);
  }

  /** Whether it is ff02::`last`, for a `last` of 16 bits. */
  isLinkScope(last: number): boolean {
    return this.family === 6 && this.w3 === last && this.w0 >>> 0 === 0xff020000 && (this.w1 | this.w2) === 0;
  }

  /** Whether it is 224.0.0.`last`. */
  isLocalIpv4(last: number): boolean {
    return this.family === 4 && this.w3 >>> 0 === LOCAL_IPV4 * 256 + last;
  }

  /** The group's address in Ethernet (RFC 1112, 6.4; RFC 2464, 7). */
  get groupMac(): MacAddress {
    const mac = this.family === 4 ? IPV4_GROUP_MAC + (this.w3 & 0x7fffff) : IPV6_GROUP_MAC + (this.w3 >>> 0);
    return mac as MacAddress;
  }

  toString(): string {
    if (this.family === 4) return formatIpv4(this.w3);
    return formatIpv6([this.w0, this.w1, this.w2, this.w3].flatMap((word) => [word >>> 16, word & 0xffff]));
  }

  /** Writes the address at `at`: 4 or 16 octets. */
  write(bytes: Uint8Array, at: number): void {
    if (this.family === 4) writeWordAt(bytes, at, this.w3);
    else {
      writeWordAt(bytes, at, this.w0);
      writeWordAt(bytes, at + 4, this.w1);
      writeWordAt(bytes, at + 8, this.w2);
      writeWordAt(bytes, at + 12, this.w3);
    }
  }
}

/** The link-local address with the interface identifier of a MAC address (RFC 4291, appendix A). */
export function linkLocalOf(mac: MacAddress): IpWords {
  const high = Math.floor(mac / 0x100_0000);
  const words = new IpWords();
  words.family = 6;
  words.w0 = 0xfe80_0000 | 0;
  words.w2 = ((high ^ 0x02_0000) << 8) | 0xff | 0;
  words.w3 = 0xfe00_0000 | (mac % 0x100_0000) | 0;
  return words;
}

function order(one: number, other: number): number {
  return (one >>> 0) - (other >>> 0);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

function writeWordAt(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
