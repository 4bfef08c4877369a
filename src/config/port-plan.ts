import { isDeepStrictEqual } from 'node:util';
import type { PortSettings, WantedPort } from './wanted-ports.ts';

/** A port that a file wanted before, as it is now. */
export interface RunningPort {
  readonly number: number;
  readonly wanted: WantedPort;
  readonly name: string | null;
  readonly description: string | null;
  readonly shut: boolean;
  /** of its device; undefined for other ports */
  readonly addresses?: readonly string[];
  readonly mtu?: number;
}

/** Settings that a running port gets. */
export interface PortChange extends PortSettings {
  readonly name?: string;
  readonly description?: string;
}

/** One step from the running state to the wanted one. */
export type PortAction =
  | { readonly do: 'add'; readonly port: WantedPort }
  | { readonly do: 'remove'; readonly number: number; readonly port: WantedPort }
  | { readonly do: 'change'; readonly number: number; readonly port: WantedPort; readonly change: PortChange };

/**
 * The steps that lead from the ports that run to those that a file wants, fewest first. A port that is opened in another
 * way is removed and added; all other changes leave it up. Ports that no file wanted are not touched.
 */
export function planPorts(wanted: readonly WantedPort[], running: readonly RunningPort[]): PortAction[] {
  const present = new Map(running.map((port) => [port.wanted.id, port]));
  const removals: PortAction[] = [];
  const others: PortAction[] = [];
  for (const port of wanted) {
    const now = present.get(port.id);
    present.delete(port.id);
    if (now === undefined) others.push({ do: 'add', port });
    else if (isOpenedAlike(port, now.wanted)) {
      const change = changeOf(port, now);
      if (Object.keys(change).length > 0) others.push({ do: 'change', number: now.number, port, change });
    } else {
      removals.push({ do: 'remove', number: now.number, port: now.wanted });
      others.push({ do: 'add', port });
    }
  }
  const gone = [...present.values()].map(({ number, wanted: port }): PortAction => ({ do: 'remove', number, port }));
  // First what goes: its name and its device may be wanted by another.
  return [...gone, ...removals, ...others];
}

function isOpenedAlike(a: WantedPort, b: WantedPort): boolean {
  return isDeepStrictEqual(openingOf(a), openingOf(b));
}

function openingOf({ spec: { type, target, options }, secretFiles }: WantedPort): unknown {
  return [type, target, options, secretFiles];
}

/** What of a port's settings is not as the file wants it. What the file does not say is as for a port that is new. */
export function changeOf({ spec, settings }: WantedPort, now: RunningPort): PortChange {
  const { name = '', description = '' } = spec;
  const { shut = false, addresses = [], mtu } = settings;
  const missing = addresses.filter((address) => now.addresses?.includes(address) !== true);
  return {
    ...(name === (now.name ?? '') ? {} : { name }),
    ...(description === (now.description ?? '') ? {} : { description }),
    ...(shut === now.shut ? {} : { shut }),
    ...(missing.length === 0 ? {} : { addresses: missing }),
    ...(mtu === undefined || mtu === now.mtu ? {} : { mtu }),
  };
}

/** A step in words: `add tap tap0 as lab`. */
export function describeAction(action: PortAction): string {
  const { type, target, name } = action.port.spec;
  const port = `${type} ${target}${name === undefined ? '' : ` (${name})`}`;
  if (action.do === 'add') return `add ${port}`;
  if (action.do === 'remove') return `remove port ${action.number}, ${port}`;
  const changes = Object.entries(action.change).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return `change port ${action.number}, ${port}: ${changes.join(', ')}`;
}
