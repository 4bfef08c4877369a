import { isDeepStrictEqual } from 'node:util';
import {
  DEFAULT_NETWORK,
  defaultSettings,
  NETWORK_OPTIONS,
  type NetworkChange,
  type NetworkSettings,
} from '../schema/network-options.ts';
import type { WantedNetwork } from './wanted-networks.ts';

/** A network of the switch. */
export interface RunningNetwork {
  readonly name: string;
  readonly settings: NetworkSettings;
  /** `auto`: it was made for a tunnel, and is removed with its last port */
  readonly origin: 'file' | 'ctl' | 'auto';
}

/** One step from the running networks to the wanted ones. */
export type NetworkAction =
  | { readonly do: 'add'; readonly network: WantedNetwork }
  | { readonly do: 'change'; readonly network: WantedNetwork; readonly change: NetworkChange }
  | { readonly do: 'remove'; readonly network: WantedNetwork };

export interface NetworkPlan {
  /** to be done before the steps of ports, which may want a new network */
  readonly before: readonly NetworkAction[];
  /** to be done behind the steps of ports, which may leave a network */
  readonly after: readonly NetworkAction[];
}

/**
 * The steps from the running networks to those that a file wants. A network that a call has added stays; if the file wants
 * it, it becomes one of the file. The network `default` is always there, whether the file has it or not.
 */
export function planNetworks(wanted: readonly WantedNetwork[], running: readonly RunningNetwork[]): NetworkPlan {
  const byName = new Map(running.map((network) => [network.name, network]));
  const before: NetworkAction[] = [];
  for (const network of withDefault(wanted)) {
    const now = byName.get(network.name);
    if (now === undefined) before.push({ do: 'add', network });
    else {
      const change = changeOf(network, now.settings);
      if (Object.keys(change).length > 0) before.push({ do: 'change', network, change });
    }
  }
  const names = new Set(withDefault(wanted).map(({ name }) => name));
  const after: NetworkAction[] = running
    .filter(({ name, origin }) => origin === 'file' && !names.has(name))
    .map(({ name }) => ({ do: 'remove', network: { name, settings: {}, place: '' } }));
  return { before, after };
}

/** The wanted networks with `default`, which has its default settings where the file does not have it. */
export function withDefault(wanted: readonly WantedNetwork[]): readonly WantedNetwork[] {
  const hasDefault = wanted.some(({ name }) => name === DEFAULT_NETWORK);
  return hasDefault ? wanted : [{ name: DEFAULT_NETWORK, settings: {}, place: '' }, ...wanted];
}

/** The settings to change so that a network has the wanted ones. */
export function changeOf({ name, settings }: WantedNetwork, now: NetworkSettings): NetworkChange {
  return differing({ ...defaultSettings(name), ...settings }, now);
}

/** The settings of a network that are not the wanted ones, as they are: what calls have changed. */
export function changesOf({ name, settings }: WantedNetwork, now: NetworkSettings): NetworkChange {
  return differing(now, { ...defaultSettings(name), ...settings });
}

/** The settings of `one` that are others in `other`. */
function differing(one: NetworkSettings, other: NetworkSettings): NetworkChange {
  const keys = Object.keys(NETWORK_OPTIONS) as (keyof NetworkSettings)[];
  return Object.fromEntries(
    keys.filter((key) => !isDeepStrictEqual(one[key], other[key])).map((key) => [key, one[key]]),
  );
}
