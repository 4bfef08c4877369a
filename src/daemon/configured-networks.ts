import { type KeptNetworks, readKeptNetworks } from '../config/kept-networks.ts';
import {
  changeOf,
  changesOf,
  type NetworkAction,
  planNetworks,
  type RunningNetwork,
  withDefault,
} from '../config/network-plan.ts';
import type { WantedNetwork } from '../config/wanted-networks.ts';
import type { NetworkControl, NetworkEntry } from '../control/network-entries.ts';
import { describeError, EtherwsError } from '../errors.ts';
import type { RunningNetworks } from '../networks/network-control.ts';
import type { Logger } from '../observability/logger.ts';
import { defaultSettings, type NetworkChange, type NetworkSettings } from '../schema/network-options.ts';
import { typedValue } from '../schema/typed-value.ts';

export interface ConfiguredNetworksOptions {
  readonly running: RunningNetworks;
  readonly logger: Logger;
  /** the section of the state file; undefined without one */
  readonly section: unknown;
  readonly hasFile: boolean;
  /** removes the ports of a network that files and calls have added, as calls do */
  readonly removePorts: (network: string) => Promise<void>;
  /** keeps the state */
  readonly keep: () => Promise<void>;
}

/** A step of a plan, with its error if it failed. */
export interface NetworkStep {
  readonly action: NetworkAction;
  readonly error: EtherwsError | undefined;
}

/** The networks of a running switch, each with its origin: the configuration file, or a call of the control API. */
export class ConfiguredNetworks implements NetworkControl {
  readonly #options: ConfiguredNetworksOptions;
  readonly #running: RunningNetworks;
  /** the networks of the file, as it wants them; `default` is always one of them */
  readonly #ofFile = new Map<string, WantedNetwork>();
  /** the networks that calls have added */
  readonly #added = new Set<string>();
  /** the networks that all nodes of the cluster have, with their settings that are not the defaults */
  readonly #shared = new Map<string, NetworkChange>();
  /** the networks of the file that calls have removed */
  readonly #removed = new Set<string>();
  #wanted: readonly WantedNetwork[] = [];
  readonly #kept: KeptNetworks;

  /** @throws EtherwsError if the section is wrong */
  constructor(options: ConfiguredNetworksOptions) {
    this.#options = options;
    this.#running = options.running;
    this.#kept = readKeptNetworks(options.section);
  }

