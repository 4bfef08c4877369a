import { setTimeout as delay } from 'node:timers/promises';
import { PING, type PingEntry, type PingSpec } from '../../control/reach-entries.ts';
import { EtherwsError } from '../../errors.ts';
import { check } from '../../schema/check.ts';
import { objectOf, type Table } from '../../schema/table.ts';
import { integer, seconds } from '../../schema/types.ts';
import type { Command } from '../commander.ts';
import { formatJson } from '../format.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { checkUsage } from '../usage-error.ts';
import { type ConnectionOptions, connect, gatherOptions } from './connection.ts';
import { addLeaf } from './leaf.ts';
import { lineOf, summaryOf } from './ping-lines.ts';

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
    '--cluster ping 192.0.2.7',
    'ping r2/uplink',
  ]).argument('<TARGET>', PING.target.help);
  const rows: Table = { ...PING, ...HERE };
  addTableOptions(leaf, rows);
  leaf.action(async (target: string, given: Record<string, unknown>, command: Command) => {
    const names = typedNames(rows, [], { target: 'TARGET' });
    const { count = 4, interval = 1 } = await checkUsage(() => check(objectOf(HERE), typedValues(HERE, given), names));
    const spec = await checkUsage(
      () => check(objectOf(PING), { target, ...typedValues(PING, given) }, names) as PingSpec,
    );
    const { cluster, ...options } = gatherOptions<ConnectionOptions>(command);
    const isOfNode = target.includes('/');
    if (cluster === true || isOfNode) {
      const { pingAtNodes } = await import('./nodes/ping.ts');
      return pingAtNodes(await connect(options, terminal), terminal, spec, {
        count,
        interval,
        isJson: options.json === true,
      });
    }
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
