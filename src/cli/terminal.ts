import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { ControlClient, ControlClientOptions } from '../control/client.ts';
import type { DesktopEnvironment } from './open-page.ts';
import type { Paint } from './page.ts';

/** The streams and the environment of a command line; tests replace them. */
export interface Terminal {
  readonly env: Environment;
  /** Standard output as a stream, for octets and for back-pressure. */
  output(): Writable;
  /** Writes results to standard output. */
  print(text: string): void;
  /** Writes errors and warnings to standard error. */
  complain(text: string): void;
  /** Colours text for standard output: only on a terminal, and not with NO_COLOR. */
  readonly paint: Paint;
  /** Asks without echo. @throws EtherwsError ARGUMENT_INVALID if the input ends without an answer */
  askPassword(prompt: string): Promise<string>;
  /** Opens a page in a browser of the desktop, if there is one. @returns whether a program was started for it */
  openPage(url: string): Promise<boolean>;
  /** @throws EtherwsError ARGUMENT_INVALID */
  openControl(options: ControlClientOptions): Promise<ControlCaller>;
}

/** The part of the control client that commands use. */
export type ControlCaller = Pick<ControlClient, 'call' | 'watch' | 'observe' | 'capture'>;

/** The environment variables that replace options, and those of a desktop; an empty one counts as absent. */
export interface Environment extends DesktopEnvironment {
  readonly ETHERWS_CTLURL?: string | undefined;
  readonly ETHERWS_CTLUSER?: string | undefined;
  readonly ETHERWS_CTL_PASSWD?: string | undefined;
  readonly ETHERWS_CLIENT_PASSWD?: string | undefined;
  readonly ETHERWS_CLIENT_TOKEN?: string | undefined;
}

/** The streams and the environment of this process. */
export const PROCESS_TERMINAL: Terminal = {
  env: process.env,
  output: () => process.stdout,
  print: (text) => {
    process.stdout.write(text);
  },
  complain: (text) => {
    // A failure of standard error cannot be reported; the exit status still tells.
    if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => undefined);
    process.stderr.write(text);
  },
  paint: (colour, text) => styleText(colour, text, { stream: process.stdout }),
  askPassword: async (prompt) => {
    const { askPassword } = await import('../auth/password.ts');
    return askPassword(prompt);
  },
  openPage: async (url) => {
    const { openPage } = await import('./open-page.ts');
    return openPage(url, process.env);
  },
  openControl: async (options) => {
    const { ControlClient } = await import('../control/client.ts');
    return new ControlClient(options);
  },
};
