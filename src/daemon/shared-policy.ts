import { type AccessPolicy, NO_TUNNEL_RULES, readPolicy } from '../config/policy-file.ts';
import type { OwnRights } from '../control/nodes/cluster-calls.ts';
import { EtherwsError } from '../errors.ts';
import type { PolicySource } from './ingress-policies.ts';

/** Without a policy everything is allowed. */
export const NO_POLICY: AccessPolicy = {
  tunnelsOf: () => NO_TUNNEL_RULES,
  mayCall: () => true,
  controlledBy: () => undefined,
};

/** The policy that the nodes of a cluster share, as a source of policies. */
export class SharedPolicySource implements PolicySource {
  readonly complaint: undefined;
  #policy: AccessPolicy = NO_POLICY;

  /** @throws EtherwsError POLICY_INVALID */
  set(text: string): void {
    this.#policy = readPolicy('policy', text);
  }

  current(): Promise<AccessPolicy> {
    return Promise.resolve(this.#policy);
  }
}

/**
 * Checks a policy before it is written for all nodes.
 * @param by the caller, which must be able to change it again
 * @throws EtherwsError POLICY_INVALID, REQUEST_REFUSED
 */
export async function checkSharedPolicy(file: string, text: string, by: string | null): Promise<void> {
  const policy = readPolicy(file, text);
  if (policy.mayCall(by, 'setClusterPolicy') && policy.controlledBy(by) === undefined) return;
  const rules = by === null ? 'default:' : `users: {${JSON.stringify(by)}: …}`;
  throw new EtherwsError('REQUEST_REFUSED', 'With this policy you could not change the policy again', {
    hint: `Let ${rules} have control: {methods: [all, setClusterPolicy, rollbackCluster]}`,
  });
}

/** What a policy of the store lets users of the control API do. @throws EtherwsError POLICY_INVALID */
export function rightsBy(text: string): OwnRights {
  const policy = readPolicy('policy', text);
  return {
    mayCall: (user, method) => policy.mayCall(user, method),
    networksOf: (user) => policy.controlledBy(user),
  };
}
