import { duration } from '../../parts/time.ts';
import { meaningOf } from '../ports/discards.ts';
import type { ShownEvent } from './sentences.ts';

/** The facts of events in words, by their names in the control API. */
const WORDS: Readonly<Record<string, string>> = {
  sequence: 'Number of the event',
  port: 'Port',
  portName: 'Name of the port',
  network: 'Network',
  type: 'Type of the port',
  target: 'Target',
  state: 'State',
  reason: 'Reason',
  user: 'User',
  wire: 'Wire format',
  url: 'URL',
  vid: 'VLAN',
  mac: 'MAC address',
  movedFrom: 'Port before',
  displaced: 'Made room',
  ports: 'Between ports',
  moves: 'Moves',
  withinMs: 'Within',
  addresses: 'Addresses',
  action: 'Action',
  phase: 'Phase',
  kind: 'Kind of frames',
  limit: 'Limit',
  frames: 'Frames',
  system: 'Name of the neighbour',
  chassis: 'Chassis',
  neighborPort: 'Its port',
  querier: 'Querier',
  own: 'This switch is it',
  family: 'IP version',
  refused: 'Refused',
  detected: 'Detected here',
  root: 'Root bridge',
  worker: 'Worker',
  node: 'Node',
  version: 'Version',
  most: 'Most',
  cluster: 'Cluster',
  failures: 'Failures',
  lost: 'Events lost',
};

/** The names of the facts with words. */
export const KNOWN_FACTS: readonly string[] = Object.keys(WORDS);

/** What an event says beside its time and kind, in words. Facts that are null are left out. */
export function factsOf({ time: _, event, ...facts }: ShownEvent): readonly (readonly [name: string, value: string])[] {
  return Object.entries(facts).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [[nameOf(name), textOf(event, name, value)] as const],
  );
}

/** A newer switch may tell facts that this page does not know. */
function nameOf(fact: string): string {
  return Object.hasOwn(WORDS, fact) ? (WORDS[fact] as string) : fact;
}

function textOf(event: ShownEvent['event'], name: string, value: unknown): string {
  if (name === 'vid' && value === 0) return 'none: without a tag';
  if (name === 'limit' && typeof value === 'number') return `${value} frames/s`;
  if (name === 'withinMs' && typeof value === 'number') return duration(value / 1000);
  if (name === 'reason' && event === 'violation') return `${value}: frames that ${meaningOf(String(value)).words}`;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
