import type { Host } from './namespaces.ts';
import type { Process } from './process.ts';
import { pathOf } from './tools.ts';

/** The programs that a host with Open vSwitch needs. */
export const OVS_HOST_TOOLS: readonly string[] = ['ovs-vswitchd', 'ovsdb-server', 'ovsdb-tool', 'ovs-vsctl'];
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/** Open vSwitch in a host of a laboratory, with its user-space datapath: its ports are devices of the host. */
export class OvsHost {
  readonly #host: Host;
  readonly #directory: string;
  #switch: Process | undefined;

  private constructor(host: Host, directory: string) {
    this.#host = host;
    this.#directory = directory;
  }

  /** @param directory exists and is empty; for its database, sockets and logs */
  static async start(host: Host, directory: string): Promise<OvsHost> {
    const ovs = new OvsHost(host, directory);
    const { db, common } = ovs.#words;
    await host.check([pathOf('ovsdb-tool') ?? '', 'create', `${directory}/conf.db`, SCHEMA]);
    const server = [pathOf('ovsdb-server') ?? '', `${directory}/conf.db`, `--remote=p${db}`, ...common];
    host.spawn([...server, `--unixctl=${directory}/db.ctl`], { env: ovs.#env, timeoutMs: 600_000 });
    await ovs.vsctl('--no-wait', 'init');
    await ovs.run();
    return ovs;
  }

  /** Starts ovs-vswitchd, at first or again after `kill`. Its configuration is in the database. */
  async run(): Promise<void> {
    const { db, common } = this.#words;
    const command = [pathOf('ovs-vswitchd') ?? '', db, '--disable-system', ...common];
    this.#switch = this.#host.spawn([...command, `--unixctl=${this.#directory}/vs.ctl`], {
      env: this.#env,
      timeoutMs: 600_000,
    });
    await this.vsctl('show');
  }

  /** Ends ovs-vswitchd without a word to its neighbours. */
  async kill(): Promise<void> {
    await this.#switch?.end();
  }

  /** ovs-vsctl(8), which tries to connect for up to 30 s. @returns its output without white space at the ends */
  async vsctl(...args: readonly string[]): Promise<string> {
    const command = [pathOf('ovs-vsctl') ?? '', `--db=${this.#words.db}`, '--retry', '--timeout=30', ...args];
    return (await this.#host.check(command)).trim();
  }

  get #words(): { readonly db: string; readonly common: readonly string[] } {
    const common = ['--no-chdir', '-vconsole:warn', '-vsyslog:off', '-vfile:off'];
    return { db: `unix:${this.#directory}/db.sock`, common };
  }

  get #env(): Record<string, string> {
    return { OVS_RUNDIR: this.#directory, OVS_LOGDIR: this.#directory, OVS_DBDIR: this.#directory };
  }
}
