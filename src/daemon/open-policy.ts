import type { BridgePort } from '../bridge/bridge-port.ts';
import type { SwConfig } from '../config/sw-config.ts';
import type { Switch } from '../networks/switch.ts';
import type { Logger } from '../observability/logger.ts';
import { IngressPolicies } from './ingress-policies.ts';
import type { Lifetime } from './lifetime.ts';
import type { SharedPolicySource } from './shared-policy.ts';

export interface OpenedPolicy {
  /** undefined: everything is allowed */
  readonly policy: IngressPolicies | undefined;
  /** the policy of the cluster; undefined without a cluster, and beside a policy of this process */
  readonly shared: SharedPolicySource | undefined;
}

/**
 * The policy of this process: that of its file, else the one of its cluster. Tunnels whose users may have none any more are closed.
 * @throws EtherwsError FILE_UNREADABLE, POLICY_INVALID
 */
export async function openPolicy(
  { policyFile, cluster }: Pick<SwConfig, 'policyFile' | 'cluster'>,
  etherSwitch: Switch,
  lifetime: Lifetime,
  logger: Logger,
): Promise<OpenedPolicy> {
  const evict = ({ number }: BridgePort): void => {
    etherSwitch.detach(number).catch((error: unknown) => logger.error({ error }, 'a tunnel could not be closed'));
  };
  if (policyFile !== undefined) {
    const policy = await IngressPolicies.open(policyFile, logger, evict);
    lifetime.onClose(() => policy.close());
    lifetime.onReload(() => policy.reload());
    return { policy, shared: undefined };
  }
  if (cluster === undefined) return { policy: undefined, shared: undefined };
  // Loaded on use: the YAML library takes 2 MiB.
  const { NO_POLICY, SharedPolicySource } = await import('./shared-policy.ts');
  const shared = new SharedPolicySource();
  return { policy: IngressPolicies.of(shared, NO_POLICY, logger, evict), shared };
}
