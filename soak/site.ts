import { EtherwsSwitch } from '../test/support/etherws.ts';
import { descriptorsOf, residentBytesOf } from '../test/support/examination.ts';
import type { Host } from '../test/support/namespaces.ts';
import { LONGEST_MS } from '../test/support/process.ts';
import { layTap } from '../test/support/tap-pair.ts';
import type { Verdict } from './verdict.ts';

/** pino's number of the level error. */
const ERROR = 50;

/** Descriptors and memory of a switch at one moment. */
export interface Sample {
  readonly pid: number | undefined;
  readonly descriptors: number;
  readonly residentBytes: number;
}

export interface SitePlan {
  readonly name: string;
  readonly tap: { readonly mac: string; readonly address: string };
  /** Options of `etherws sw`. */
  readonly sw: readonly string[];
  /** The arguments of calls of `etherws ctl` after the start. */
  readonly ctl: readonly (readonly string[])[];
}

/**
 * A host with one switch, whose TAP device persists between runs of the switch. A switch
 * that ends unexpectedly, or that logs an error, is a complaint of the verdict.
 */
export class Site {
  readonly host: Host;
  readonly name: string;
  readonly #plan: SitePlan;
  readonly #verdict: Verdict;
  #running: EtherwsSwitch | undefined;

  private constructor(host: Host, plan: SitePlan, verdict: Verdict) {
    this.host = host;
    this.name = plan.name;
    this.#plan = plan;
    this.#verdict = verdict;
  }

  static async open(host: Host, plan: SitePlan, verdict: Verdict): Promise<Site> {
    const site = new Site(host, plan, verdict);
    await layTap(host, plan.tap.mac, `${plan.tap.address}/24`);
    return site;
  }

  /** The running switch. @throws Error if it does not run */
  get running(): EtherwsSwitch {
    if (this.#running === undefined) throw new Error(`the switch of ${this.name} does not run`);
    return this.#running;
  }

  /** Its address on the Ethernet that the switches form. */
  get address(): string {
    return this.#plan.tap.address;
  }

  async start(): Promise<void> {
    const started = await EtherwsSwitch.start(this.host, ['--logformat', 'json', ...this.#plan.sw], [], {
      timeoutMs: LONGEST_MS,
    });
    this.#running = started;
    this.#watch(started);
    for (const args of [['addport', 'tap', 'ethws0'], ...this.#plan.ctl]) await started.done(...args);
  }

  /** Kills the switch by SIGKILL. */
  async kill(): Promise<void> {
    const killed = this.running;
    this.#running = undefined;
    await killed.stop('SIGKILL');
  }

  async stop(): Promise<void> {
    const stopped = this.#running;
    this.#running = undefined;
    const { status } = (await stopped?.stop('SIGTERM')) ?? {};
    if (status !== 0)
      this.#verdict.complain(`the switch of ${this.name} ended with ${status} when it was told to stop`);
  }

  sample(): Sample {
    const { process } = this.running;
    return { pid: process.pid, descriptors: descriptorsOf(process), residentBytes: residentBytesOf(process) };
  }

  /** The ports and the last log lines, for finding the cause of a complaint. */
  async describe(): Promise<string> {
    const ports = await this.#running?.ctl(['listport']);
    const log = this.#running?.process.stderr.split('\n').slice(-12).join('\n');
    return `── ${this.name}\n${ports?.stdout}${ports?.stderr}${log}`;
  }

  #watch(started: EtherwsSwitch): void {
    const complainOf = (line: string): void => {
      if (line !== '' && !isHarmless(line)) this.#verdict.complain(`${this.name} logged: ${line}`);
    };
    for (const line of started.process.stderr.split('\n').slice(0, -1)) complainOf(line);
    started.process.onLine(complainOf, 'stderr');
    void started.process.exited.then(({ status, signal }) => {
      // After the end of the run the lab ends all programs.
      if (this.#running !== started || this.#verdict.signal.aborted) return;
      this.#verdict.complain(`the switch of ${this.name} ended: ${status ?? signal}`);
    });
  }
}

/** Whether a line is a log record below the level error. A crash prints lines that are no records. */
function isHarmless(line: string): boolean {
  try {
    return (JSON.parse(line) as { level: number }).level < ERROR;
  } catch {
    return false;
  }
}
