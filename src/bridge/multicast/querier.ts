import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { IpWords } from '../../wire/multicast/ip-words.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { MulticastTimers } from './multicast-settings.ts';

/** The address of a querier; of two queriers that have none, the one with the lower MAC address is the lower one. */
export interface QuerierIdentity {
  readonly address: IpWords;
  readonly mac: MacAddress;
}

/**
 * The queriers of one VLAN and one family, and which of them is elected (RFC 3376, 6.6.2; RFC 3810, 7.6.2): the one with
 * the lowest address. A query from 0.0.0.0 is no router's (RFC 4541, 2.1.1, rule 1), so any other one beats it; it is the
 * address of switches that query without an address of their own, as this one and the Linux bridge do over IPv4.
 *
 * Members are known once a querier has asked, and all hosts had the time to answer. Until then `isEffective` is false,
 * and all groups are flooded.
 */
export class Querier {
  readonly #timers: MulticastTimers;
  readonly address: IpWords = new IpWords();
  mac: MacAddress = 0 as MacAddress;
  /** The port of the elected querier; undefined: there is none but the switch. */
  port: BridgePort | undefined;
  /** The elected querier's last general query, to be sent by ports that come later. */
  lastQuery: Buffer | undefined;
  /** How often another querier was elected, or the same one anew. */
  election = 0;
  #untilMs = Number.NEGATIVE_INFINITY;
  #effectiveFromMs = Number.POSITIVE_INFINITY;
  #own: QuerierIdentity | undefined;
  #startupSent = 0;
  #nextQueryMs = Number.POSITIVE_INFINITY;

  constructor(timers: MulticastTimers) {
    this.#timers = timers;
  }

  /** Whether another querier is elected. */
  isOtherPresent(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }

  /** Whether this other querier is elected, and was last heard by this port. */
  isElected(querier: QuerierIdentity, port: BridgePort, nowMs: number): boolean {
    if (!this.isOtherPresent(nowMs) || this.port !== port) return false;
    return this.mac === querier.mac && this.address.equals(querier.address);
  }

  /** When the other querier is given up, unless it is heard again. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** Whether the switch sends the queries. */
  isOwn(nowMs: number): boolean {
    return this.#own !== undefined && !this.isOtherPresent(nowMs);
  }

  /** Whether the members of groups are known. */
  isEffective(nowMs: number): boolean {
    return nowMs >= this.#effectiveFromMs && (this.#own !== undefined || nowMs < this.#untilMs);
  }

  /** Lets the switch be a querier, or not. @param own its identity; undefined: it asks nothing */
  setOwn(own: QuerierIdentity | undefined, nowMs: number): void {
    const wasOn = this.#own !== undefined;
    this.#own = own;
    if (own === undefined || wasOn) return;
    if (!this.isOtherPresent(nowMs)) this.#effectiveFromMs = nowMs + this.#timers.queryResponseIntervalMs;
    this.startAnew(nowMs);
  }

  /** Asks again, as often as at the start. */
  startAnew(nowMs: number): void {
    this.#startupSent = 0;
    this.#nextQueryMs = nowMs;
  }

  /**
   * Takes a general query of another querier.
   * @returns whether it is elected; if not, the query changes nothing
   */
  hear(query: QuerierIdentity, port: BridgePort, maxResponseMs: number, nowMs: number): boolean {
    const wasPresent = this.isOtherPresent(nowMs);
    const elected = wasPresent ? this : this.#own;
    if (elected !== undefined && compare(query, elected) > 0) return false;
    if (!wasPresent || !this.address.equals(query.address) || this.mac !== query.mac || this.port !== port) {
      this.election++;
    }
    if (!wasPresent) this.#effectiveFromMs = nowMs + maxResponseMs;
    this.address.copy(query.address);
    this.mac = query.mac;
    this.port = port;
    this.#untilMs = nowMs + this.#timers.otherQuerierPresentIntervalMs;
    this.startAnew(this.#untilMs);
    return true;
  }

  /** Whether the switch has to send a general query now; if so, the next one is due an interval later. */
  takeDue(nowMs: number): boolean {
    if (nowMs < this.#nextQueryMs || !this.isOwn(nowMs)) return false;
    const { startupQueryCount, startupQueryIntervalMs, queryIntervalMs } = this.#timers;
    this.#startupSent++;
    this.#nextQueryMs = nowMs + (this.#startupSent < startupQueryCount ? startupQueryIntervalMs : queryIntervalMs);
    return true;
  }

  /** Forgets the port of a querier that is gone. The querier stays until its time is over, since it may be elsewhere. */
  forgetPort(port: BridgePort): void {
    if (this.port === port) this.port = undefined;
  }
}

/** Below 0 if `one` wins the election. */
function compare(one: QuerierIdentity, other: QuerierIdentity): number {
  if (one.address.isUnspecified !== other.address.isUnspecified) return one.address.isUnspecified ? 1 : -1;
  return one.address.compare(other.address) || one.mac - other.mac;
}
