import type { BridgePort } from '../bridge/bridge-port.ts';
import { IngressPolicy, RateAllowance, SourceClaims } from '../bridge/ingress-policy.ts';
import type { AccessPolicy } from '../config/policy-file.ts';
import { EtherwsError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import { FollowedFile } from '../runtime/followed-file.ts';
import type { BridgePortValues } from '../schema/bridge-port-options.ts';

const LOOK_INTERVAL_MS = 1000;
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Where the policy comes from: a file, or the store of a cluster. */
export interface PolicySource {
  /** The policy that is to be in force now. Never rejects. */
  current(): Promise<AccessPolicy>;
  /** why the present contents are not in force; undefined: they are */
  readonly complaint: string | undefined;
}

/** All tunnels of a user share one rate. */
interface UserWithTunnels {
  tunnels: number;
  readonly allowance: RateAllowance;
}

/**
 * The policy in force, and the tunnels that it applies to. A file is
 * checked for changes every second and by `refresh`. If the new contents are invalid, the
 * former ones stay in force, and the error is logged.
 */
export class IngressPolicies {
  readonly #source: PolicySource;
  /** The claimed addresses of each network with tunnels: a station of one is no matter of another. */
  readonly #claims = new Map<string, { tunnels: number; readonly claims: SourceClaims }>();
  /** the user and the network of each tunnel */
  readonly #owners = new Map<BridgePort, { readonly user: string | null; readonly network: string }>();
  readonly #users = new Map<string, UserWithTunnels>();
  readonly #evict: (port: BridgePort) => void;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #policy: AccessPolicy;
  /** Called when another policy came into force, and its rules apply to the tunnels that are left. */
  onChange: () => void = () => undefined;
  /** How many tunnels a user has at other nodes of the cluster, which have their share of its rates. */
  elsewhere: (user: string) => number = () => 0;
  /** Called when a tunnel has claimed one more source address. */
  onClaimed: (port: BridgePort) => void = () => undefined;

  /**
   * @param evict removes a tunnel whose user may have none any more
   * @throws EtherwsError FILE_UNREADABLE, POLICY_INVALID
   */
  static async open(path: string, logger: Logger, evict: (port: BridgePort) => void): Promise<IngressPolicies> {
    const options = { logger, recheckMs: 0, maxBytes: MAX_FILE_BYTES };
    // Loaded when needed: the YAML library takes 2 MiB.
    const { readPolicy } = await import('../config/policy-file.ts');
    const file = await FollowedFile.open(path, (text) => readPolicy(path, text), options);
    const policies = new IngressPolicies(file, await file.current(), logger, evict);
    policies.#timer = setInterval(() => void policies.refresh(), LOOK_INTERVAL_MS);
    policies.#timer.unref();
    return policies;
  }

  /**
   * The policy of a source that calls `refresh` itself.
   * @param policy the one that is in force until then
   */
  static of(
    source: PolicySource,
    policy: AccessPolicy,
    logger: Logger,
    evict: (port: BridgePort) => void,
  ): IngressPolicies {
    return new IngressPolicies(source, policy, logger, evict);
  }

  private constructor(source: PolicySource, policy: AccessPolicy, logger: Logger, evict: (port: BridgePort) => void) {
    this.#source = source;
    this.#policy = policy;
    this.#logger = logger;
    this.#evict = evict;
  }

  /** The most tunnels that a user may have at the same time. */
  allowanceOf(user: string | null): number {
    const { isAllowed, maxPorts = Number.POSITIVE_INFINITY } = this.#policy.tunnelsOf(user);
    return isAllowed ? maxPorts : 0;
  }

  /** The settings that ports of a user's tunnels have from the start. */
  settingsOf(user: string | null): BridgePortValues {
    return this.#policy.tunnelsOf(user).settings;
  }

  /** The networks that the tunnels of a user may join; undefined: all. */
  networksOf(user: string | null): readonly string[] | undefined {
    return this.#policy.tunnelsOf(user).networks;
  }

  mayCall(user: string | null, method: string): boolean {
    return this.#policy.mayCall(user, method);
  }

  /** The networks that a user of the control API may reach; undefined: all, and the switch itself. */
  controlledBy(user: string | null): readonly string[] | undefined {
    return this.#policy.controlledBy(user);
  }

  /** Applies the rules of its user to a tunnel, now and after each change, until `forget`. */
  apply(port: BridgePort, user: string | null, network: string): void {
    if (!this.#owners.has(port)) this.#countIn(user, network);
    this.#owners.set(port, { user, network });
    const { ingress } = this.#policy.tunnelsOf(user);
    if (ingress === undefined) {
      port.policy?.release();
      port.policy = undefined;
    } else if (port.policy === undefined) {
      port.policy = new IngressPolicy(ingress, this.#claimsIn(network), performance.now(), this.#allowanceFor(user));
      port.policy.onClaimed = () => this.onClaimed(port);
    } else {
      port.policy.change(ingress, performance.now());
    }
  }

  /** To be called when the tunnel was removed. */
  forget(port: BridgePort): void {
    const { user = null, network } = this.#owners.get(port) ?? {};
    if (!this.#owners.delete(port) || network === undefined) return;
    const there = this.#claims.get(network);
    if (there !== undefined && --there.tunnels === 0) this.#claims.delete(network);
    const known = this.#users.get(user ?? '');
    if (known !== undefined && --known.tunnels === 0) this.#users.delete(user ?? '');
    this.shareChanged(user);
  }

  /** To be called when the number of a user's tunnels at other nodes has changed. */
  shareChanged(user: string | null): void {
    const known = user === null ? undefined : this.#users.get(user);
    if (user !== null) known?.allowance.setShare(known.tunnels / (known.tunnels + this.elsewhere(user)));
  }

  #countIn(user: string | null, network: string): void {
    const there = this.#claims.get(network);
    if (there === undefined) this.#claims.set(network, { tunnels: 1, claims: new SourceClaims() });
    else there.tunnels++;
    if (user === null) return;
    const known = this.#users.get(user);
    if (known === undefined) this.#users.set(user, { tunnels: 1, allowance: new RateAllowance() });
    else known.tunnels++;
    this.shareChanged(user);
  }

  #claimsIn(network: string): SourceClaims {
    return this.#claims.get(network)?.claims ?? new SourceClaims();
  }

  /** Tunnels without a user share no rate. */
  #allowanceFor(user: string | null): RateAllowance {
    return this.#users.get(user ?? '')?.allowance ?? new RateAllowance();
  }

  /** Takes what the source has now. Never rejects. */
  async refresh(): Promise<void> {
    const policy = await this.#source.current();
    if (policy === this.#policy) return;
    this.#policy = policy;
    for (const [port, { user, network }] of [...this.#owners]) {
      const { isAllowed, networks } = policy.tunnelsOf(user);
      if (isAllowed && networks?.includes(network) !== false) {
        this.apply(port, user, network);
        continue;
      }
      this.#logger.info({ port: port.number, user }, 'the policy does not allow this tunnel any more');
      this.forget(port);
      this.#evict(port);
    }
    this.onChange();
  }

  /** As `refresh`. @throws EtherwsError POLICY_INVALID if the present contents of the file are not in force */
  async reload(): Promise<void> {
    await this.refresh();
    const { complaint } = this.#source;
    if (complaint !== undefined) throw new EtherwsError('POLICY_INVALID', complaint);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
