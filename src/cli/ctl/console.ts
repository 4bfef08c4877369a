import { controlAddress } from '../../control/control-address.ts';
import type { LoginEntry } from '../../control/login-entries.ts';
import type { Command } from '../commander.ts';
import type { Terminal } from '../terminal.ts';
import { type ConnectionOptions, controlUrl, gatherOptions } from './connection.ts';
import { addLeaf, perform } from './leaf.ts';

/** `etherws ctl console`: prints the address of the console with a one-time login, and opens it in a browser. */
export function addConsole(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'console', 'print the address of the console with a one-time login, and open it in a browser', [
    'console',
    'console --no-open',
    '--ctlurl unix:/run/etherws.ctl console',
  ])
    .option('--no-open', 'only print it')
    .action(async ({ open }: { open: boolean }, command: Command) => {
      const options = gatherOptions<ConnectionOptions>(command);
      let made: LoginEntry | undefined;
      await perform(command, terminal, {
        method: 'createLogin',
        params: {},
        noted: ([entry]) => {
          made = entry;
        },
        table: (entries) => entries.map((entry) => `${pageOf(entry, controlUrl(options, terminal))}\n`).join(''),
      });
      if (made === undefined || options.json === true) return;
      terminal.complain(`The login works once, within ${made.expiresSeconds} s.\n`);
      if (open) await terminal.openPage(pageOf(made, controlUrl(options, terminal)));
    });
}

/**
 * The address of the console with the code in its fragment, which browsers do not send.
 * @param url of the control API. Over TCP the console is at the same host: the switch may not know the name or the proxy by
 *   which it is reached
 */
function pageOf({ code, url, controlPath }: LoginEntry, called: string | undefined): string {
  const address = controlAddress(called);
  const fragment = `#login=${code}`;
  if (address.socketPath !== undefined) return url + fragment;
  const { origin, pathname } = new URL(address.url);
  const above = pathname.endsWith(controlPath) ? pathname.slice(0, pathname.length - controlPath.length) : '';
  return `${origin}${above}/console/${fragment}`;
}
