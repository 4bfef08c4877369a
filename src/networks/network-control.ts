import { wrongTimes } from '../bridge/spanning-tree/settings.ts';
import type { NetworkControl, NetworkEntry } from '../control/network-entries.ts';
import { EtherwsError } from '../errors.ts';
import { defaultSettings, type NetworkChange, type NetworkSettings } from '../schema/network-options.ts';
import type { Network } from './network.ts';
import { requireRemovable } from './removable-network.ts';
import type { Switch } from './switch.ts';

/** The commands of the control API on the networks of a running switch. */
export class RunningNetworks implements NetworkControl {
  readonly #switch: Switch;

  constructor(target: Switch) {
    this.#switch = target;
  }

  add(name: string, settings: NetworkChange): NetworkEntry {
    requireTimes({ ...defaultSettings(name), ...settings });
    return networkEntry(this.#switch.addNetwork(name, settings));
  }

  set(name: string, settings: NetworkChange): NetworkEntry {
    const network = this.#switch.network(name);
    requireTimes({ ...network.settings, ...settings });
    return networkEntry(this.#switch.configureNetwork(name, settings));
  }

  async remove(name: string, isForced: boolean): Promise<NetworkEntry> {
    const last = networkEntry(this.#switch.network(name));
    await this.#switch.removeNetwork(name, isForced);
    return last;
  }

  has(name: string): boolean {
    return this.#switch.hasNetwork(name);
  }

  /** Lets a network stay that a tunnel has made. @returns whether a tunnel had made it */
  adopt(name: string): boolean {
    const network = this.#switch.network(name);
    const isAuto = network.maker !== undefined;
    network.maker = undefined;
    return isAuto;
  }

  /** The state of a network that `remove` would remove. @throws as `remove` */
  requireRemovable(name: string, isForced: boolean): NetworkEntry {
    const network = this.#switch.network(name);
    requireRemovable(network, isForced);
    return networkEntry(network);
  }

  list(): NetworkEntry[] {
    return [...this.#switch.networks].map(networkEntry);
  }
}

/** @throws EtherwsError ARGUMENT_INVALID for times of the spanning tree that do not fit together */
export function requireTimes(settings: NetworkSettings): void {
  const wrong = wrongTimes(settings);
  if (wrong === undefined) return;
  throw new EtherwsError('ARGUMENT_INVALID', `The times of the spanning tree do not fit together: ${wrong}`, {
    hint: 'Change them in one call; IEEE 802.1D has max-age 20, forward-delay 15 and hello-time 2',
  });
}

function networkEntry({ name, bridge, settings, maker }: Network): NetworkEntry {
  return {
    network: name,
    ports: bridge.ports.size,
    addresses: bridge.fdbSize,
    auto: maker !== undefined,
    settings: { ...settings },
    config: null,
  };
}
