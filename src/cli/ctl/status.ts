import type { StatusEntry } from '../../control/schema.ts';
import type { Command } from '../commander.ts';
import { type Colour, Page, type Paint } from '../page.ts';
import type { Terminal } from '../terminal.ts';
import { formatMs, formatOctets, formatSeconds } from '../units.ts';
import { DISCARD_WORDS } from './discard-words.ts';
import { addLeaf, perform } from './leaf.ts';
import { clusterStatusTable } from './nodes/status-table.ts';

/** Limits are listed when this share of them is used. */
const NEAR = 0.8;
/** An event loop that is later than this delays frames noticeably. */
const LATE_MS = 50;
/** The order of the states in the line of ports. */
const STATES = ['up', 'standby', 'connecting', 'backoff', 'away', 'down', 'closed', 'shut'];

/** `etherws ctl status`. */
export function addStatus(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'status', 'show on one screen how the switch is', ['status', 'status --json']).action(
    (_options: object, command: Command) =>
      perform(command, terminal, {
        method: 'getStatus',
        params: {},
        clusterTable: clusterStatusTable,
        table: ([entry]) => (entry === undefined ? '' : statusPage(entry, terminal.paint)),
      }),
  );
}

export function statusPage(status: StatusEntry, paint: Paint): string {
  const { version, pid, uptimeSeconds, services, tunnels, fdb, memory, eventLoop } = status;
  const { residentBytes, heapBytes, bufferBytes } = memory;
  const { meanMs, p99Ms, maxMs } = eventLoop;
  return new Page(paint)
    .head(`etherws ${version}, up for ${formatSeconds(uptimeSeconds)}, process ${pid}`)
    .add('Services', ...services.map(({ service, url }) => `${service.padEnd(8)} ${url}`))
    .add('Ports', portsLine(status))
    .add('Tunnels', `${tunnels.dialled} dialled, ${tunnels.accepted} accepted, of ${counted(tunnels.users, 'user')}`)
    .add('Addresses', `${fdb.addresses} of ${fdb.capacity}`)
    .add(
      'Memory',
      `${formatOctets(residentBytes)} resident, ${formatOctets(heapBytes)} heap, ${formatOctets(bufferBytes)} in queues`,
    )
    .add('Event loop', [
      maxMs < LATE_MS ? 'green' : 'yellow',
      `late by ${formatMs(meanMs)} on average, ${formatMs(p99Ms)} at most for 99 %, ${formatMs(maxMs)} once (last minute)`,
    ])
    .add('Faults', ...faultLines(status))
    .add('Limits', ...limitLines(status))
    .add('File', ...fileLines(status))
    .add('Cluster', ...clusterLines(status))
    .toString();
}

function portsLine({ ports }: StatusEntry): readonly [Colour, string] {
  const states = [...STATES, ...Object.keys(ports).filter((state) => !STATES.includes(state))];
  const parts = states.flatMap((state) => (ports[state] === undefined ? [] : [`${ports[state]} ${state}`]));
  const total = Object.values(ports).reduce((sum, count) => sum + count, 0);
  const isAllWell = Object.keys(ports).every((state) => state === 'up' || state === 'shut' || state === 'standby');
  return [isAllWell ? 'green' : 'yellow', total === 0 ? 'none' : parts.join(', ')];
}

function faultLines({ faults }: StatusEntry): (readonly [Colour, string])[] {
  if (faults.length === 0) return [['green', 'no frame was discarded for a fault']];
  return faults.map(({ port, portName, direction, reason, frames }) => {
    const words = DISCARD_WORDS[reason];
    const name = portName === null ? '' : ` (${portName})`;
    const where = `port ${port}${name} ${direction === 'rx' ? 'received' : 'was to send'}`;
    return ['red', `${where} ${counted(frames, 'frame')}, ${reason}${words === undefined ? '' : `: ${words}`}`];
  });
}

function limitLines({ limits }: StatusEntry): (readonly [Colour, string])[] {
  const near = limits.filter(({ used, most }) => used >= most * NEAR);
  if (near.length === 0) return [['green', 'none is near']];
  return near.map(({ limit, used, most }) => {
    const percent = Math.floor((100 * used) / most);
    return [used >= most ? 'red' : 'yellow', `${limit}: ${used} of ${most} used, ${percent} %`];
  });
}

function fileLines({ configuration: { file, deviations } }: StatusEntry): (readonly [Colour, string])[] {
  if (file === null) return [['dim', 'none']];
  if (deviations.length === 0) return [['green', `${file}; the switch runs as it says`]];
  return [
    ['yellow', `${file}; the running state differs:`],
    ...deviations.map((deviation) => ['yellow', deviation] as const),
  ];
}

/** Fail static: without its store a node runs on what it knew. */
function clusterLines({ cluster }: StatusEntry): (readonly [Colour, string])[] {
  if (cluster === undefined) return [];
  const { name, node, members, isStoreConnected, storeSeconds, revision } = cluster;
  const late = members.filter(({ state }) => state === 'late').length;
  const of = `${name}, node ${node}, ${counted(members.length, 'member')}${late === 0 ? '' : `, ${late} late`}`;
  const runs = `runs on revision ${revision} of its networks and policy`;
  return [
    [late === 0 ? 'green' : 'yellow', of],
    isStoreConnected
      ? ['green', `the store is there; this node ${runs}`]
      : ['red', `without the store for ${formatSeconds(storeSeconds)}; this node ${runs}`],
  ];
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
