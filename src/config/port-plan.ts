import { isDeepStrictEqual } from 'node:util';
import { type BridgePortValues, bridgePortValues, changedValues } from '../schema/bridge-port-options.ts';
import { DEFAULT_NETWORK } from '../schema/network-options.ts';
import type { PortSettings, WantedPort } from './wanted-ports.ts';

/** A port of the switch that a file or a call of the control API has added. */
export interface RunningPort {
  readonly number: number;
  /** how it was opened; the secrets are in `spec.options`, as in the ports that `planPorts` gets */
  readonly opened: WantedPort;
  readonly origin: 'file' | 'ctl';
  /** its current name */
  readonly name: string;
  readonly description: string;
  readonly shut: boolean;
  /** the settings of its bridge port that are not the defaults */
  readonly values: BridgePortValues;
  /** the addresses that the switch has given its device */
  readonly addresses: readonly string[];
  /** the MTU that the switch has given its device; undefined: none */
  readonly mtu: number | undefined;
  /** the MTU that the device had before; undefined for a port without a device */
  readonly firstMtu: number | undefined;
}

/** Changes of a running port's settings. */
export interface PortChange extends PortSettings {
  readonly name?: string;
  readonly description?: string;
  /** addresses to remove from its device */
  readonly withoutAddresses?: readonly string[];
}

/** One step from the running state to the wanted state. */
export type PortAction =
  | { readonly do: 'add'; readonly port: WantedPort }
  | { readonly do: 'remove'; readonly number: number; readonly port: WantedPort }
  /** closes the port, and opens another one with the same number */
  | { readonly do: 'replace'; readonly number: number; readonly port: WantedPort }
  | { readonly do: 'change'; readonly number: number; readonly port: WantedPort; readonly change: PortChange };

export interface PortPlan {
  /** removals come first, since another port may want the name or the device */
  readonly actions: readonly PortAction[];
  /** the ports that stay, by number, as the file wants them now */
  readonly kept: ReadonlyMap<number, WantedPort>;
}

/**
 * The steps from the running ports to those that a file wants. A port with other options of its opening is replaced;
 * all other changes leave it up. A port that a call has added stays, unless the file wants another one with its name or
 * device. If the file wants the same port, it becomes one of the file.
 */
export function planPorts(wanted: readonly WantedPort[], running: readonly RunningPort[]): PortPlan {
  const pairs = pairsOf(wanted, running);
  const removals: PortAction[] = running
    .filter((port) => port.origin === 'file' && !pairs.has(port))
    .map(({ number, opened: port }) => ({ do: 'remove', number, port }));
  const byWanted = new Map([...pairs].map(([now, port]) => [port, now]));
  const kept = new Map<number, WantedPort>();
  const releases: PortAction[] = [];
  const others: PortAction[] = [];
  for (const port of wanted) {
    const now = byWanted.get(port);
    if (now === undefined) others.push({ do: 'add', port });
    else if (isOpenedAlike(port, now.opened)) {
      kept.set(now.number, port);
      const change = changeOf(port, now);
      if (Object.keys(change).length > 0) others.push({ do: 'change', number: now.number, port, change });
    } else others.push({ do: 'replace', number: now.number, port });
  }
  // A name that one port loses may be the new name of another.
  for (const action of others) {
    if (action.do !== 'change' || action.change.name === undefined) continue;
    const { name } = running.find(({ number }) => number === action.number) ?? {};
    const isWanted = name !== '' && wanted.some((port) => port !== action.port && port.spec.name === name);
    if (isWanted) releases.push({ ...action, change: { name: '' } });
  }
  return { actions: [...removals, ...releases, ...others], kept };
}

/** The settings of a port that differ from the file. Settings that the file does not have are those of a new port. */
export function changeOf({ spec, settings }: WantedPort, now: RunningPort): PortChange {
  const { name = '', description = '' } = spec;
  const { shut = false, addresses = [], mtu = now.firstMtu } = settings;
  const missing = addresses.filter((address) => !now.addresses.includes(address));
  const further = now.addresses.filter((address) => !addresses.includes(address));
  return {
    ...(name === now.name ? {} : { name }),
    ...(description === now.description ? {} : { description }),
    ...(shut === now.shut ? {} : { shut }),
    ...changedValues(now.values, bridgePortValues(settings)),
    ...(missing.length === 0 ? {} : { addresses: missing }),
    ...(further.length === 0 ? {} : { withoutAddresses: further }),
    ...(mtu === undefined || mtu === (now.mtu ?? now.firstMtu) ? {} : { mtu }),
  };
}

/**
 * Pairs running ports with those of the file. A device is a port at most once, so its name identifies it; tunnels are
 * identified by the name that the file gave them, else by their current name, else by their URL.
 */
function pairsOf(wanted: readonly WantedPort[], running: readonly RunningPort[]): Map<RunningPort, WantedPort> {
  const pairs = new Map<RunningPort, WantedPort>();
  const left = new Set(wanted);
  const pair = (isSame: (now: RunningPort, port: WantedPort) => boolean): void => {
    for (const port of left) {
      const found = running.find((now) => !pairs.has(now) && isSame(now, port));
      if (found === undefined) continue;
      pairs.set(found, port);
      left.delete(port);
    }
  };
  const isSameTarget = ({ opened }: RunningPort, { spec: { type, target } }: WantedPort): boolean =>
    opened.spec.type === type && opened.spec.target === target;
  pair((now, port) => port.spec.type !== 'client' && isSameTarget(now, port));
  pair((now, port) => now.origin === 'file' && now.opened.id === port.id);
  pair((now, port) => now.name !== '' && now.name === port.spec.name);
  pair(isSameTarget);
  return pairs;
}

function isOpenedAlike(a: WantedPort, b: WantedPort): boolean {
  return isDeepStrictEqual(openingOf(a), openingOf(b));
}

/** The network, and the options of opening without `wait`: it concerns the call that adds the port, not the port. */
function openingOf({ spec: { type, target, network = DEFAULT_NETWORK, options = {} } }: WantedPort): unknown {
  const { wait: _, ...others } = options as { readonly wait?: boolean };
  return [type, target, network, others];
}
