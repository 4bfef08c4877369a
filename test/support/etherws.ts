import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FdbEntry, InterfaceEntry, PortEntry } from '../../src/control/schema.ts';
import type { Host } from './namespaces.ts';
import type { Outcome, Process, ProcessOptions } from './process.ts';
import { PATIENCE_MS } from './waits.ts';

/** The built command line, as a user starts it. */
export const ETHERWS: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../src/cli/etherws.js', import.meta.url)),
];

export interface SwitchStart extends ProcessOptions {
  /** In place of `etherws`. */
  readonly command?: readonly string[];
}

/** A switch in the foreground on one host, and the control client beside it. */
export class EtherwsSwitch {
  readonly host: Host;
  readonly process: Process;
  readonly #ctlOptions: readonly string[];

  private constructor(host: Host, process: Process, ctlOptions: readonly string[]) {
    this.host = host;
    this.process = process;
    this.#ctlOptions = ctlOptions;
  }

  /**
   * Starts `etherws sw --foreground OPTIONS` and waits until its control API answers.
   * @param ctlOptions what `etherws ctl` needs to reach it, when not the defaults
   * @param how the program in front of `sw`, when it shall run under another one, and how that is started
   */
  static async start(
    host: Host,
    options: readonly string[] = [],
    ctlOptions: readonly string[] = [],
    { command = ETHERWS, ...how }: SwitchStart = {},
  ): Promise<EtherwsSwitch> {
    const process = host.spawn([...command, 'sw', '--foreground', ...options], { timeoutMs: 600_000, ...how });
    const started = new EtherwsSwitch(host, process, ctlOptions);
    await started.#ready();
    return started;
  }

  /** `etherws ctl ARGS`, without judging how it ends. */
  ctl(args: readonly string[], options: ProcessOptions = {}): Promise<Outcome> {
    return this.host.run([...ETHERWS, 'ctl', ...this.#ctlOptions, ...args], options);
  }

  /** `etherws ctl ARGS` that has to succeed and to say nothing on standard error. @returns its standard output */
  async done(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.ctl(args);
    if (status !== 0 || stderr !== '')
      throw new Error(`ctl ${args.join(' ')}: ${status}\n${stdout}${stderr}\n${this.process}`);
    return stdout;
  }

  async ports(): Promise<PortEntry[]> {
    return entriesOf(await this.done('listport', '--json'));
  }

  /** The port of that number, which has to exist. */
  async port(number: number): Promise<PortEntry> {
    const found = (await this.ports()).find(({ port }) => port === number);
    if (found === undefined) throw new Error(`no port ${number}`);
    return found;
  }

  async interfaces(): Promise<InterfaceEntry[]> {
    return entriesOf(await this.done('listif', '--json'));
  }

  async fdb(): Promise<FdbEntry[]> {
    return entriesOf(await this.done('listfdb', '--json'));
  }

  /** Ends the switch as an operator does. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Outcome> {
    this.process.signal(signal);
    return this.process.exited;
  }

  async #ready(): Promise<void> {
    let hasEnded = false;
    void this.process.exited.then(() => {
      hasEnded = true;
    });
    const end = Date.now() + PATIENCE_MS;
    while (!hasEnded) {
      const { status, stderr } = await this.ctl(['listport']);
      if (status === 0) return;
      if (Date.now() > end) throw new Error(`not ready within ${PATIENCE_MS} ms: ${stderr}\n${this.process}`);
      await delay(50);
    }
    throw new Error(`the switch ended before it was ready: ${this.process}`);
  }
}

/** Asks again until the answer is as it must be; the last answer is in the error otherwise. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms, last: ${JSON.stringify(answer)}`);
    await delay(50);
  }
}

function entriesOf<T>(json: string): T[] {
  return (JSON.parse(json) as { entries: T[] }).entries;
}
