import type { Command } from '../commander.ts';
import { formatJson } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import { type ConnectionOptions, connect, gatherOptions } from './connection.ts';
import { addLeaf } from './leaf.ts';

const LOOK_MS = 200;

/** `etherws ctl drain`. */
export function addDrain(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'drain', 'hand the clients of this node over to the other nodes of its cluster, before maintenance', [
    'drain',
    'drain --off',
  ])
    .option('--off', 'take clients again')
    .option('--no-wait', 'do not wait until the node has no more clients')
    .action(async ({ off = false, wait }: { off?: boolean; wait: boolean }, command: Command) => {
      const options = gatherOptions<ConnectionOptions>(command);
      const client = await connect(options, terminal);
      let result = await client.call('drain', off ? { off } : {});
      while (!off && wait && result.entries[0]?.draining === true && result.entries[0].tunnels > 0) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        result = await client.call('drain', {});
      }
      if (options.json === true) {
        terminal.print(formatJson(result));
        return;
      }
      const [{ draining = false, tunnels = 0 } = {}] = result.entries;
      const clients = tunnels === 1 ? '1 client' : `${tunnels} clients`;
      terminal.print(draining ? `  Draining; ${clients} left\n` : `  Takes clients; ${clients} now\n`);
    });
}
