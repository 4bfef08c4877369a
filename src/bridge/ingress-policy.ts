import { destinationOf } from '../wire/ethernet/ethernet-frame.ts';
import { innerEtherType, kindOf } from '../wire/ethernet/frame-kind.ts';
import { isGroupAddress, type MacAddress } from '../wire/ethernet/mac-address.ts';
import { type FlowPermit, MAY_PASS, MUST_COME } from './flow-permit.ts';
import type { DiscardReason } from './port.ts';
import { BUCKET_CELLS, type Rate, TokenBucket, UNLIMITED } from './token-bucket.ts';

/** What may come in by a port. What is not said is not limited. */
export interface IngressRules {
  /** the only source addresses */
  readonly sources?: ReadonlySet<MacAddress>;
  /** how many source addresses the port may make its own: the first that it uses, unless they are another's */
  readonly claims?: number;
  /** the only EtherTypes, behind tags; 0 stands for 802.3 frames, which have a length instead */
  readonly etherTypes?: ReadonlySet<number>;
  /** frames, and bits of them without FCS, of all kinds */
  readonly frames?: Rate;
  readonly bits?: Rate;
  /** the same for frames to group addresses alone, broadcast among them */
  readonly groupFrames?: Rate;
  readonly groupBits?: Rate;
  /** may not answer as a DHCP server, for IPv4 and IPv6 */
  readonly forbidsDhcpServer?: boolean;
  /** may not send IPv6 router advertisements (RFC 6105) */
  readonly forbidsRouterAdvertisements?: boolean;
}

/** Which port made a source address its own. One for all ports of a bridge. */
export class SourceClaims {
  readonly #owners = new Map<MacAddress, IngressPolicy>();

  /** @returns whether the address is the claimant's, now or already */
  claim(source: MacAddress, claimant: IngressPolicy, mayBeNew: boolean): boolean {
    const owner = this.#owners.get(source);
    if (owner !== undefined || !mayBeNew) return owner === claimant;
    this.#owners.set(source, claimant);
    return true;
  }

  release(source: MacAddress): void {
    this.#owners.delete(source);
  }
}

const RATES = ['frames', 'bits', 'groupFrames', 'groupBits'] as const;
type RateName = (typeof RATES)[number];

/** What is left of some rates. Ports that spend of the same have those rates together. */
export class RateAllowance {
  /** The buckets in the order of RATES; those of frames and of bits are a flow's meter (Flow.meter). */
  readonly cells: Float64Array = new Float64Array(RATES.length * BUCKET_CELLS);
  readonly #buckets: Readonly<Record<RateName, TokenBucket>>;
  #isLimited = false;

  constructor() {
    const bucket = (place: number): TokenBucket => new TokenBucket(UNLIMITED, 0, this.cells, place * BUCKET_CELLS);
    this.#buckets = { frames: bucket(0), bits: bucket(1), groupFrames: bucket(2), groupBits: bucket(3) };
  }

  /** Whether there is any rate at all. */
  get isLimited(): boolean {
    return this.#isLimited;
  }

  /** The rates of these rules from here on; what was spent stays spent. */
  change(rules: IngressRules, nowMs: number): void {
    for (const name of RATES) {
      const bucket = this.#buckets[name];
      const rate = rules[name];
      if (rate !== undefined && bucket.isLimited) bucket.change(rate);
      else bucket.fill(rate ?? UNLIMITED, nowMs);
    }
    this.#isLimited = RATES.some((name) => this.#buckets[name].isLimited);
  }

  /** @returns whether so much may come in; it is taken then */
  spend(frames: number, bits: number, isGroup: boolean, nowMs: number): boolean {
    const buckets = this.#buckets;
    if (!buckets.frames.isOpen(nowMs) || !buckets.bits.isOpen(nowMs)) return false;
    if (isGroup && (!buckets.groupFrames.isOpen(nowMs) || !buckets.groupBits.isOpen(nowMs))) return false;
    buckets.frames.take(frames);
    buckets.bits.take(bits);
    if (isGroup) {
      buckets.groupFrames.take(frames);
      buckets.groupBits.take(bits);
    }
    return true;
  }
}

/**
 * Decides which frames may come in by one port. Sans-I/O: time is an argument.
 * A port without rules has no policy, and pays nothing.
 */
