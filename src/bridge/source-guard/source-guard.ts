import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { type ClaimedSource, NO_IPV4, NO_IPV6, readClaimedSource } from '../../wire/ip/claimed-source.ts';
import { DHCP_ACK, DHCP_DECLINE, DHCP_RELEASE, readDhcpMessage } from '../../wire/ip/dhcp-message.ts';
import { DHCPV6_DECLINE, DHCPV6_RELEASE, DHCPV6_REPLY, readDhcpv6Message } from '../../wire/ip/dhcpv6-message.ts';
import type { LeaseAnswer } from '../../wire/mesh/lease-message.ts';
import type { PortNumber } from '../bridge-port.ts';
import { LazyMap } from '../lazy-map.ts';
import type { DiscardReason } from '../port.ts';
import { type Binding, type BindingKind, Bindings } from './bindings.ts';

/** For how long a client's message is remembered until the server has answered. */
const TRANSACTION_MS = 60_000;
/** The most unanswered clients of a port. */
const MOST_TRANSACTIONS = 256;
/** The most transactions of clients elsewhere; beyond it the one that was heard longest ago is forgotten. */
const MOST_OVERHEARD = 4096;
/** An IPv6 address that a station took is its own until it was not used for this time. */
const FIRST_MS = 3_600_000;
const RENEWED_EACH_MS = 60_000;

/** A frame as the guard reads it. `vid` and `source` are those of its header. */
export interface GuardedFrame {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** at least HEADER_BYTES */
  readonly length: number;
  readonly vid: Vid;
  readonly source: MacAddress;
}

/** A binding that the operator has set: absent fields are any. */
export interface StaticBinding {
  readonly address: string;
  readonly mac?: MacAddress | undefined;
  readonly vid?: Vid | undefined;
}

/** The station of a lease. */
interface LeaseOwner {
  readonly mac: MacAddress;
  readonly vid: Vid;
}

/** The seconds of a lease that does not end. */
const ENDLESS = 0xffff_ffff;

const REASONS = { ipv4: 'ipSourceDenied', ipv6: 'ipSourceDenied', arp: 'arpDenied', nd: 'ndDenied' } as const;

/**
 * DHCP snooping, and the checks of IP source addresses, ARP and neighbour discovery by its bindings, of one bridge.
 *
 * - IPv4: a station may use an address that a DHCP server behind a trusted port has given it (DHCPACK, RFC 2131, 4.3.1),
 *   until its lease ends, or that the operator has set.
 * - IPv6: an address belongs to the station that uses it first in its VLAN (FCFS SAVI, RFC 6620), until it has not been
 *   used for an hour; the former owner is not asked. So no port can take an address that is in use. One that a DHCPv6
 *   server behind a trusted port has leased (RFC 8415) belongs to its client until the lease ends, used or not.
 *
 * Sans-I/O: time is an argument.
 */
export class SourceGuard {
  readonly bindings: Bindings = new Bindings();
  /** Called with the answers of servers behind trusted ports of this bridge. */
  onAnswer: (answer: LeaseAnswer) => void = () => undefined;
  /** When a client at a port began the transaction, by `FAMILY/XID/MAC/VID`. */
  readonly #transactions = new LazyMap<PortNumber, Map<string, number>>();
  /** When a message of a client elsewhere was last flooded to a guarded port, by the same key, from the oldest one on. */
  readonly #overheard = new LazyMap<string, number>();

  /** Sets the bindings of the operator at a port, instead of the former ones. */
  setStatic(port: PortNumber, bindings: readonly StaticBinding[]): void {
    this.bindings.removePort(port, 'static');
    for (const { address, mac, vid } of bindings) {
      this.bindings.add({ port, kind: 'static', address, mac, vid, untilMs: Number.POSITIVE_INFINITY });
    }
  }

  /** Forgets what was seen at a port. */
  forget(port: PortNumber): void {
    this.bindings.removePort(port);
    this.#transactions.delete(port);
  }

  /** Removes what has ended. */
  age(nowMs: number): void {
    this.bindings.age(nowMs);
    for (const transactions of this.#transactions.values()) {
      for (const [key, sinceMs] of transactions) {
        if (nowMs - sinceMs < TRANSACTION_MS) break;
        transactions.delete(key);
      }
    }
    for (const [key, heardMs] of this.#overheard) {
      if (nowMs - heardMs < TRANSACTION_MS) break;
      this.#overheard.delete(key);
    }
  }

