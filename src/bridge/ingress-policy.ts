import { destinationOf } from '../wire/ethernet/ethernet-frame.ts';
import { innerEtherType } from '../wire/ethernet/frame-kind.ts';
import { isGroupAddress, type MacAddress } from '../wire/ethernet/mac-address.ts';
import { type FlowPermit, MAY_PASS, MUST_COME } from './flow-permit.ts';
import type { DiscardReason } from './port.ts';
import { isServerForbidden } from './server-kinds.ts';
import { BUCKET_CELLS, type Rate, TokenBucket, UNLIMITED } from './token-bucket.ts';

/** The rules for frames that a port receives. Absent rules limit nothing. */
export interface IngressRules {
  /** the allowed source addresses */
  readonly sources?: ReadonlySet<MacAddress>;
  /** how many source addresses the port may claim: the first that it uses, unless another port has claimed them */
  readonly claims?: number;
  /** the allowed EtherTypes, behind tags; 0 means 802.3 frames, which have a length instead */
  readonly etherTypes?: ReadonlySet<number>;
  /** the rates of frames, and of their bits without FCS */
  readonly frames?: Rate;
  readonly bits?: Rate;
  /** the same for frames to group addresses, broadcast included */
  readonly groupFrames?: Rate;
  readonly groupBits?: Rate;
  /** refuses frames of DHCP servers, for IPv4 and IPv6 */
  readonly forbidsDhcpServer?: boolean;
  /** refuses IPv6 router advertisements (RFC 6105) */
  readonly forbidsRouterAdvertisements?: boolean;
}

/** The claimed source addresses of all ports of a bridge. */
export class SourceClaims {
  readonly #owners = new Map<MacAddress, IngressPolicy>();

  /** @returns whether the claimant has the address, by this call or before */
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

/** The token buckets of some rates. Ports with the same allowance share the rates. */
export class RateAllowance {
  /** The buckets in the order of RATES; the first two, of frames and bits, are the meter of a flow (Flow.meter). */
  readonly cells: Float64Array = new Float64Array(RATES.length * BUCKET_CELLS);
  readonly #buckets: Readonly<Record<RateName, TokenBucket>>;
  #isLimited = false;
  #rules: IngressRules = {};
  #share = 1;

  constructor() {
    const bucket = (place: number): TokenBucket => new TokenBucket(UNLIMITED, 0, this.cells, place * BUCKET_CELLS);
    this.#buckets = { frames: bucket(0), bits: bucket(1), groupFrames: bucket(2), groupBits: bucket(3) };
  }

  /** Whether there is a rate. */
  get isLimited(): boolean {
    return this.#isLimited;
  }

  /** Whether there is a rate of all frames or bits, which flows are charged to. */
  get metersFlows(): boolean {
    return this.#buckets.frames.isLimited || this.#buckets.bits.isLimited;
  }