export class IngressPolicy {
  readonly #claims: SourceClaims;
  readonly #claimed = new Set<MacAddress>();
  readonly #allowance: RateAllowance;
  /** The rules, each in a field of its own: those that are asked for each frame are one load away. */
  #sources: ReadonlySet<MacAddress> | undefined;
  /** -1: the port claims nothing. */
  #mostClaims = -1;
  #etherTypes: ReadonlySet<number> | undefined;
  #forbidsDhcpServer = false;
  #forbidsRouterAdvertisements = false;
  #hasGuard = false;
  #permit: FlowPermit = MUST_COME;
  /** Told of each change of the rules; the port that the policy is set at puts itself here. */
  onChange: () => void = () => undefined;

  /** @param allowance what the rates are taken from; by default the port has them for itself */
  constructor(
    rules: IngressRules,
    claims: SourceClaims,
    nowMs: number,
    allowance: RateAllowance = new RateAllowance(),
  ) {
    this.#claims = claims;
    this.#allowance = allowance;
    this.change(rules, nowMs);
  }

  /** New rules from here on; what was claimed and what was spent stays. */
  change(rules: IngressRules, nowMs: number): void {
    this.#sources = rules.sources;
    this.#mostClaims = rules.claims ?? -1;
    this.#etherTypes = rules.etherTypes;
    this.#forbidsDhcpServer = rules.forbidsDhcpServer === true;
    this.#forbidsRouterAdvertisements = rules.forbidsRouterAdvertisements === true;
    this.#hasGuard = this.#forbidsDhcpServer || this.#forbidsRouterAdvertisements;
    this.#allowance.change(rules, nowMs);
    this.#permit = permitOf(rules, this.#allowance);
    if (rules.claims === undefined) this.release();
    this.onChange();
  }

  /**
   * Whether frames to an individual address that were let in once may pass by: their
   * source stays the port's, DHCP servers and routers are never in a flow table, and
   * rates are a meter. A flow knows no EtherType.
   */
  get permit(): FlowPermit {
    return this.#permit;
  }

  /**
   * Judges one frame, which is at least a header long, and whose source was admitted.
   * @param frames how many frames it becomes on the wire
   * @returns why it must not come in; undefined when it may
   */
  check(bytes: Uint8Array, start: number, length: number, frames: number, nowMs: number): DiscardReason | undefined {
    // The most expensive check last; a frame that is refused for itself spends nothing of the rates.
    if (this.#etherTypes !== undefined && !mayCarry(this.#etherTypes, bytes, start, length)) return 'typeDenied';
    if (this.#hasGuard && this.#isForbidden(bytes, start, length)) return 'serverDenied';
    if (!this.#allowance.isLimited) return undefined;
    const isGroup = isGroupAddress(destinationOf(bytes, start));
    return this.#allowance.spend(frames, length * 8, isGroup, nowMs) ? undefined : 'rateExceeded';
  }

  /** Whether an individual address may be a source here; if not, `admit` may yet make it the port's own. */
  isAdmitted(source: MacAddress): boolean {
    const sources = this.#sources;
    if (sources === undefined && this.#mostClaims < 0) return true;
    return sources?.has(source) === true || this.#claimed.has(source);
  }

  /**
   * Claims an address for the port that is not admitted, if it may.
   * @param isHeldElsewhere it was last seen behind another port, lately
   * @returns whether it may be a source here
   */
  admit(source: MacAddress, isHeldElsewhere: boolean): boolean {
    const isMine = this.#claims.claim(source, this, !isHeldElsewhere && this.#claimed.size < this.#mostClaims);
    if (isMine) this.#claimed.add(source);
    return isMine;
  }

  /** Gives the addresses back that the port made its own. */
  release(): void {
    for (const source of this.#claimed) this.#claims.release(source);
    this.#claimed.clear();
  }

  #isForbidden(bytes: Uint8Array, start: number, length: number): boolean {
    const kind = kindOf(bytes, start, length);
    if (kind === 'dhcpServer') return this.#forbidsDhcpServer;
    if (kind === 'routerAdvertisement') return this.#forbidsRouterAdvertisements;
    return kind === 'unreadable';
  }
}

function mayCarry(etherTypes: ReadonlySet<number>, bytes: Uint8Array, start: number, length: number): boolean {
  const type = innerEtherType(bytes, start, length);
  return etherTypes.has(type >= 0 && type < 0x600 ? 0 : type);
}

function permitOf({ etherTypes, frames, bits }: IngressRules, allowance: RateAllowance): FlowPermit {
  if (etherTypes !== undefined) return MUST_COME;
  return frames === undefined && bits === undefined ? MAY_PASS : allowance.cells;
}
