import type { ControlClient, ControlClientOptions } from '../control/client.ts';

/** What a command line needs of the process around it; a test brings its own. */
export interface Terminal {
  readonly env: Environment;
  /** To standard output: what was asked for. */
  print(text: string): void;
  /** To standard error: what went wrong. */
  complain(text: string): void;
  /** Asks without echo. @throws EtherwsError when there is no terminal to answer */
  askPassword(prompt: string): Promise<string>;
  /** @throws EtherwsError ARGUMENT_INVALID */
  openControl(options: ControlClientOptions): Promise<ControlCaller>;
}

/** As much of the control client as commands need. */
export type ControlCaller = Pick<ControlClient, 'call'>;

/** The variables that stand in for options; an empty one counts as absent. */
export interface Environment {
  readonly ETHERWS_CTLURL?: string | undefined;
  readonly ETHERWS_CTLUSER?: string | undefined;
  readonly ETHERWS_CTL_PASSWD?: string | undefined;
  readonly ETHERWS_CLIENT_PASSWD?: string | undefined;
  readonly ETHERWS_CLIENT_TOKEN?: string | undefined;
}

/** The process's own streams. */
export const PROCESS_TERMINAL: Terminal = {
  env: process.env,
  print: (text) => {
    process.stdout.write(text);
  },
  complain: (text) => {
    // Where even this cannot be written there is nothing left to say it with; the exit status is.
    if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => undefined);
    process.stderr.write(text);
  },
  askPassword: async (prompt) => {
    const { askPassword } = await import('../auth/password.ts');
    return askPassword(prompt);
  },
  openControl: async (options) => {
    const { ControlClient } = await import('../control/client.ts');
    return new ControlClient(options);
  },
};
