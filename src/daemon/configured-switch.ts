import type { WantedNetwork } from '../config/wanted-networks.ts';
import type { WantedPort } from '../config/wanted-ports.ts';
import type { ClusterControl } from '../control/cluster-entries.ts';
import type { DrainControl } from '../control/drain-entries.ts';
import type { HealthControl } from '../control/finding-entries.ts';
import type { Lister } from '../control/live/listed.ts';
import type { LogLevels } from '../control/log-level-entries.ts';
import type { NeighborEntry } from '../control/neighbor-entries.ts';
import type { ProcessCalls } from '../control/process-calls.ts';
import type { RateEntry } from '../control/rate-entries.ts';
import type { ReachControl } from '../control/reach-entries.ts';
import type {
  AddFdbSpec,
  ChangeMdbSpec,
  ConfigurationControl,
  DelFdbSpec,
  EndpointEntry,
  FdbEntry,
  FlushEntry,
  FlushFdbSpec,
  InterfaceEntry,
  InterfaceSpec,
  MdbEntry,
  PortEntry,
  PortPage,
  PortReference,
  PortSettings,
  PortSpec,
  StationEntry,
  StatusEntry,
  SwitchControl,
} from '../control/schema.ts';
import type { LiveStpEntry, LiveStpPortEntry, StpEntry } from '../control/stp-entries.ts';
import type { VlanEntry } from '../control/vlan-entries.ts';
import { describeError, EtherwsError } from '../errors.ts';
import type { EventHub } from '../events/event-hub.ts';
import type { RunningSwitch } from '../networks/switch-control.ts';
import type { Logger } from '../observability/logger.ts';
import type { StateFile } from '../runtime/state-file.ts';
import { ConfiguredNetworks, describeNetworkAction } from './configured-networks.ts';
import { ConfiguredPorts } from './configured-ports.ts';
import { describeAction } from './port-steps.ts';

const PORTS = 'ports';
const NETWORKS = 'networks';

export interface ConfiguredSwitchOptions {
  readonly running: RunningSwitch;
  readonly logger: Logger;
  /** undefined: changes by calls end with the process */
  readonly state: StateFile | undefined;
  /** whether there is a configuration file */
  readonly hasFile: boolean;
  readonly logLevels: LogLevels | undefined;
  readonly health?: HealthControl | undefined;
}

/**
 * The commands of the control API on a running switch that knows the origin of each port and network. Changes by calls are kept
 * in the state file before the call is answered.
 */
export class ConfiguredSwitch implements SwitchControl {
  readonly #running: RunningSwitch;
  readonly #logger: Logger;
  readonly #state: StateFile | undefined;
  readonly #hasFile: boolean;
  readonly ports: ConfiguredPorts;
  readonly networks: ConfiguredNetworks;

  /** @throws EtherwsError STATE_INVALID */
  constructor({ running, logger, state, hasFile, logLevels, health }: ConfiguredSwitchOptions) {
    this.#running = running;
    this.logLevels = logLevels;
    this.health = health;
    this.#logger = logger;
    this.#state = state;
    this.#hasFile = hasFile;
    try {
      this.ports = new ConfiguredPorts({ running, logger, section: state?.read(PORTS), hasFile });
      this.networks = new ConfiguredNetworks({
        ...{ running: running.networks, logger, hasFile },
        section: state?.read(NETWORKS),
        removePorts: (network) => this.#removePortsOf(network),
        keep: () => this.keep(),
      });
    } catch (error) {
      const message = `The state ${state?.path} cannot be used: ${describeError(error)}`;
      throw new EtherwsError('STATE_INVALID', message, { hint: 'Move it away; the switch then starts without it' });
    }
  }

  /** The highest number of a port in the state file: until these ports are opened, others must have higher numbers. */
  get lastNumber(): number {
    return this.ports.lastNumber;
  }

  /** Adds the networks of the configuration and of the state file; `open` opens the ports. */
  openNetworks(networks: readonly WantedNetwork[], ports: readonly WantedPort[]): void {
    this.networks.open(networks, this.ports.networksOf(ports));
  }

