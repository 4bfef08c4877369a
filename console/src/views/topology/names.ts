import type { NeighborEntry } from '../../../../src/control/neighbor-entries.ts';
import type { PortEntry } from '../../../../src/control/schema.ts';
import type { Node } from './graph.ts';
import type { Station } from './tables.ts';

/** The labels of nodes. All of them are text that ports and peers choose: they are only ever shown as text. */

const MOST_CHARACTERS = 28;

/** Shortens in the middle, since targets and names differ at both ends. */
export function shorten(text: string, most: number = MOST_CHARACTERS): string {
  if (text.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`;
}

/** The name of a port, else its number. */
export function portLabel({ port, name }: Pick<PortEntry, 'port' | 'name'>): string {
  return name ?? `port ${port}`;
}

/** A URL without its scheme and an empty path. */
export function briefTarget(target: string): string {
  return target.replace(/^wss?:\/\//, '').replace(/\/$/, '');
}

/** What a station is best known by: its name, else its IP address, else its MAC address. */
export function stationLabel({ mac, hostname, addresses }: Station): string {
  return hostname ?? addresses?.[0] ?? mac;
}

export function neighborLabel({ system, chassis }: Pick<NeighborEntry, 'system' | 'chassis'>): string {
  return system ?? chassis;
}

/** A formatter costs much to make, and `toLocaleString` makes one each time. */
const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `1 station`, `412 stations`. */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${WHOLE.format(count).replaceAll(',', '\u202f')} ${count === 1 ? one : more}`;
}

const MOST_REASON = 34;

/** What stands below the label: the reason of a fault, as far as its colon, else the note. */
export function secondLine({ look, reason, note }: Pick<Node, 'look' | 'reason' | 'note'>): string {
  if (look !== 'fault' || reason === '') return note;
  const [head = reason] = reason.split(': ');
  return head.length <= MOST_REASON ? head : `${head.slice(0, MOST_REASON - 1)}…`;
}
