import { setTimeout as delay } from 'node:timers/promises';
import { PING, type PingEntry, type PingSpec } from '../../control/reach-entries.ts';
import { EtherwsError } from '../../errors.ts';
import { check } from '../../schema/check.ts';
import { objectOf, type Table } from '../../schema/table.ts';
import { integer, seconds } from '../../schema/types.ts';
import type { Command } from '../commander.ts';
import { escapeSentence, formatJson } from '../format.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { checkUsage } from '../usage-error.ts';
import { type ConnectionOptions, connect, gatherOptions } from './connection.ts';
import { addLeaf } from './leaf.ts';

const MOST_REQUESTS = 1_000_000;

/** What the command does by itself. */
const HERE = {
  count: { type: integer(1, MOST_REQUESTS), default: 4, flag: '--count', metavar: 'N', help: 'how many requests' },
  interval: {
    type: seconds(3600),
    default: 1,
    flag: '--interval',
    metavar: 'SEC',
    unit: 'seconds',
    help: 'from one request to the next one',
  },
} as const satisfies Table;

/** `etherws ctl ping`: asks from the switch, and prints round trips as ping(8). */
export function addPing(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'ping', 'measure the round trip to a station, or to the peer of a tunnel', [
    'ping 192.0.2.7',
    'ping 02:00:00:00:00:05 --vid 10 --count 10',
    'ping uplink',
  ]).argument('<TARGET>', PING.target.help);
  const rows: Table = { ...PING, ...HERE };
  addTableOptions(leaf, rows);
  leaf.action(async (target: string, given: Record<string, unknown>, command: Command) => {
    const names = typedNames(rows, [], { target: 'TARGET' });
    const { count = 4, interval = 1 } = await checkUsage(() => check(objectOf(HERE), typedValues(HERE, given), names));
    const spec = await checkUsage(
      () => check(objectOf(PING), { target, ...typedValues(PING, given) }, names) as PingSpec,
    );
    const options = gatherOptions<ConnectionOptions>(command);
    const client = await connect(options, terminal);
    const entries: PingEntry[] = [];
    for (let sequence = 1; sequence <= count; sequence++) {
      const startMs = performance.now();
      const [entry] = (await client.call('ping', spec)).entries;
      if (entry === undefined) break;
      entries.push(entry);
      if (options.json !== true) terminal.print(lineOf(entry, sequence));
      const restMs = interval * 1000 - (performance.now() - startMs);
      if (sequence < count && restMs > 0) await delay(restMs);
    }
    terminal.print(options.json === true ? formatJson({ entries }) : summaryOf(target, entries));
    if (entries.every(({ by }) => by === null)) {
      throw new EtherwsError('HOST_UNREACHABLE', `${target} has not answered`, {
        hint: 'Look whether ctl trace knows it; a host may also refuse such requests',
      });
    }
  });
}

function lineOf({ asked, by, mac, ip, port, portName, roundTripMs }: PingEntry, sequence: number): string {
  if (by === null || roundTripMs === null) return `no answer seq=${sequence} asked=${asked.join(',')}\n`;
  const who = mac === null ? 'the peer' : `${mac}${ip === null ? '' : ` (${ip})`}`;
  const place = port === null ? '' : ` at port ${port}${portName === null ? '' : ` (${portName})`}`;
  return `${escapeSentence(`answer from ${who}${place}: ${by} seq=${sequence} time=${roundTripMs.toFixed(3)} ms`)}\n`;
}

function summaryOf(target: string, entries: readonly PingEntry[]): string {
  const times = entries.flatMap(({ roundTripMs }) => (roundTripMs === null ? [] : [roundTripMs]));
  const lost = entries.length === 0 ? 0 : Math.round((100 * (entries.length - times.length)) / entries.length);
  const lines = [
    `--- ${target} ping statistics ---`,
    `${entries.length} requests, ${times.length} answers, ${lost}% lost`,
  ];
  if (times.length > 0) {
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    const figures = [Math.min(...times), mean, Math.max(...times)].map((time) => time.toFixed(3)).join('/');
    lines.push(`round trip min/avg/max = ${figures} ms`);
  }
  return `${lines.map(escapeSentence).join('\n')}\n`;
}