  /**
   * Opens the ports of the configuration and of the state file. A failure of the latter is logged, and the port stays
   * in the state file.
   * @throws EtherwsError for the first port of the configuration that cannot be opened, with its place
   */
  async open(wanted: readonly WantedPort[]): Promise<void> {
    await this.ports.open(wanted);
    const deviations = this.deviations();
    if (deviations.length > 0) {
      this.#logger.warn(
        { changes: deviations },
        'the state differs from the configuration; ctl reload goes back to that',
      );
    }
    // The file is written when the process has its final user.
    this.#state?.follow(NETWORKS, () => this.networks.section());
    this.#state?.keepSoon(PORTS, () => this.ports.section());
  }

  get events(): EventHub {
    return this.#running.events;
  }

  capture(...call: Parameters<SwitchControl['capture']>): ReturnType<SwitchControl['capture']> {
    return this.#running.capture(...call);
  }

  async addPort(spec: PortSpec): Promise<PortEntry> {
    const { port, network } = await this.ports.add(spec);
    this.networks.portAdded(network);
    return this.#keptEntry(port);
  }

  async setPort(reference: PortReference, settings: PortSettings): Promise<PortEntry> {
    const { port } = this.#running.setPort(reference, settings);
    return this.#keptEntry(port);
  }

  async delPort(reference: PortReference): Promise<PortEntry> {
    const last = await this.ports.remove(reference);
    await this.keep();
    return last;
  }

  listPorts(network?: string): PortEntry[] {
    return this.#running.listPorts(network).map((entry) => this.ports.marked(entry));
  }

  *eachPort(): IterableIterator<PortEntry> {
    for (const entry of this.#running.eachPort()) yield this.ports.marked(entry);
  }

  async setInterface(reference: PortReference, change: InterfaceSpec): Promise<InterfaceEntry> {
    const entry = this.ports.setInterface(reference, change);
    await this.keep();
    return entry;
  }

  getPort(reference: PortReference): PortPage {
    return this.ports.marked(this.#running.getPort(reference));
  }

  getStatus(): StatusEntry {
    return this.#running.getStatus();
  }

  /** Set after the construction, since a Configuration needs the complete switch. */
  configuration: ConfigurationControl | undefined;
  /** Set after the construction, since it commands the complete switch; undefined: it is no node of a cluster. */
  cluster: ClusterControl | undefined;
  /** Set as `cluster`. */
  draining: DrainControl | undefined;
  /** Set where this process is the first one of several. */
  processes: ProcessCalls | undefined;
  readonly logLevels: LogLevels | undefined;
  readonly health: HealthControl | undefined;

  listInterfaces(): InterfaceEntry[] {
    return this.#running.listInterfaces();
  }

  listStp(network?: string): StpEntry[] {
    return this.#running.listStp(network);
  }

  listFdb(network?: string): FdbEntry[] {
    return this.#running.listFdb(network);
  }

  eachVlan(): Iterable<VlanEntry | undefined> {
    return this.#running.eachVlan();
  }

  eachTree(): Iterable<LiveStpEntry> {
    return this.#running.eachTree();
  }

  eachTreePort(): Iterable<LiveStpPortEntry> {
    return this.#running.eachTreePort();
  }

  openStations(): Lister {
    return this.#running.openStations();
  }

  async addFdb(spec: AddFdbSpec): Promise<FdbEntry> {
    const entry = this.#running.addFdb(spec);
    await this.keep();
    return entry;
  }

  async delFdb(spec: DelFdbSpec): Promise<FdbEntry> {
    const entry = this.#running.delFdb(spec);
    await this.keep();
    return entry;
  }

  async addMdb(spec: ChangeMdbSpec): Promise<MdbEntry> {
    const entry = this.#running.addMdb(spec);
    await this.keep();
    return entry;
  }

  async delMdb(spec: ChangeMdbSpec): Promise<MdbEntry> {
    const entry = this.#running.delMdb(spec);
    await this.keep();
    return entry;
  }

  flushFdb(spec: FlushFdbSpec): FlushEntry {
    return this.#running.flushFdb(spec);
  }

  networkOf(port: PortReference): string | undefined {
    return this.#running.networkOf(port);
  }

  listVlans(network?: string): VlanEntry[] {
    return this.#running.listVlans(network);
  }

  get reach(): ReachControl {
    return this.#running.reach;
  }

  listRates(ports: readonly number[]): RateEntry[] {
    return this.#running.listRates(ports);
  }

  listNeighbors(network?: string): NeighborEntry[] {
    return this.#running.listNeighbors(network);
  }

  listStations(network?: string): Promise<StationEntry[]> {
    return this.#running.listStations(network);
  }

  listMdb(network?: string): MdbEntry[] {
    return this.#running.listMdb(network);
  }

  listEndpoints(): EndpointEntry[] {
    return this.#running.listEndpoints();
  }

  /** The changes of the file's networks and ports by calls, as sentences. */
  deviations(): string[] {
    if (!this.#hasFile) return [];
    const ofPorts = this.ports.deviations().map(describeAction);
    return [...this.networks.deviations().map(describeNetworkAction), ...ofPorts];
  }

  /** Writes the state file. @returns the entry of a port */
  async #keptEntry(number: number): Promise<PortEntry> {
    const entry = this.#running.readPort(number);
    await this.keep();
    return this.ports.marked(entry);
  }

  /** Removes the ports of a network that files or calls have added. */
  async #removePortsOf(network: string): Promise<void> {
    for (const { port } of this.#running.listPorts(network)) if (this.ports.has(port)) await this.delPort(port);
  }

  /** Writes the state file. */
  async keep(): Promise<void> {
    try {
      await this.#state?.keep(PORTS, this.ports.section());
    } catch (error) {
      if (!(error instanceof EtherwsError)) throw error;
      const message = `The change is in force, but a restart will lose it: ${error.message}`;
      throw new EtherwsError(error.code, message, { cause: error, hint: error.hint ?? '' });
    }
  }
}
