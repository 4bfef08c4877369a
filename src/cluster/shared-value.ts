import * as v from 'valibot';
import { EtherwsError } from '../errors.ts';
import { check, dottedNames } from '../schema/check.ts';
import { NETWORK_OPTIONS, type NetworkChange, networkName } from '../schema/network-options.ts';
import { atLeast, objectOf } from '../schema/table.ts';
import { anyText } from '../schema/types.ts';
import { isSealed } from './secret/seal.ts';

/** The keys and values of the table `config` that are networks and the policy. */

export const POLICY_KEY = 'policy';
const NETWORK_PREFIX = 'network.';

/** Keys of NATS may have a dot only between words; names of networks may end with one. */
export function networkKey(name: string): string {
  return NETWORK_PREFIX + name.replaceAll('.', '=2E');
}

/** The name of the network of a key; undefined for another key. */
export function networkOfKey(key: string): string | undefined {
  return key.startsWith(NETWORK_PREFIX) ? key.slice(NETWORK_PREFIX.length).replaceAll('=2E', '.') : undefined;
}

/** The key as operators type it, with the name of a network as it is: `network.lab`. */
export function shownKey(key: string): string {
  const network = networkOfKey(key);
  return network === undefined ? key : NETWORK_PREFIX + network;
}

/** The key that an operator means; undefined for none of these. */
export function keyOf(shown: string): string | undefined {
  if (shown === POLICY_KEY) return shown;
  const name = shown.startsWith(NETWORK_PREFIX) ? shown.slice(NETWORK_PREFIX.length) : '';
  return v.safeParse(networkName, name).success ? networkKey(name) : undefined;
}

/** Which caller made a change, and when by the clock of the node that it called. */
interface Change {
  readonly by: string | null;
  readonly at: string;
}

/** A network that all nodes have. `settings` null: it is removed; the value stays to say by which caller, and when. */
export interface SharedNetwork extends Change {
  /** those that are not the defaults */
  readonly settings: NetworkChange | null;
}

/** The policy of all nodes. */
export interface SharedPolicy extends Change {
  readonly text: string;
}

const settings = objectOf(NETWORK_OPTIONS);
const change = { by: v.nullable(anyText), at: anyText } as const;
const sharedNetwork = atLeast({ settings: v.nullable(settings), ...change });
const sharedPolicy = atLeast({ text: anyText, ...change });

/** @throws EtherwsError if the value is no one of these, such as that of a newer version */
export function readSharedNetwork(key: string, value: unknown): SharedNetwork {
  refuseSealed(key, value);
  return check(sharedNetwork, value, dottedNames(key)) as SharedNetwork;
}

/** @throws EtherwsError as `readSharedNetwork` */
export function readSharedPolicy(value: unknown): SharedPolicy {
  refuseSealed(POLICY_KEY, value);
  return check(sharedPolicy, value, dottedNames(POLICY_KEY)) as SharedPolicy;
}

/** A value with a code comes here only at a node without the secret. */
function refuseSealed(key: string, value: unknown): void {
  if (!isSealed(value)) return;
  throw new EtherwsError(
    'CLUSTER_SECRET_INVALID',
    `${shownKey(key)} has the code of a secret, and this node has none`,
    {
      hint: 'Give it the file that the other nodes have: --cluster-secret',
    },
  );
}
