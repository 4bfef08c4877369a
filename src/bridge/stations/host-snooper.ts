import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { NO_IPV6, readClaimedSource } from '../../wire/ip/claimed-source.ts';
import {
  DHCP_ACK,
  DHCP_DECLINE,
  DHCP_DISCOVER,
  DHCP_RELEASE,
  DHCP_REQUEST,
  type DhcpMessage,
  readDhcpMessage,
} from '../../wire/ip/dhcp-message.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { FilteringDatabase } from '../fdb.ts';
import type { FilteringEntry } from '../filtering-entry.ts';
import { LazyMap } from '../lazy-map.ts';
import { LazySet } from '../lazy-set.ts';
import { HostFacts, MOST_ADDRESSES } from './host-facts.ts';
import type { HostFrame } from './host-frame.ts';

/** An address is forgotten when the station has not claimed it for this time, unless its lease is longer. */
export const CLAIM_MS = 3_600_000;
/** The longest time of a lease that counts. */
const MOST_LEASE_SECONDS = 30 * 86_400;
/** So many frames of a port are read within a second; a flood of further ones costs as little as other frames. */
export const MOST_FRAMES_A_SECOND = 1000;
const LOOPBACK_IPV6 = `${'\0'.repeat(15)}\x01`;

/** A frame that was taken, and whose source the bridge has learned if it does so. */
export interface SnoopedFrame {
  readonly ingress: BridgePort;
  readonly bytes: Uint8Array;
  readonly start: number;
  /** at least HEADER_BYTES */
  readonly length: number;
  readonly vid: Vid;
  readonly source: MacAddress;
}

export interface HostSnooperCounters {
  read: number;
  skipped: number;
}

/**
 * Learns which IP addresses the stations of a bridge have, and what they are called, from what they say anyway: ARP and
 * neighbour discovery, as far as a station speaks of itself, and DHCP. These frames are never in a native flow.
 *
 * What it knows of a station is in the filtering entry of that, so it moves and ages with it, and is bounded with the
 * filtering database: eight addresses a station, and as many in all as the database has entries; beyond that a
 * further one displaces the oldest one of the same station, and each station has one. It is what stations say, not a proof: the source guard proves.
 *
 * A server's answer names another station than its sender. So where a port is trusted to have DHCP servers behind it, as DHCP
 * snooping has it, answers by other ports tell nothing.
 *
 * Sans-I/O: time is an argument.
 */
export class HostSnooper {
  readonly #fdb: FilteringDatabase;
  #addresses = 0;
  /** Frames that were read within the present second, by port. */
  readonly #read = new LazyMap<BridgePort, number>();
  #second = 0;
  /** The ports that are there whose DHCP servers are believed. */
  readonly #trusted = new LazySet<BridgePort>();
  /** Whether only the servers behind trusted ports are believed, also while none of these is there; else those behind all ports are. */
  #isGuarded = false;
  /** Frames that were read, and those that were not since their port had brought too many. */
  readonly counters: HostSnooperCounters = { read: 0, skipped: 0 };

  constructor(fdb: FilteringDatabase) {
    this.#fdb = fdb;
  }

  /** The number of addresses of all stations, with those that have expired and were not removed yet. */
  get addresses(): number {
    return this.#addresses;
  }

