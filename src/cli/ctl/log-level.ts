import type { Command } from '../commander.ts';
import type { Terminal } from '../terminal.ts';
import { addLeaf, perform } from './leaf.ts';
import { logLevelTable } from './tables.ts';

/** `etherws ctl loglevel`. */
export function addLogLevel(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'loglevel', 'list the levels of the log by room, or set one or all', [
    'loglevel',
    'loglevel debug',
    'loglevel tunnels=warn',
  ])
    .argument('[[ROOM=]LEVEL]', 'the room, and the least level that is logged: debug, info, warn or error')
    .action((text: string | undefined, _options: object, command: Command) => {
      const table = logLevelTable;
      if (text === undefined) return perform(command, terminal, { method: 'listLogLevel', params: {}, table });
      const at = text.indexOf('=');
      const room = at < 0 ? {} : { room: text.slice(0, at) };
      return perform(command, terminal, {
        method: 'setLogLevel',
        params: { ...room, level: text.slice(at + 1) },
        table,
      });
    });
}