  /**
   * A frame of a port without this guard, such as one to another node, is flooded to a guarded port. If it is a message of a
   * DHCP client, a station there has overheard its transaction, and cannot begin it as its own.
   */
  overhear({ bytes, start, length, vid }: GuardedFrame, nowMs: number): void {
    const ipv4 = readDhcpMessage(bytes, start, length);
    const message = ipv4 ?? readDhcpv6Message(bytes, start, length);
    if (message === undefined || message.isFromServer) return;
    const key = keyOf(ipv4 === undefined ? 6 : 4, message.transaction, message.client, vid);
    this.#overheard.delete(key);
    if (this.#overheard.size >= MOST_OVERHEARD) {
      for (const oldest of this.#overheard.keys()) {
        this.#overheard.delete(oldest);
        break;
      }
    }
    this.#overheard.set(key, nowMs);
  }

  /** Reads the answers of DHCP servers behind a trusted port. */
  snoop(frame: GuardedFrame, nowMs: number): void {
    this.#snoopIpv6(frame, nowMs);
    const { bytes, start, length, vid } = frame;
    const message = readDhcpMessage(bytes, start, length);
    if (message === undefined || !message.isFromServer || message.type !== DHCP_ACK || message.assigned === 0) return;
    // Without a lease time the lease does not end (RFC 2131, 3.3).
    const { transaction, client, leaseSeconds: seconds = ENDLESS } = message;
    const leases = [{ address: textOf(message.assigned), seconds }];
    this.#heard({ family: 4, vid, transaction, client, leases }, nowMs);
  }

