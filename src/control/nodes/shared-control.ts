import { isDeepStrictEqual } from 'node:util';
import type { ClusterStore, ClusterTable, TableEntry } from '../../cluster/cluster-store.ts';
import {
  keyOf,
  networkKey,
  networkOfKey,
  POLICY_KEY,
  readSharedNetwork,
  readSharedPolicy,
  type SharedNetwork,
  type SharedPolicy,
  shownKey,
} from '../../cluster/shared-value.ts';
import { EtherwsError } from '../../errors.ts';
import { defaultSettings, type NetworkChange, type NetworkSettings } from '../../schema/network-options.ts';
import type {
  ClusterControl,
  ClusterHistoryEntry,
  ClusterNetworkEntry,
  ClusterPolicyEntry,
  PolicyChange,
} from '../cluster-entries.ts';
import { forbidden, type OwnRights } from './cluster-calls.ts';

export interface SharedControlOptions {
  readonly store: ClusterStore;
  /** Checks all settings of a network together. @throws EtherwsError ARGUMENT_INVALID */
  readonly checkNetwork: (settings: NetworkSettings) => void;
  /** @param by the caller, which must be able to change the policy again. @throws EtherwsError POLICY_INVALID, REQUEST_REFUSED */
  readonly checkPolicy: (file: string, text: string, by: string | null) => Promise<void>;
  /** What a policy lets its users do. @throws EtherwsError POLICY_INVALID */
  readonly rightsBy: (text: string) => OwnRights;
}

type ChangingMethod = 'addClusterNet' | 'setClusterNet' | 'delClusterNet' | 'setClusterPolicy' | 'rollbackCluster';

/**
 * Commands on what the nodes of a cluster share: each checks the value, and writes it if it has not changed meanwhile. The policy
 * that the store has decides whether a user may make a change, whatever policy the node that is asked has of its own.
 */
export class SharedControl implements Omit<ClusterControl, 'call' | 'capture' | 'subscribe'> {
  readonly #options: SharedControlOptions;
  readonly #table: ClusterTable;
  /** of the policy that was asked last */
  #rights: { readonly text: string; readonly rights: OwnRights } | undefined;

  constructor(options: SharedControlOptions) {
    this.#options = options;
    this.#table = options.store.table('config');
  }

  async addNetwork(name: string, settings: NetworkChange, by: string | null): Promise<ClusterNetworkEntry> {
    this.#require(by, 'addClusterNet', name);
    const now = this.#network(name);
    if (now.settings !== null) {
      throw new EtherwsError('NETWORK_EXISTS', `The cluster has a network "${name}" already`, {
        hint: `Choose another name, or change it with ctl --cluster setnet ${name}`,
      });
    }
    return this.#putNetwork(name, settings, by, now.revision);
  }

  async setNetwork(
    name: string,
    settings: NetworkChange,
    by: string | null,
    revision?: number,
  ): Promise<ClusterNetworkEntry> {
    this.#require(by, 'setClusterNet', name);
    const now = this.#requireNetwork(name);
    return this.#putNetwork(name, { ...now.settings, ...settings }, by, revision ?? now.revision);
  }

  async removeNetwork(name: string, by: string | null, revision?: number): Promise<ClusterNetworkEntry> {
    this.#require(by, 'delClusterNet', name);
    const now = this.#requireNetwork(name);
    return this.#put(networkKey(name), null, by, revision ?? now.revision, (value) => networkEntry(name, value));
  }

  policy(): ClusterPolicyEntry[] {
    this.#requireLoaded();
    const found = this.#table.get(POLICY_KEY);
    if (found?.value === undefined) return [];
    return [{ ...readSharedPolicy(found.value), revision: found.revision }];
  }