  /**
   * Adds the networks of the file and of the state file.
   * @param needed those of the ports that are opened next: if they are in the file, they are there whatever calls did
   */
  open(wanted: readonly WantedNetwork[], needed: ReadonlySet<string> = new Set()): void {
    this.#wanted = wanted;
    const { changes, removed, added } = this.#kept;
    for (const network of withDefault(wanted)) {
      const { name, settings } = network;
      if (removed.includes(name) && !needed.has(name)) {
        this.#removed.add(name);
        continue;
      }
      this.#ofFile.set(name, network);
      const put = (all: NetworkChange): unknown =>
        this.#running.has(name) ? this.#running.set(name, all) : this.#running.add(name, all);
      try {
        put({ ...settings, ...changes[name] });
      } catch (error) {
        // The file may have changed since, and the rest of it need not fit to the changes.
        const reason = describeError(error);
        this.#options.logger.error({ network: name, reason }, 'the changes of a network in the state are lost');
        put(settings);
      }
    }
    for (const { name, settings } of added) {
      if (this.#running.has(name)) continue;
      try {
        this.#running.add(name, settings);
        this.#added.add(name);
      } catch (error) {
        this.#options.logger.error({ network: name, reason: describeError(error) }, 'a network of the state is lost');
      }
    }
  }

  /**
   * Has a network as the cluster has it, whatever the file and calls say of it.
   * @param settings those that are not the defaults; null: the cluster does not have the network any more. It is then as the
   *   file has it, or is removed with its ports
   * @returns the number of the ports that were removed
   * @throws EtherwsError REQUEST_REFUSED, ARGUMENT_INVALID
   */
  async share(name: string, settings: NetworkChange | null): Promise<number> {
    if (settings !== null) {
      if (this.#running.has(name)) this.#running.set(name, { ...defaultSettings(name), ...settings });
      else this.#running.add(name, settings);
      this.#running.adopt(name);
      this.#shared.set(name, settings);
      return 0;
    }
    if (!this.#shared.delete(name) || !this.#running.has(name)) return 0;
    const wanted = withDefault([...this.#ofFile.values()]).find((network) => network.name === name);
    if (wanted !== undefined || this.#added.has(name)) {
      this.#running.set(name, { ...defaultSettings(name), ...wanted?.settings });
      return 0;
    }
    const { ports } = this.#running.requireRemovable(name, true);
    await this.#options.removePorts(name);
    await this.#running.remove(name, true);
    return ports;
  }

  async add(name: string, settings: NetworkChange): Promise<NetworkEntry> {
    const entry = this.#running.add(name, settings);
    this.#note(name);
    await this.#options.keep();
    return this.#marked(entry);
  }

  async set(name: string, settings: NetworkChange): Promise<NetworkEntry> {
    this.#requireOwn(name, 'setnet');
    const entry = this.#running.set(name, settings);
    await this.#options.keep();
    return this.#marked(entry);
  }

  async remove(name: string, isForced: boolean): Promise<NetworkEntry> {
    this.#requireOwn(name, 'delnet');
    const last = this.#marked(this.#running.requireRemovable(name, isForced));
    await this.#options.removePorts(name);
    await this.#running.remove(name, isForced);
    if (this.#ofFile.delete(name)) this.#removed.add(name);
    this.#added.delete(name);
    await this.#options.keep();
    return last;
  }

  /** To be called when a call has added a port to a network: one that a tunnel has made stays then, as with `add`. */
  portAdded(name: string): void {
    if (!this.#running.adopt(name)) return;
    this.#note(name);
  }

  list(): NetworkEntry[] {
    return this.#running.list().map((entry) => this.#marked(entry));
  }

  /** The steps from the running networks to the wanted ones: those before the steps of ports, and those behind them. */
  plan(wanted: readonly WantedNetwork[]): ReturnType<typeof planNetworks> {
    const { before, after } = planNetworks(wanted, this.networks());
    const isOwn = ({ network }: NetworkAction): boolean => !this.#shared.has(network.name);
    return { before: before.filter(isOwn), after: after.filter(isOwn) };
  }

  /** Takes the steps before those of ports, even if some fail. */
  applyBefore(wanted: readonly WantedNetwork[]): NetworkStep[] {
    const { before } = this.plan(wanted);
    this.#wanted = wanted;
    this.#removed.clear();
    const steps = before.map((action) => this.#take(action));
    for (const network of withDefault(wanted)) {
      if (!this.#running.has(network.name)) continue;
      this.#running.adopt(network.name);
      this.#ofFile.set(network.name, network);
      this.#added.delete(network.name);
    }
    return steps;
  }

  /** Removes the networks that the file does not have any more, with the ports that are left in them. */
  async applyAfter(): Promise<NetworkStep[]> {
    const steps: NetworkStep[] = [];
    for (const action of this.plan(this.#wanted).after) {
      const { name } = action.network;
      try {
        await this.#options.removePorts(name);
        await this.#running.remove(name, true);
        this.#ofFile.delete(name);
        steps.push({ action, error: undefined });
      } catch (error) {
        steps.push({ action, error: placed(action.network, error) });
      }
    }
    return steps;
  }

  /** The changes of the file's networks by calls. */
  deviations(): readonly NetworkAction[] {
    const { before, after } = this.plan(this.#wanted);
    return [...before, ...after];
  }

  /** All networks, in their current state. */
  networks(): RunningNetwork[] {
    return this.#running.list().map(({ network: name, settings }) => ({
      name,
      settings: settings as NetworkSettings,
      origin: this.#ofFile.has(name) ? 'file' : this.#added.has(name) ? 'ctl' : 'auto',
    }));
  }

  /** As a configuration file is to have them: those of the cluster, which has their settings, only where the file needs the name. */
  toSave(): RunningNetwork[] {
    const inUse = new Set(this.#running.list().flatMap(({ network, ports }) => (ports > 0 ? [network] : [])));
    return this.networks().flatMap((network): RunningNetwork[] => {
      const { name } = network;
      const ofFile = this.#ofFile.get(name);
      if (!this.#shared.has(name)) return [network];
      if (ofFile === undefined && !inUse.has(name)) return [];
      return [{ name, settings: { ...defaultSettings(name), ...ofFile?.settings }, origin: 'file' }];
    });
  }

  /** The section of the state file: without the networks of the cluster, which it keeps by itself. */
  section(): KeptNetworks {
    const networks = this.networks().filter(({ name }) => !this.#shared.has(name));
    const changes = networks.flatMap(({ name, settings }) => {
      const wanted = this.#ofFile.get(name);
      const change = wanted === undefined ? {} : changesOf(wanted, settings);
      return Object.keys(change).length === 0 ? [] : [[name, change] as const];
    });
    const added = networks
      .filter(({ origin }) => origin === 'ctl')
      .map(({ name, settings }) => ({ name, settings: changesOf({ name, settings: {}, place: '' }, settings) }));
    return { changes: Object.fromEntries(changes), removed: [...this.#removed], added };
  }

  #take(action: NetworkAction): NetworkStep {
    const { name, settings } = action.network;
    try {
      if (action.do === 'add') this.#running.add(name, settings);
      else if (action.do === 'change') this.#running.set(name, action.change);
      return { action, error: undefined };
    } catch (error) {
      return { action, error: placed(action.network, error) };
    }
  }

  /** Notes the origin of a network that a call has added. One of the file that was removed before is the file's again. */
  #note(name: string): void {
    const wanted = this.#removed.delete(name) ? this.#wanted.find((network) => network.name === name) : undefined;
    if (wanted === undefined) this.#added.add(name);
    else this.#ofFile.set(name, wanted);
  }

  /** @throws EtherwsError REQUEST_REFUSED for a network of the cluster */
  #requireOwn(name: string, command: string): void {
    if (!this.#shared.has(name)) return;
    throw new EtherwsError('REQUEST_REFUSED', `The network "${name}" is one of all nodes of the cluster`, {
      hint: `Change it for all: ctl --cluster ${command} ${name}`,
    });
  }

  #marked(entry: NetworkEntry): NetworkEntry {
    if (this.#shared.has(entry.network)) return { ...entry, config: 'cluster' };
    if (!this.#options.hasFile) return entry;
    const wanted = this.#ofFile.get(entry.network);
    if (wanted === undefined) return { ...entry, config: this.#added.has(entry.network) ? 'added' : null };
    const settings = { ...defaultSettings(entry.network), ...entry.settings } as NetworkSettings;
    return { ...entry, config: Object.keys(changeOf(wanted, settings)).length === 0 ? 'file' : 'changed' };
  }
}

/** A step as text: `change network lab: ageout 60`. */
export function describeNetworkAction(action: NetworkAction): string {
  const change = action.do === 'change' ? `: ${describeSettings(action.change)}` : '';
  return `${action.do} network ${action.network.name}${change}`;
}

export function describeSettings(settings: NetworkChange): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key} ${typedValue(value)}`)
    .join(', ');
}

function placed({ place }: WantedNetwork, error: unknown): EtherwsError {
  const prefix = place === '' ? '' : `${place}: `;
  if (!(error instanceof EtherwsError)) return new EtherwsError('CONFIG_INVALID', prefix + describeError(error));
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new EtherwsError(error.code, prefix + error.message, { cause: error, ...hint });
}