  /** Uses the rates of these rules from now on; the tokens stay, within the new burst. */
  change(rules: IngressRules, nowMs: number): void {
    this.#rules = rules;
    for (const name of RATES) {
      const bucket = this.#buckets[name];
      const rate = shareOf(rules[name], this.#share);
      if (rate !== undefined && bucket.isLimited) bucket.change(rate);
      else bucket.fill(rate ?? UNLIMITED, nowMs);
    }
    this.#isLimited = RATES.some((name) => this.#buckets[name].isLimited);
  }

  /**
   * The part of the rates that is used here, where other switches give the rest. The tokens stay, within the new burst.
   * @param share above 0, up to 1
   */
  setShare(share: number): void {
    if (share === this.#share) return;
    this.#share = share;
    for (const name of RATES) {
      const rate = shareOf(this.#rules[name], share);
      if (rate !== undefined) this.#buckets[name].change(rate);
    }
  }

  /** Takes tokens. @returns whether the frames conform to the rates; if not, no tokens are taken */
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
 * Decides which frames a port accepts. Sans-I/O: time is an argument.
 * A port without rules has no policy, which has no cost.
 */
export class IngressPolicy {
  readonly #claims: SourceClaims;
  readonly #claimed = new Set<MacAddress>();
  /** What the client of the port has claimed at another node, and has not used here; the others may not claim it. */
  readonly #brought = new Set<MacAddress>();
  #broughtFrom: string | undefined;
  readonly #allowance: RateAllowance;
  #rules: IngressRules = {};
  /** The rules are in separate fields, so that each check needs one load. */
  #sources: ReadonlySet<MacAddress> | undefined;
  /** -1 without claims. */
  #mostClaims = -1;
  #etherTypes: ReadonlySet<number> | undefined;
  #forbidsDhcpServer = false;
  #forbidsRouterAdvertisements = false;
  #hasGuard = false;
  /** Called after each change of the rules; set by the port of the policy. */
  onChange: () => void = () => undefined;
  /** Called when the port has claimed one more address. */
  onClaimed: () => void = () => undefined;

  /** @param allowance the token buckets; default: buckets of this port alone */
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

  /** Uses other rules from now on; claimed addresses and tokens stay. */
  change(rules: IngressRules, nowMs: number): void {
    this.#rules = rules;
    this.#sources = rules.sources;
    this.#mostClaims = rules.claims ?? -1;
    this.#etherTypes = rules.etherTypes;
    this.#forbidsDhcpServer = rules.forbidsDhcpServer === true;
    this.#forbidsRouterAdvertisements = rules.forbidsRouterAdvertisements === true;
    this.#hasGuard = this.#forbidsDhcpServer || this.#forbidsRouterAdvertisements;
    this.#allowance.change(rules, nowMs);
    if (rules.claims === undefined) this.release();
    this.onChange();
  }

  /** The rules in force. */
  get rules(): IngressRules {
    return this.#rules;
  }

  /** The source addresses that the port has claimed. */
  get claimed(): ReadonlySet<MacAddress> {
    return this.#claimed;
  }

  /** What was claimed at another node by the client, and was not used here yet. */
  get brought(): ReadonlySet<MacAddress> {
    return this.#brought;
  }

  /**
   * Keeps the addresses for the port that its client has claimed at another node, as far as the rules allow and no other port has
   * claimed them. Each is the port's once it uses it, unless it was recently seen at a third place.
   */
  bring(sources: Iterable<MacAddress>, node: string): void {
    this.#broughtFrom = node;
    for (const source of sources) {
      const isNew = !this.#claimed.has(source) && this.#heldCount < this.#mostClaims;
      if (isNew && this.#claims.claim(source, this, true)) this.#brought.add(source);
    }
  }

  /** Gives up what was brought and not used. */
  dropBrought(): void {
    for (const source of this.#brought) this.#claims.release(source);
    this.#brought.clear();
  }

  /** Whether the client may take the address along from this node. */
  mayTakeFrom(node: string | undefined, source: MacAddress): boolean {
    return node !== undefined && node === this.#broughtFrom && this.#brought.has(source);
  }

  get #heldCount(): number {
    return this.#claimed.size + this.#brought.size;
  }

  /**
   * The permit for further frames of a flow to an individual address: their
   * source stays admitted, DHCP and router advertisements never match a flow, and
   * rates are a meter, also those that another port with the same allowance has brought. But a flow has no EtherType,
   * so that rule needs each frame.
   */
  get permit(): FlowPermit {
    if (this.#etherTypes !== undefined) return MUST_COME;
    return this.#allowance.metersFlows ? this.#allowance.cells : MAY_PASS;
  }

  /**
   * Checks a frame whose source was admitted.
   * @param length at least HEADER_BYTES
   * @param frames the number of finished frames that it makes
   * @returns why it is refused; undefined if it is accepted
   */
  check(bytes: Uint8Array, start: number, length: number, frames: number, nowMs: number): DiscardReason | undefined {
    // The rates come last, so that a frame that another rule refuses takes no tokens.
    if (this.#etherTypes !== undefined && !mayCarry(this.#etherTypes, bytes, start, length)) return 'typeDenied';
    if (
      this.#hasGuard &&
      isServerForbidden(bytes, start, length, this.#forbidsDhcpServer, this.#forbidsRouterAdvertisements)
    )
      return 'serverDenied';
    if (!this.#allowance.isLimited) return undefined;
    const isGroup = isGroupAddress(destinationOf(bytes, start));
    return this.#allowance.spend(frames, length * 8, isGroup, nowMs) ? undefined : 'rateExceeded';
  }

  /** Whether an individual address is allowed as a source; if not, `admit` may claim it. */
  isAdmitted(source: MacAddress): boolean {
    const sources = this.#sources;
    if (sources === undefined && this.#mostClaims < 0) return true;
    return sources?.has(source) === true || this.#claimed.has(source);
  }

  /**
   * Claims an address that is not admitted yet, if the rules allow it.
   * @param isHeldElsewhere whether the address was recently seen at another port
   * @returns whether it is now allowed as a source
   */
  admit(source: MacAddress, isHeldElsewhere: boolean): boolean {
    if (isHeldElsewhere && this.#brought.has(source)) return false;
    const isMine = this.#claims.claim(source, this, !isHeldElsewhere && this.#heldCount < this.#mostClaims);
    if (!isMine) return false;
    this.#brought.delete(source);
    this.#claimed.add(source);
    this.onClaimed();
    return true;
  }

  /** Releases the claimed addresses. */
  release(): void {
    for (const source of [...this.#claimed, ...this.#brought]) this.#claims.release(source);
    this.#claimed.clear();
    this.#brought.clear();
  }
}

function shareOf(rate: Rate | undefined, share: number): Rate | undefined {
  return rate === undefined || share === 1 ? rate : { perSecond: rate.perSecond * share, burst: rate.burst * share };
}

function mayCarry(etherTypes: ReadonlySet<number>, bytes: Uint8Array, start: number, length: number): boolean {
  const type = innerEtherType(bytes, start, length);
  return etherTypes.has(type >= 0 && type < 0x600 ? 0 : type);
}