  /** @param kind that of `hostFrameOf` */
  hear(kind: HostFrame, frame: SnoopedFrame, nowMs: number): void {
    if (!this.#mayRead(frame.ingress, nowMs)) return;
    if (kind === 'claim') this.#hearClaim(frame, nowMs);
    else this.#hearDhcp(frame, nowMs);
  }

  /**
   * To be called with the settings of a port: whether the DHCP servers behind it are believed. With the first such port all is
   * forgotten; once the setting is taken from the last one, the servers behind all ports are believed again.
   */
  setTrusted(port: BridgePort, isTrusted: boolean): void {
    if (isTrusted) {
      if (!this.#isGuarded) this.clear();
      this.#isGuarded = true;
      this.#trusted.add(port);
    } else if (this.#trusted.delete(port) && this.#trusted.size === 0) this.#isGuarded = false;
  }

  /** To be called when a port is removed. A tunnel may come back as another port, so the last trusted one opens the network to no server. */
  removePort(port: BridgePort): void {
    this.#trusted.delete(port);
  }

  /** To be called when the entry of a station was removed. */
  ended(facts: HostFacts): void {
    this.#addresses -= facts.size;
  }

  /** Forgets everything. */
  clear(): void {
    for (const entry of this.#fdb.entries(Number.NEGATIVE_INFINITY)) entry.host = undefined;
    this.#addresses = 0;
  }

  #mayRead(ingress: BridgePort, nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#read.clear();
    }
    const read = this.#read.get(ingress) ?? 0;
    if (read >= MOST_FRAMES_A_SECOND) {
      this.counters.skipped++;
      return false;
    }
    this.#read.set(ingress, read + 1);
    this.counters.read++;
    return true;
  }

  #hearClaim({ ingress, bytes, start, length, vid, source }: SnoopedFrame, nowMs: number): void {
    const claim = readClaimedSource(bytes, start, length);
    if (claim === undefined || claim === 'unreadable' || (claim.mac !== undefined && claim.mac !== source)) return;
    if (!isHostAddress(claim.address)) return;
    const entry = this.#fdb.find(vid, source);
    // A static entry may be at another port, and a port may learn nothing.
    if (entry?.port !== ingress) return;
    this.#note(entry, claim.address, false, nowMs + CLAIM_MS);
  }

  #hearDhcp({ ingress, bytes, start, length, vid, source }: SnoopedFrame, nowMs: number): void {
    const message = readDhcpMessage(bytes, start, length);
    if (message === undefined) return;
    const { type, client, hostName, isFromServer } = message;
    if (isFromServer) {
      const isBelieved = !this.#isGuarded || this.#trusted.has(ingress);
      if (type === DHCP_ACK && isBelieved) this.#acknowledged(message, vid, nowMs);
      return;
    }
    const entry = client === source ? this.#fdb.find(vid, client) : undefined;
    if (entry?.port !== ingress) return;
    if (type === DHCP_RELEASE || type === DHCP_DECLINE) this.#endLeases(entry.host, () => true);
    else if ((type === DHCP_DISCOVER || type === DHCP_REQUEST) && hostName !== undefined)
      factsOf(entry).name = hostName;
  }

  /** An answer to a client in the same VLAN; a client behind a relay agent is no station here. */
  #acknowledged({ client, assigned, hostName, leaseSeconds }: DhcpMessage, vid: Vid, nowMs: number): void {
    const entry = this.#fdb.find(vid, client);
    if (entry === undefined) return;
    if (hostName !== undefined) factsOf(entry).name = hostName;
    const address = textOf(assigned);
    if (!isHostAddress(address)) return;
    this.#endLeases(entry.host, (other) => other !== address);
    const seconds = Math.min(leaseSeconds ?? MOST_LEASE_SECONDS, MOST_LEASE_SECONDS);
    this.#note(entry, address, true, nowMs + Math.max(seconds * 1000, CLAIM_MS));
  }

  #endLeases(facts: HostFacts | undefined, isEnded: (address: string) => boolean): void {
    if (facts === undefined) return;
    const before = facts.size;
    facts.endLeases(isEnded);
    this.#addresses += facts.size - before;
  }

  #note(entry: FilteringEntry, address: string, isLease: boolean, untilMs: number): void {
    const facts = factsOf(entry);
    const before = facts.size;
    const isRoom = before < MOST_ADDRESSES && this.#addresses < this.#fdb.capacity;
    facts.note(address, isLease, untilMs, isRoom ? before + 1 : Math.max(1, before));
    this.#addresses += facts.size - before;
  }
}

function factsOf(entry: FilteringEntry): HostFacts {
  entry.host ??= new HostFacts();
  return entry.host;
}

/** Whether a station can have an address, given as its octets: not `0.0.0.0/8`, loopback, multicast or reserved. */
function isHostAddress(address: string): boolean {
  const first = address.charCodeAt(0);
  if (address.length === 4) return first > 0 && first < 224 && first !== 127;
  return first !== 0xff && address !== NO_IPV6 && address !== LOOPBACK_IPV6;
}

/** The four octets of a number, as Latin-1 text. */
function textOf(address: number): string {
  return String.fromCharCode(address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255);
}
