import { isDeepStrictEqual } from 'node:util';
import type { PortSettings, WantedPort } from './wanted-ports.ts';

/** A port that runs because a file or a caller of the control API wants it. */
export interface RunningPort {
  readonly number: number;
  /** how it was opened; the secrets are in `spec.options`, as in that of `planPorts` */
  readonly opened: WantedPort;
  readonly origin: 'file' | 'ctl';
  /** as it is now */
  readonly name: string;
  readonly description: string;
  readonly shut: boolean;
  /** the addresses that the switch has given its device */
  readonly addresses: readonly string[];
  /** the MTU that the switch has given its device; undefined: none */
  readonly mtu: number | undefined;
  /** the MTU that the device had before; undefined for a port without a device */
  readonly firstMtu: number | undefined;
}

/** Settings that a running port gets. */
export interface PortChange extends PortSettings {
  readonly name?: string;
  readonly description?: string;
  /** addresses to take away */
  readonly withoutAddresses?: readonly string[];
}

/** One step from the running state to the wanted one. */
export type PortAction =
  | { readonly do: 'add'; readonly port: WantedPort }
  | { readonly do: 'remove'; readonly number: number; readonly port: WantedPort }
  /** closes the port, and opens it in another way under the same number */
  | { readonly do: 'replace'; readonly number: number; readonly port: WantedPort }
  | { readonly do: 'change'; readonly number: number; readonly port: WantedPort; readonly change: PortChange };

export interface PortPlan {
  /** what goes first, since its name and its device may be wanted by another */
  readonly actions: readonly PortAction[];
  /** the ports that stay, by number, with what the file says of them now */
  readonly kept: ReadonlyMap<number, WantedPort>;
}

/**
 * The steps that lead from the ports that run to those that a file wants. A port that is opened in another way is
 * replaced; all other changes leave it up. A port that a caller has added stays, unless the file wants another one with
 * its name or device; the file takes over one that it wants just so.
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
  // A name that one port gives up may be that of another.
  for (const action of others) {
    if (action.do !== 'change' || action.change.name === undefined) continue;
    const { name } = running.find(({ number }) => number === action.number) ?? {};
    const isWanted = name !== '' && wanted.some((port) => port !== action.port && port.spec.name === name);
    if (isWanted) releases.push({ ...action, change: { name: '' } });
  }
  return { actions: [...removals, ...releases, ...others], kept };
}

/** What of a port is not as the file wants it. What the file does not say is as for a new port. */
export function changeOf({ spec, settings }: WantedPort, now: RunningPort): PortChange {
  const { name = '', description = '' } = spec;
  const { shut = false, addresses = [], mtu = now.firstMtu } = settings;
  const missing = addresses.filter((address) => !now.addresses.includes(address));
  const further = now.addresses.filter((address) => !addresses.includes(address));
  return {
    ...(name === now.name ? {} : { name }),
    ...(description === now.description ? {} : { description }),
    ...(shut === now.shut ? {} : { shut }),
    ...(missing.length === 0 ? {} : { addresses: missing }),
    ...(further.length === 0 ? {} : { withoutAddresses: further }),
    ...(mtu === undefined || mtu === (now.mtu ?? now.firstMtu) ? {} : { mtu }),
  };
}

/**
 * Which running port is which of the file: a device is a port of one switch once, so that it tells; tunnels are told by
 * what the file called them, else by their name now, else by their URL.
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

/** Whether a first failure is an error is a matter of the call that adds the port. */
function openingOf({ spec: { type, target, options = {} } }: WantedPort): unknown {
  const { wait: _, ...others } = options as { readonly wait?: boolean };
  return [type, target, others];
}
