import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FdbEntry, InterfaceEntry, PortEntry } from '../../src/control/schema.ts';
import type { Host } from './namespaces.ts';
import type { Outcome, Process, ProcessOptions } from './process.ts';
import { PATIENCE_MS } from './waits.ts';

/** The built command `etherws`. */
export const ETHERWS: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../bundle/cli/etherws.js', import.meta.url)),
];

/** The deadline of a start: it takes 1 s of a processor, of which three nodes and all other tests have their share. */
const START_MS = 2 * PATIENCE_MS;
const LEAST_PAUSE_MS = 50;

export interface SwitchStart extends ProcessOptions {
  /** Replaces `etherws`. */
  readonly command?: readonly string[];
}

/** A switch in the foreground on a host, and its control client. */
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
   * Starts `etherws sw --foreground OPTIONS` and waits until its control API answers. Its log is text, unless the options
   * or their configuration file name a format.
   * @param ctlOptions the options of `etherws ctl` for this switch; default: none
   * @param how another program that runs the switch, and the options of its process
   */
  static async start(
    host: Host,
    options: readonly string[] = [],
    ctlOptions: readonly string[] = [],
    { command = ETHERWS, ...how }: SwitchStart = {},
  ): Promise<EtherwsSwitch> {
    const format = options.includes('--config') ? [] : ['--logformat', 'text'];
    const sw = [...command, 'sw', '--foreground', ...format, ...options];
    const process = host.spawn(sw, { timeoutMs: 600_000, ...how });
    const started = new EtherwsSwitch(host, process, ctlOptions);
    await started.#ready();
    return started;
  }

  /** Runs `etherws ctl ARGS`; it may fail. */
  ctl(args: readonly string[], options: ProcessOptions = {}): Promise<Outcome> {
    return this.host.run([...ETHERWS, 'ctl', ...this.#ctlOptions, ...args], options);
  }

  /** Runs `etherws ctl ARGS`, which must succeed and print nothing on standard error. @returns its standard output */
  async done(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.ctl(args);
    if (status !== 0 || stderr !== '')
      throw new Error(`ctl ${args.join(' ')}: ${status}\n${stdout}${stderr}\n${this.process}`);
    return stdout;
  }

  async ports(): Promise<PortEntry[]> {
    return entriesOf(await this.done('listport', '--json'));
  }

  /** The entry of the port with this number, which must exist. */
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

  /** Ends the switch by a signal, as an operator does. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Outcome> {
    this.process.signal(signal);
    return this.process.exited;
  }

  async #ready(): Promise<void> {
    let hasEnded = false;
    void this.process.exited.then(() => {
      hasEnded = true;
    });
    const end = Date.now() + START_MS;
    while (!hasEnded) {
      const askedMs = Date.now();
      const { status, stderr } = await this.ctl(['listport']);
      if (status === 0) return;
      if (Date.now() > end) throw new Error(`not ready within ${START_MS} ms: ${stderr}\n${this.process}`);
      await delay(pauseAfter(askedMs));
    }
    throw new Error(`the switch ended before it was ready: ${this.process}`);
  }
}

/**
 * The pause before something is asked again: as long as the last answer took. To ask may start a program, which would
 * otherwise take the processor from what the test waits for.
 */
function pauseAfter(askedMs: number): number {
  return Math.max(LEAST_PAUSE_MS, Date.now() - askedMs);
}

/** Repeats `ask` until its answer is right. @throws Error with the last answer */
export async function eventually<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  timeoutMs: number = PATIENCE_MS,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const askedMs = Date.now();
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms, last: ${JSON.stringify(answer)}`);
    await delay(pauseAfter(askedMs));
  }
}

function entriesOf<T>(json: string): T[] {
  return (JSON.parse(json) as { entries: T[] }).entries;
}
