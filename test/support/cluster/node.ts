import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FdbEntry, PortEntry } from '../../../src/control/schema.ts';
import { EtherwsSwitch, eventually } from '../etherws.ts';
import type { Host } from '../namespaces.ts';

export const TUNNEL_PORT = 8000;
const CONTROL_URL = 'http://127.0.0.1:7867/ctl';
/** Quick redials, so that tests are short; a client's own are 1 s and more. */
export const QUICK_DIAL: readonly string[] = ['--reconnect-min', '0.1', '--reconnect-max', '0.5'];

export interface NodeStart {
  /** further options of `etherws sw` */
  readonly options?: readonly string[];
  /** how far its wall clock is ahead, as faketime has it, such as `+1h` */
  readonly clock?: string;
  /** A port of its configuration file, as YAML, such as `type: netdev, target: sta1`. */
  readonly ports?: readonly string[];
}

/** `etherws sw --cluster …` at a site: the real command, which can be killed, stopped and started again. */
export class ClusterNode {
  readonly host: Host;
  readonly name: string;
  readonly address: string;
  readonly #directory: string;
  readonly #cluster: readonly string[];
  readonly #start: NodeStart;
  #switch: EtherwsSwitch | undefined;

  /** @param cluster the options of `etherws sw` about the cluster, without the node's own name and URL */
  constructor(
    host: Host,
    name: string,
    address: string,
    cluster: readonly string[],
    directory: string,
    start: NodeStart,
  ) {
    [this.host, this.name, this.address, this.#directory] = [host, name, address, directory];
    this.#cluster = cluster;
    this.#start = start;
  }

  get url(): string {
    return `ws://${this.address}:${TUNNEL_PORT}/`;
  }

  get switch(): EtherwsSwitch {
    if (this.#switch === undefined) throw new Error(`node ${this.name} was not started`);
    return this.#switch;
  }

  /** Its log of this start. */
  get log(): string {
    return this.#switch === undefined ? '' : this.#switch.process.stderr + this.#switch.process.stdout;
  }

  /** Starts it, and waits until its control API answers. */
  async start({ options = [], clock, ports }: NodeStart = {}): Promise<void> {
    const file = join(this.#directory, `${this.name}.yaml`);
    const lines = (ports ?? this.#start.ports ?? []).map((port) => `  - { ${port} }`);
    writeFileSync(
      file,
      ['daemon: { logformat: text }', ...(lines.length > 0 ? ['ports:', ...lines] : []), ''].join('\n'),
    );
    const own = ['--node', this.name, '--advertise', this.url, '--port', String(TUNNEL_PORT)];
    const all = ['--config', file, ...own, ...this.#cluster, ...(this.#start.options ?? []), ...options];
    this.#switch = await EtherwsSwitch.start(this.host, all, [], { env: clockOf(clock ?? this.#start.clock) });
  }

  /** Ends it as `kill -9`, or by another signal, and waits for its end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.switch.stop(signal);
  }

  /** Stops the process for a while, and continues it: SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.switch.process.signal(signal);
  }

  /** Calls a method of its control API by curl, which takes less time than `etherws ctl`. */
  async call<Result>(method: string, params: object = {}): Promise<Result> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: `etherws.control.${method}`, params });
    const curl = ['curl', '-s', '-S', '-m', '10', '-H', 'Content-Type: application/json', '-d', body, CONTROL_URL];
    const answer = await this.host.check(curl);
    const { result } = JSON.parse(answer) as { result?: Result };
    if (result === undefined) throw new Error(`${method} at ${this.name}: ${answer}`);
    return result;
  }

  async ports(): Promise<PortEntry[]> {
    return (await this.call<{ entries: PortEntry[] }>('listPort')).entries;
  }

  async fdb(): Promise<FdbEntry[]> {
    return (await this.call<{ entries: FdbEntry[] }>('listFdb')).entries;
  }

  /** The filtering entry of a station. */
  async entryOf(mac: string): Promise<FdbEntry | undefined> {
    return (await this.fdb()).find((entry) => entry.mac.toLowerCase() === mac);
  }

  /** Waits until this node knows a station, or no longer does. */
  async knows(mac: string, isKnown = true): Promise<void> {
    await eventually(
      () => this.entryOf(mac),
      (entry) => (entry !== undefined) === isKnown,
    );
  }
}

/** The environment of a program whose wall clock is apart; its monotonic clock is the machine's. */
function clockOf(offset: string | undefined): Record<string, string> {
  if (offset === undefined) return {};
  return { LD_PRELOAD: libfaketime(), FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

/** The path of the library on Debian, for any processor. */
function libfaketime(): string {
  for (const directory of readdirSync('/usr/lib')) {
    const library = `/usr/lib/${directory}/faketime/libfaketime.so.1`;
    if (existsSync(library)) return library;
  }
  throw new Error('faketime has no /usr/lib/*/faketime/libfaketime.so.1');
}
