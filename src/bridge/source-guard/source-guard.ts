import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { type ClaimedSource, NO_IPV4, NO_IPV6, readClaimedSource } from '../../wire/ip/claimed-source.ts';
import { DHCP_ACK, DHCP_DECLINE, DHCP_RELEASE, type DhcpMessage, readDhcpMessage } from '../../wire/ip/dhcp-message.ts';
import type { PortNumber } from '../bridge-port.ts';
import { LazyMap } from '../lazy-map.ts';
import type { DiscardReason } from '../port.ts';
import { type Binding, type BindingKind, Bindings } from './bindings.ts';

/** For how long a client's message is remembered until the server has answered. */
const TRANSACTION_MS = 60_000;
/** The most unanswered clients of a port. */
const MOST_TRANSACTIONS = 256;
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

const REASONS = { ipv4: 'ipSourceDenied', ipv6: 'ipSourceDenied', arp: 'arpDenied', nd: 'ndDenied' } as const;

/**
 * DHCP snooping, and the checks of IP source addresses, ARP and neighbour discovery by its bindings, of one bridge.
 *
 * - IPv4: a station may use an address that a DHCP server behind a trusted port has given it (DHCPACK, RFC 2131, 4.3.1),
 *   until its lease ends, or that the operator has set.
 * - IPv6: an address belongs to the station that uses it first in its VLAN (FCFS SAVI, RFC 6620), until it has not been
 *   used for an hour; the former owner is not asked. So no port can take an address that is in use.
 *
 * Sans-I/O: time is an argument.
 */
export class SourceGuard {
  readonly bindings: Bindings = new Bindings();
  /** When a client at a port began the transaction, by `XID/MAC/VID`. */
  readonly #transactions = new LazyMap<PortNumber, Map<string, number>>();

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
  }

  /** Reads the answers of DHCP servers behind a trusted port. */
  snoop({ bytes, start, length, vid }: GuardedFrame, nowMs: number): void {
    const message = readDhcpMessage(bytes, start, length);
    if (message === undefined || !message.isFromServer || message.type !== DHCP_ACK || message.assigned === 0) return;
    const port = this.#portOf(keyOf(message, vid), nowMs);
    if (port === undefined) return;
    const address = textOf(message.assigned);
    const { client: mac, leaseSeconds } = message;
    this.bindings.removeLease(vid, mac, address);
    // Without a lease time, or with the highest, the lease does not end (RFC 2131, 3.3).
    const isEndless = leaseSeconds === undefined || leaseSeconds === 0xffff_ffff;
    const untilMs = isEndless ? Number.POSITIVE_INFINITY : nowMs + leaseSeconds * 1000;
    this.bindings.add({ port, kind: 'dhcp', address, mac, vid, untilMs });
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
    return this.#mayUse(port, vid, source, claim, nowMs) ? undefined : REASONS[claim.by];
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
    let transactions = this.#transactions.get(port);
    if (transactions === undefined) {
      transactions = new Map();
      this.#transactions.set(port, transactions);
    }
    const key = keyOf(message, vid);
    if (transactions.has(key)) return true;
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

function keyOf({ transaction, client }: DhcpMessage, vid: Vid): string {
  return `${transaction}/${client}/${vid}`;
}

/** The four octets of a number, as Latin-1 text. */
function textOf(address: number): string {
  return String.fromCharCode(address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255);
}
