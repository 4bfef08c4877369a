import type { WatchedEvent } from '../../control/event-stream.ts';
import { type ParamsOf, SUBSCRIBE } from '../../control/schema.ts';
import { EVENT_KINDS } from '../../events/event.ts';
import { closestWord } from '../../schema/closest-word.ts';
import { DEFAULT_NETWORK } from '../../schema/network-options.ts';
import type { Command } from '../commander.ts';
import { escapeSentence, formatJson } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { type ConnectionOptions, connect, gatherOptions } from './connection.ts';
import { addLeaf, describeJson } from './leaf.ts';

/** `etherws ctl watch`: prints a line an event until the switch ends or the command is interrupted. */
export function addWatch(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'watch', 'print what happens in the switch, as it happens', [
    'watch',
    'watch --events port-up,port-down,tunnel-up,tunnel-down',
    'watch --json --events address-learned',
    '--cluster watch',
  ]);
  describeJson(leaf, 'print each event as a line of JSON')
    .option('--events <LIST>', `${SUBSCRIBE.events.help}, with commas between them: ${EVENT_KINDS.join(', ')}`)
    .action(async (given: { events?: string }, command: Command) => {
      const { cluster, ...options } = gatherOptions<ConnectionOptions>(command);
      const params = given.events === undefined ? {} : { events: kindsIn(given.events) };
      const client = await connect(options, terminal);
      await new Promise<void>((_resolve, reject) => {
        const print = (event: WatchedEvent): void =>
          terminal.print(options.json === true ? formatJson(event) : lineOf(event));
        client.watch(params, print, reject, cluster === true ? 'subscribeCluster' : 'subscribe').catch(reject);
      });
    });
}

function kindsIn(list: string): NonNullable<ParamsOf<'subscribe'>['events']> {
  return list.split(',').map((word) => {
    const kind = EVENT_KINDS.find((known) => known === word.trim());
    if (kind !== undefined) return kind;
    const meant = closestWord(word.trim(), EVENT_KINDS);
    const hint = meant === undefined ? `There are ${EVENT_KINDS.join(', ')}` : `Did you mean ${meant}?`;
    throw new UsageError(`--events: there is no event '${word.trim()}'`, hint);
  });
}

/**
 * `TIME [NODE] SEQUENCE EVENT port=N name=NAME …`; a value with spaces stands in quotes. One that is null, and the default
 * network, are left out.
 */
function lineOf({ time, at, sequence, event, ...facts }: WatchedEvent): string {
  const words = Object.entries(facts)
    .filter(([name, value]) => value !== null && !(name === 'network' && value === DEFAULT_NETWORK))
    .map(([name, value]) => `${name}=${shown(value)}`);
  return `${escapeSentence([time, at, sequence, event, ...words].filter((word) => word !== undefined).join(' '))}\n`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  const text = String(value);
  return /[\s"]/.test(text) || text === '' ? JSON.stringify(text) : text;
}
