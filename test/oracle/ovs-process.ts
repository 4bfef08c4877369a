import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/etherws.ts';
import { LONGEST_MS, Process, run } from '../support/process.ts';
import { pathOf } from '../support/tools.ts';
import { once } from '../support/waits.ts';
import { JsonRpc } from './json-rpc.ts';

/** The programs that a test with Open vSwitch needs. */
export const OVS_TOOLS: readonly string[] = ['ovs-vswitchd', 'ovsdb-server', 'ovsdb-tool', 'ovs-vsctl', 'ovs-ofctl'];
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
const START_MS = 30_000;

/**
 * Open vSwitch in a directory of its own: ovsdb-server and ovs-vswitchd with its user-space datapath. No system service, no
 * kernel module and no rights are needed. Its ports are "dummy" devices, whose far ends are Unix sockets, and its clock is
 * stopped: `warp` moves it, as the tests of Open vSwitch do.
 */
export class OvsProcess {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'etherws-ovs-'));
  readonly #processes: Process[] = [];
  #database: JsonRpc | undefined;
  #control: JsonRpc | undefined;

  private constructor() {}

  static async start(): Promise<OvsProcess> {
    const ovs = new OvsProcess();
    try {
      await ovs.#start();
      return ovs;
    } catch (error) {
      await ovs.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#database?.close();
    this.#control?.close();
    await Promise.all(this.#processes.map((process) => process.end()));
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A command of ovs-appctl(8) to ovs-vswitchd. @returns its output */
  async appctl(command: string, ...args: readonly string[]): Promise<string> {
    return String(await this.#control?.call(command, args));
  }

  /** ovs-vsctl(8); it waits until ovs-vswitchd has the new configuration. */
  vsctl(...args: readonly string[]): Promise<string> {
    return this.#run('ovs-vsctl', `--db=unix:${this.directory}/db.sock`, '--timeout=30', ...args);
  }

  /** A command of ovs-ofctl(8) about a bridge. */
  ofctl(command: string, bridge: string, ...args: readonly string[]): Promise<string> {
    return this.#run('ovs-ofctl', command, `unix:${this.directory}/${bridge}.mgmt`, ...args);
  }

  async #run(tool: string, ...args: readonly string[]): Promise<string> {
    const command = [this.#tool(tool), ...args];
    const { status, stdout, stderr } = await run(command, { timeoutMs: START_MS });
    if (status !== 0) throw new Error(`${command.join(' ')}: ${status} ${stderr}`);
    return stdout;
  }

  /** Operations of the OVSDB protocol (RFC 7047, 5.2); resolves when ovs-vswitchd has the new configuration. */
  async transact(operations: readonly object[]): Promise<void> {
    const everywhere: readonly unknown[] = [];
    const raise = { op: 'mutate', table: 'Open_vSwitch', where: everywhere, mutations: [['next_cfg', '+=', 1]] };
    const read = { op: 'select', table: 'Open_vSwitch', where: everywhere, columns: ['next_cfg'] };
    const results = (await this.#call([...operations, raise, read])) as { rows?: { next_cfg: number }[] }[];
    const next = results.at(-1)?.rows?.[0]?.next_cfg;
    const until = { columns: ['cur_cfg'], until: '==', rows: [{ cur_cfg: next }], timeout: START_MS };
    await this.#call([{ op: 'wait', table: 'Open_vSwitch', where: everywhere, ...until }]);
  }

  /** The UUIDs of the rows of a table that has names, by name. */
  async idsOf(table: string): Promise<Map<string, string>> {
    const [{ rows }] = (await this.#call([{ op: 'select', table, where: [], columns: ['name', '_uuid'] }])) as [
      { rows: { name: string; _uuid: [string, string] }[] },
    ];
    return new Map(rows.map(({ name, _uuid }) => [name, _uuid[1]]));
  }

  /** The far end of a dummy device that has the option `pstream=punix:DIRECTORY/NAME`. */
  async farEnd(name: string): Promise<Socket> {
    const socket = connect(join(this.directory, name));
    await once(socket, 'connect');
    return socket;
  }

  async #call(operations: readonly object[]): Promise<unknown> {
    const results = (await this.#database?.call('transact', ['Open_vSwitch', ...operations])) as { error?: string }[];
    const failed = results.find((result) => result?.error !== undefined);
    if (failed !== undefined) throw new Error(`${JSON.stringify(failed)} of ${JSON.stringify(operations)}`);
    return results;
  }

  async #start(): Promise<void> {
    const { directory } = this;
    await run([this.#tool('ovsdb-tool'), 'create', join(directory, 'conf.db'), SCHEMA]);
    const quiet = ['--no-chdir', '-vconsole:warn', '-vsyslog:off', '-vfile:off'];
    this.#spawn('ovsdb-server', 'db.ctl', [
      join(directory, 'conf.db'),
      `--remote=punix:${directory}/db.sock`,
      ...quiet,
    ]);
    this.#database = await this.#joined('db.sock');
    await this.vsctl('--no-wait', 'init');
    this.#spawn('ovs-vswitchd', 'vs.ctl', [
      `unix:${directory}/db.sock`,
      '--enable-dummy',
      '--disable-system',
      ...quiet,
    ]);
    this.#control = await this.#joined('vs.ctl');
    await this.vsctl('show');
  }

  #joined(name: string): Promise<JsonRpc> {
    const path = join(this.directory, name);
    const tried = (): Promise<JsonRpc | undefined> => JsonRpc.open(path).catch(() => undefined);
    return eventually(tried, (found) => found !== undefined, START_MS) as Promise<JsonRpc>;
  }

  #spawn(program: string, control: string, args: readonly string[]): void {
    const { directory } = this;
    const env = { OVS_RUNDIR: directory, OVS_LOGDIR: directory, OVS_DBDIR: directory };
    const command = [this.#tool(program), ...args, `--unixctl=${directory}/${control}`];
    this.#processes.push(new Process(command, { env, cwd: directory, timeoutMs: LONGEST_MS }));
  }

  #tool(name: string): string {
    return pathOf(name) ?? name;
  }
}