  /** An address in a Reply is bound; with a lifetime of 0 it is not valid any more (RFC 8415, 18.2.10.1). */
  #snoopIpv6({ bytes, start, length, vid }: GuardedFrame, nowMs: number): void {
    const message = readDhcpv6Message(bytes, start, length);
    if (message === undefined || !message.isFromServer || message.type !== DHCPV6_REPLY) return;
    const { transaction, client, addresses } = message;
    const leases = addresses.map(({ address, validSeconds: seconds }) => ({ address, seconds }));
    this.#heard({ family: 6, vid, transaction, client, leases }, nowMs);
  }

  #heard(answer: LeaseAnswer, nowMs: number): void {
    this.onAnswer(answer);
    this.answered(answer, nowMs);
  }

  /** Takes the answer of a server that is trusted, here or at another node of the cluster, if its client waits at a port of this bridge. */
  answered({ family, vid, transaction, client: mac, leases }: LeaseAnswer, nowMs: number): void {
    const port = this.#portOf(keyOf(family, transaction, mac, vid), nowMs);
    if (port === undefined) return;
    for (const { address, seconds } of leases) this.lease({ port, vid, mac, address }, finite(seconds), nowMs);
  }

  /** A station has a lease, instead of what any had of its address. @param seconds undefined: it does not end; 0: it has ended */
  lease(lease: Omit<Binding, 'kind' | 'untilMs'> & LeaseOwner, seconds: number | undefined, nowMs: number): void {
    const { vid, mac, address } = lease;
    this.bindings.removeForLease(vid, mac, address);
    const untilMs = seconds === undefined ? Number.POSITIVE_INFINITY : nowMs + seconds * 1000;
    if (seconds !== 0) this.bindings.add({ ...lease, kind: 'dhcp', untilMs });
  }

  /** Judges a frame from a guarded port. @returns why it is refused */
  refusalOf(port: PortNumber, frame: GuardedFrame, nowMs: number): DiscardReason | undefined {
    const { bytes, start, length, vid, source } = frame;
    const claim = readClaimedSource(bytes, start, length);
    if (claim === undefined) return undefined;
    if (claim === 'unreadable') return 'ipSourceDenied';
    if (claim.mac !== undefined && claim.mac !== source) return REASONS[claim.by];
    // A client that renews an address which was bound before the switch was restarted is heard, too.
    if (claim.by === 'ipv4' && claim.isBeginner) return this.#note(port, frame, nowMs) ? undefined : 'ipSourceDenied';
    if (!this.#mayUse(port, vid, source, claim, nowMs)) return REASONS[claim.by];
    return claim.by !== 'ipv6' || this.#noteIpv6(port, frame, nowMs) ? undefined : 'ipSourceDenied';
  }

  /** A station that had an IPv6 address by first use has it here, unless another one has it now. */
  takeFirst(port: PortNumber, vid: Vid, mac: MacAddress, address: string, nowMs: number): void {
    if (!this.bindings.isTaken(port, vid, mac, address, nowMs)) this.#take(port, vid, mac, address, nowMs);
  }

  #mayUse(port: PortNumber, vid: Vid, mac: MacAddress, claim: ClaimedSource, nowMs: number): boolean {
    const { address, by, isBeginner } = claim;
    if (address === NO_IPV4 || address === NO_IPV6) return isBeginner;
    const binding = this.bindings.find(port, vid, mac, address, nowMs);
    if (binding !== undefined) {
      const isStale = binding.kind === 'first' && binding.untilMs - nowMs < FIRST_MS - RENEWED_EACH_MS;
      if (isStale) this.#take(binding.port, vid, mac, address, nowMs);
      return true;
    }
    if (by === 'ipv4' || by === 'arp' || this.bindings.isTaken(port, vid, mac, address, nowMs)) return false;
    return this.#take(port, vid, mac, address, nowMs);
  }

  #take(port: PortNumber, vid: Vid, mac: MacAddress, address: string, nowMs: number): boolean {
    return this.bindings.add({ port, kind: 'first', address, mac, vid, untilMs: nowMs + FIRST_MS });
  }

  /** Notes the message of a DHCP client. @returns whether it may pass: it names its own address */
  #note(port: PortNumber, { bytes, start, length, vid, source }: GuardedFrame, nowMs: number): boolean {
    const message = readDhcpMessage(bytes, start, length);
    if (message === undefined || message.client !== source) return false;
    if (message.type === DHCP_RELEASE || message.type === DHCP_DECLINE) {
      return this.bindings.endLease(port, vid, source, textOf(message.current), nowMs);
    }
    return this.#begin(port, keyOf(4, message.transaction, message.client, vid), nowMs);
  }

  /** Notes the message of a DHCPv6 client. @returns whether the frame may pass, as any other frame may */
  #noteIpv6(port: PortNumber, { bytes, start, length, vid, source }: GuardedFrame, nowMs: number): boolean {
    const message = readDhcpv6Message(bytes, start, length);
    if (message === undefined || message.isFromServer) return true;
    if (message.type !== DHCPV6_RELEASE && message.type !== DHCPV6_DECLINE) {
      return this.#begin(port, keyOf(6, message.transaction, message.client, vid), nowMs);
    }
    return message.addresses.every(({ address }) => this.bindings.endLease(port, vid, source, address, nowMs));
  }

  /** Notes that a client at a port has begun a transaction. @returns whether it may: it has not overheard it, and there is room */
  #begin(port: PortNumber, key: string, nowMs: number): boolean {
    let transactions = this.#transactions.get(port);
    if (transactions === undefined) {
      transactions = new Map();
      this.#transactions.set(port, transactions);
    }
    if (transactions.has(key)) return true;
    if (nowMs - (this.#overheard.get(key) ?? Number.NEGATIVE_INFINITY) < TRANSACTION_MS) return false;
    if (transactions.size >= MOST_TRANSACTIONS) return false;
    transactions.set(key, nowMs);
    return true;
  }

  /** The port whose client began a transaction; of several the first, since the others have only overheard it. */
  #portOf(key: string, nowMs: number): PortNumber | undefined {
    let found: PortNumber | undefined;
    let firstMs = Number.POSITIVE_INFINITY;
    for (const [port, transactions] of this.#transactions) {
      const sinceMs = transactions.get(key);
      if (sinceMs === undefined || sinceMs >= firstMs || nowMs - sinceMs >= TRANSACTION_MS) continue;
      firstMs = sinceMs;
      found = port;
    }
    return found;
  }
}

export type { Binding, BindingKind };

/** DHCPv4 and DHCPv6 number their transactions each for itself. */
function keyOf(family: 4 | 6, transaction: number, client: MacAddress, vid: Vid): string {
  return `${family}/${transaction}/${client}/${vid}`;
}

/** undefined for the seconds of a lease that does not end. */
function finite(seconds: number): number | undefined {
  return seconds === ENDLESS ? undefined : seconds;
}

/** The four octets of a number, as Latin-1 text. */
function textOf(address: number): string {
  return String.fromCharCode(address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255);
}