  async setPolicy(
    { text, file = POLICY_KEY, check = false, revision }: PolicyChange,
    by: string | null,
  ): Promise<ClusterPolicyEntry> {
    this.#require(by, 'setClusterPolicy');
    await this.#options.checkPolicy(file, text, by);
    const now = this.#revisionOf(POLICY_KEY);
    if (check) return { text, by, at: new Date().toISOString(), revision: now };
    const value: SharedPolicy = { text, by, at: new Date().toISOString() };
    return { ...value, revision: await this.#write(POLICY_KEY, value, revision ?? now) };
  }

  async history(shown?: string): Promise<ClusterHistoryEntry[]> {
    const keys = shown === undefined ? this.#keys() : [requireKey(shown)];
    const all = await Promise.all(keys.map((key) => this.#historyOf(key)));
    return all.flat().sort((one, other) => other.revision - one.revision);
  }

  async rollback(shown: string, revision: number, by: string | null): Promise<ClusterHistoryEntry> {
    const key = requireKey(shown);
    this.#require(by, 'rollbackCluster');
    const now = this.#revisionOf(key);
    const found = (await this.#historyOf(key)).find((entry) => entry.revision === revision);
    if (found === undefined) {
      throw new EtherwsError('ARGUMENT_INVALID', `${shown} has no revision ${revision} any more`, {
        hint: `ctl --cluster history ${shown} lists those that it has`,
      });
    }
    const network = networkOfKey(key);
    if (network === undefined) {
      await this.setPolicy({ text: String(found.value), file: `${shown} of revision ${revision}`, revision: now }, by);
    } else if (found.value === null) {
      await this.#put(key, null, by, now, (value) => networkEntry(network, value));
    } else await this.#putNetwork(network, found.value as NetworkChange, by, now);
    return { ...found, ...(await this.#latest(key)), value: found.value };
  }

  async #latest(key: string): Promise<ClusterHistoryEntry> {
    const [latest] = await this.#historyOf(key);
    if (latest !== undefined) return latest;
    throw new EtherwsError('CLUSTER_CONFLICT', `${shownKey(key)} was removed from the store meanwhile`);
  }

  /** The latest first. */
  async #historyOf(key: string): Promise<ClusterHistoryEntry[]> {
    const entries = (await this.#table.history(key)).filter(({ value }) => value !== undefined);
    const now = this.#table.get(key);
    if (now?.value !== undefined && entries.every(({ revision }) => revision !== now.revision)) entries.push(now);
    const latest = entries.reduce((most, { revision }) => Math.max(most, revision), 0);
    return entries.map((entry) => historyEntry(entry, latest)).sort((one, other) => other.revision - one.revision);
  }

  #keys(): string[] {
    const keys = [...this.#table.entries()].map(({ key }) => key);
    return keys.filter((key) => key === POLICY_KEY || networkOfKey(key) !== undefined);
  }

  /** Without a complete copy nothing may be said of a key. @throws EtherwsError CLUSTER_UNAVAILABLE */
  #requireLoaded(): void {
    if (this.#table.isLoaded) return;
    throw new EtherwsError(
      'CLUSTER_UNAVAILABLE',
      'This node has not reached the store of the cluster since its start',
      {
        hint: 'It runs on what it kept. Check the servers of --cluster, and try again',
      },
    );
  }

  /**
   * Refuses what the policy of the store does not let a user do; without one the node that is asked has decided alone.
   * @param network the one that it is about; undefined: about the whole switch
   * @throws EtherwsError METHOD_FORBIDDEN; CLUSTER_NODE_UNPROVEN if no node has written it; POLICY_INVALID if this node cannot read it; CLUSTER_UNAVAILABLE
   */
  #require(by: string | null, method: ChangingMethod, network?: string): void {
    this.#requireLoaded();
    const found = this.#table.get(POLICY_KEY);
    if (found === undefined && this.#table.isRefused?.(POLICY_KEY) === true) throw policyRefused(method);
    if (found === undefined) return;
    const { text } = readSharedPolicy(found.value);
    if (this.#rights?.text !== text) this.#rights = { text, rights: this.#options.rightsBy(text) };
    const { rights } = this.#rights;
    const networks = rights.networksOf(by);
    const isReached = networks === undefined || (network !== undefined && networks.includes(network));
    if (!rights.mayCall(by, method) || !isReached)
      throw forbidden(by, network === undefined ? method : `${method} for ${network}`);
  }

  /** as `TableChange.expected` has it */
  #revisionOf(key: string): number {
    this.#requireLoaded();
    const found = this.#table.get(key);
    return found?.value === undefined ? 0 : found.revision;
  }

  #network(name: string): { readonly settings: NetworkChange | null; readonly revision: number } {
    this.#requireLoaded();
    const key = networkKey(name);
    const found = this.#table.get(key);
    if (found?.value === undefined) return { settings: null, revision: 0 };
    return { settings: readSharedNetwork(key, found.value).settings, revision: found.revision };
  }

  #requireNetwork(name: string): { readonly settings: NetworkChange; readonly revision: number } {
    const { settings, revision } = this.#network(name);
    if (settings !== null) return { settings, revision };
    throw new EtherwsError('NETWORK_NOT_FOUND', `The cluster has no network "${name}"`, {
      hint: 'ctl --cluster history lists what it has; ctl --cluster addnet adds one',
    });
  }

  #putNetwork(
    name: string,
    settings: NetworkChange,
    by: string | null,
    revision: number,
  ): Promise<ClusterNetworkEntry> {
    const usual = defaultSettings(name);
    const all: NetworkSettings = { ...usual, ...settings };
    this.#options.checkNetwork(all);
    const keys = Object.keys(usual) as (keyof NetworkSettings)[];
    const changed = Object.fromEntries(
      keys.filter((key) => !isDeepStrictEqual(all[key], usual[key])).map((key) => [key, all[key]]),
    );
    return this.#put(networkKey(name), changed, by, revision, (value) => networkEntry(name, value));
  }

  async #put<Entry>(
    key: string,
    settings: NetworkChange | null,
    by: string | null,
    revision: number,
    entryOf: (value: SharedNetwork & { readonly revision: number }) => Entry,
  ): Promise<Entry> {
    const value: SharedNetwork = { settings, by, at: new Date().toISOString() };
    return entryOf({ ...value, revision: await this.#write(key, value, revision) });
  }

  async #write(key: string, value: unknown, expected: number): Promise<number> {
    try {
      return await this.#table.put(key, value, { expected });
    } catch (error) {
      if (!(error instanceof EtherwsError) || error.code !== 'CLUSTER_CONFLICT') throw error;
      const shown = shownKey(key);
      throw new EtherwsError('CLUSTER_CONFLICT', `Another change of ${shown} came first`, {
        cause: error,
        hint: `Look at it with ctl --cluster history ${shown}, and make your change again`,
      });
    }
  }
}

function policyRefused(method: ChangingMethod): EtherwsError {
  return new EtherwsError(
    'CLUSTER_NODE_UNPROVEN',
    `${method} is refused: the policy of the store has no code of the secret`,
    {
      hint: `Find the program that has written it; then remove the key "${POLICY_KEY}" at the store, and set the policy`,
    },
  );
}

function networkEntry(network: string, value: SharedNetwork & { readonly revision: number }): ClusterNetworkEntry {
  return { network, ...value };
}

function historyEntry({ key, value, revision }: TableEntry, latest: number): ClusterHistoryEntry {
  const isCurrent = revision === latest;
  if (networkOfKey(key) === undefined) {
    const { text, by, at } = readSharedPolicy(value);
    return { key, revision, by, at, value: text, current: isCurrent };
  }
  // Of a newer version, settings may be unknown here; they are told all the same.
  const { settings, by, at } = value as SharedNetwork;
  return { key: shownKey(key), revision, by, at, value: settings, current: isCurrent };
}

function requireKey(shown: string): string {
  const key = keyOf(shown);
  if (key !== undefined) return key;
  throw new EtherwsError('ARGUMENT_INVALID', `The cluster has no values of the key ${JSON.stringify(shown)}`, {
    hint: `There are ${POLICY_KEY}, and network.NAME`,
  });
}
