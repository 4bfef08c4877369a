import { addedPortOf, changesOf, type KeptPorts, portsToOpen, readKeptPorts, wantedOf } from '../config/kept-ports.ts';
import { changeOf, type PortAction, type PortChange, planPorts, type RunningPort } from '../config/port-plan.ts';
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
import { bridgePortValues } from '../schema/bridge-port-options.ts';
import { ConfiguredNetworks, describeNetworkAction } from './configured-networks.ts';
import { describeAction, nameOf, placed } from './port-steps.ts';

/** The facts of a RunningPort that its entry does not have. */
type Note = Pick<RunningPort, 'opened' | 'origin' | 'addresses' | 'mtu' | 'firstMtu'>;

const SECTION = 'ports';
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
 * A running switch that knows the origin of each port and setting: the configuration file, or a call of the control
 * API. It keeps changes by calls in the state file, and applies another configuration file to the ports.
 */
export class ConfiguredSwitch implements SwitchControl {
  readonly #running: RunningSwitch;
  readonly #logger: Logger;
  readonly #state: StateFile | undefined;
  readonly #hasFile: boolean;
  readonly #notes = new Map<number, Note>();
  /** the ports of the file that calls have removed, by `id` */
  readonly #removed = new Set<string>();
  /** ports of the state file that could not be opened */
  #missing: KeptPorts['added'] = [];
  #wanted: readonly WantedPort[] = [];
  #kept: KeptPorts;
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
      this.#kept = readKeptPorts(state?.read(SECTION));
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
    return this.#kept.lastNumber;
  }

  /** Adds the networks of the configuration and of the state file; `open` opens the ports. */
  openNetworks(networks: readonly WantedNetwork[], ports: readonly WantedPort[]): void {
    const ofFile = portsToOpen(ports, this.#kept).filter(({ origin }) => origin === 'file');
    this.networks.open(networks, new Set(ofFile.flatMap(({ port }) => port.spec.network ?? [])));
  }

  /**
   * Opens the ports of the configuration and of the state file. A failure of the latter is logged, and the port stays
   * in the state file.
   * @throws EtherwsError for the first port of the configuration that cannot be opened, with its place
   */
  async open(wanted: readonly WantedPort[]): Promise<void> {
    this.#wanted = wanted;
    for (const id of this.#kept.removed) if (wanted.some((port) => port.id === id)) this.#removed.add(id);
    for (const { port, origin, number, changes } of portsToOpen(wanted, this.#kept)) {
      try {
        if (origin === 'file') this.#removed.delete(port.id);
        await this.#add(port, origin, number, changes);
      } catch (error) {
        if (origin === 'file') throw placed(port, error);
        this.#logger.error({ reason: describeError(error) }, `a port of the state cannot be opened: ${nameOf(port)}`);
        this.#missing.push(...this.#kept.added.filter((kept) => kept.number === number));
      }
    }
    const deviations = this.deviations();
    if (deviations.length > 0) {
      this.#logger.warn(
        { changes: deviations },
        'the state differs from the configuration; ctl reload goes back to that',
      );
    }
    // The file is written when the process has its final user.
    this.#state?.follow(NETWORKS, () => this.networks.section());
    this.#state?.keepSoon(SECTION, () => this.#section());
  }

  get events(): EventHub {
    return this.#running.events;
  }

  capture(...call: Parameters<SwitchControl['capture']>): ReturnType<SwitchControl['capture']> {
    return this.#running.capture(...call);
  }

  async addPort(spec: PortSpec): Promise<PortEntry> {
    const { port: number } = await this.#running.addPort(spec);
    // The target may be a pattern such as tap%d, for which the kernel has chosen the name.
    const { target, network } = this.#entryOf(number);
    this.networks.portAdded(network);
    this.#note(number, wantedOf(spec.type === 'tap' ? { ...spec, target } : spec), 'ctl');
    this.#missing = this.#missing.filter((kept) => kept.spec.target !== target);
    return this.#keptEntry(number);
  }

  async setPort(reference: PortReference, settings: PortSettings): Promise<PortEntry> {
    const { port } = this.#running.setPort(reference, settings);
    return this.#keptEntry(port);
  }

  async delPort(reference: PortReference): Promise<PortEntry> {
    const now = this.#running.readPort(reference);
    const config = this.#markOf(now);
    const note = this.#notes.get(now.port);
    // Before `delPort`, which may take seconds: other calls look at all ports with a note.
    this.#notes.delete(now.port);
    if (note?.origin === 'file') this.#removed.add(note.opened.id);
    const last = await this.#running.delPort(now.port);
    await this.keep();
    return { ...last, config };
  }

  listPorts(network?: string): PortEntry[] {
    return this.#running.listPorts(network).map((entry) => ({ ...entry, config: this.#markOf(entry) }));
  }

  *eachPort(): IterableIterator<PortEntry> {
    for (const entry of this.#running.eachPort()) yield { ...entry, config: this.#markOf(entry) };
  }

  async setInterface(reference: PortReference, change: InterfaceSpec): Promise<InterfaceEntry> {
    const entry = this.#setInterface(reference, change);
    await this.keep();
    return entry;
  }

  getPort(reference: PortReference): PortPage {
    const page = this.#running.getPort(reference);
    return { ...page, config: this.#markOf(page) };
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

  /** The steps from the running ports to the wanted ones. */
  plan(wanted: readonly WantedPort[]): readonly PortAction[] {
    return planPorts(wanted, this.ports()).actions;
  }

  /**
   * Takes all steps, even if some fail. Ports without a step are not touched. `keep` is to be called afterwards.
   * @returns each step with its error, if any
   */
  async apply(wanted: readonly WantedPort[]): Promise<{ action: PortAction; error: EtherwsError | undefined }[]> {
    const { actions, kept } = planPorts(wanted, this.ports());
    this.#wanted = wanted;
    this.#removed.clear();
    for (const [number, opened] of kept) {
      const note = this.#notes.get(number);
      if (note !== undefined) this.#notes.set(number, { ...note, opened, origin: 'file' });
    }
    // All are closed before any is opened: one may want the device or the name of another.
    for (const action of actions) if (action.do === 'replace') await this.#closeIfThere(action.number);
    const done: { action: PortAction; error: EtherwsError | undefined }[] = [];
    for (const action of actions) {
      try {
        await this.#take(action);
        done.push({ action, error: undefined });
      } catch (error) {
        done.push({ action, error: placed(action.port, error) });
      }
    }
    return done;
  }

  /** The changes of the file's networks and ports by calls, as sentences. */
  deviations(): string[] {
    if (!this.#hasFile) return [];
    return [...this.networks.deviations().map(describeNetworkAction), ...this.plan(this.#wanted).map(describeAction)];
  }

  /** The ports that the file or calls have added, in their current state. */
  ports(): RunningPort[] {
    return [...this.#notes.keys()].flatMap((number) => this.#runningPort(this.#entryOf(number)) ?? []);
  }

  #runningPort({ port: number, name, description, shut, settings: values }: PortEntry): RunningPort | undefined {
    const note = this.#notes.get(number);
    return note && { ...note, number, name: name ?? '', description: description ?? '', shut, values };
  }

  #markOf(entry: PortEntry): PortEntry['config'] {
    const port = this.#hasFile ? this.#runningPort(entry) : undefined;
    if (port === undefined) return null;
    if (port.origin === 'ctl') return 'added';
    return Object.keys(changeOf(port.opened, port)).length === 0 ? 'file' : 'changed';
  }

  async #take(action: PortAction): Promise<void> {
    if (action.do === 'add') return this.#add(action.port, 'file', undefined, {});
    if (action.do === 'change') return this.#change(action.number, action.change);
    if (action.do === 'replace') return this.#add(action.port, 'file', action.number, {});
    return this.#close(action.number);
  }

  /** Closes a port, unless a call has removed it meanwhile. */
  async #closeIfThere(number: number): Promise<void> {
    if (this.#notes.has(number)) await this.#close(number);
  }

  async #close(number: number): Promise<void> {
    this.#notes.delete(number);
    await this.#running.delPort(number);
  }

  /** Opens a port with its settings; if a setting fails, closes it again. */
  async #add(
    wanted: WantedPort,
    origin: RunningPort['origin'],
    number: number | undefined,
    changes: PortChange,
  ): Promise<void> {
    const { name = wanted.spec.name, description = wanted.spec.description, ...settings } = changes;
    const { name: _name, description: _description, ...spec } = wanted.spec;
    const labels = { ...(name && { name }), ...(description && { description }) };
    // Set before the port receives anything: an isolated port must not begin as one that is not.
    const values = bridgePortValues({ ...wanted.settings, ...settings });
    const { port } = await this.#running.addPort({ ...spec, ...labels, ...values } as PortSpec, number);
    this.#note(port, wanted, origin);
    try {
      this.#change(port, { ...wanted.settings, ...settings });
    } catch (error) {
      this.#notes.delete(port);
      await this.#running.delPort(port);
      throw error;
    }
  }

  #change(number: number, { addresses, mtu, withoutAddresses, ...settings }: PortChange): void {
    const isOpen = settings.shut === false && !this.#entryOf(number).shut;
    const { shut: _, ...labels } = settings;
    this.#running.setPort(number, isOpen ? labels : settings);
    const device = { ...(addresses?.length && { addresses: [...addresses] }), ...(mtu !== undefined && { mtu }) };
    const isSame = Object.keys(device).length === 0 && withoutAddresses === undefined;
    if (!isSame) this.#setInterface(number, device, withoutAddresses);
  }

  /** Notes the addresses that the switch has given the device: the kernel and other programs add some, too. */
  #setInterface(
    reference: PortReference,
    change: InterfaceSpec,
    withoutAddresses: readonly string[] = [],
  ): InterfaceEntry {
    const before = this.#running.readInterface(reference);
    const entry = this.#running.setInterface(reference, change, withoutAddresses);
    const note = this.#notes.get(entry.port);
    if (note !== undefined) {
      const given = change.addresses ?? [];
      const isOurs = (address: string): boolean =>
        note.addresses.includes(address) ||
        given.includes(address) ||
        !(before.addresses.includes(address) || address.startsWith('fe80:'));
      const addresses = entry.addresses.filter(isOurs);
      this.#notes.set(entry.port, { ...note, addresses, ...(change.mtu !== undefined && { mtu: entry.mtu }) });
    }
    return entry;
  }

  #note(number: number, opened: WantedPort, origin: RunningPort['origin']): void {
    let firstMtu: number | undefined;
    if (opened.spec.type !== 'client') {
      try {
        firstMtu = this.#running.readInterface(number).mtu;
      } catch {
        // The device was deleted, and its port waits for it to return.
      }
    }
    this.#notes.set(number, { opened, origin, addresses: [], mtu: undefined, firstMtu });
  }

  #entryOf(number: number): PortEntry {
    return this.#running.readPort(number);
  }

  /** Writes the state file. @returns the entry of a port */
  async #keptEntry(number: number): Promise<PortEntry> {
    const entry = this.#entryOf(number);
    await this.keep();
    return { ...entry, config: this.#markOf(entry) };
  }

  /** Removes the ports of a network that files or calls have added. */
  async #removePortsOf(network: string): Promise<void> {
    for (const { port } of this.#running.listPorts(network)) if (this.#notes.has(port)) await this.delPort(port);
  }

  /** Writes the state file. */
  async keep(): Promise<void> {
    try {
      await this.#state?.keep(SECTION, this.#section());
    } catch (error) {
      if (!(error instanceof EtherwsError)) throw error;
      const message = `The change is in force, but a restart will lose it: ${error.message}`;
      throw new EtherwsError(error.code, message, { cause: error, hint: error.hint ?? '' });
    }
  }

  #section(): KeptPorts {
    const ports = this.ports();
    const ofFile = ports.filter(({ origin }) => origin === 'file');
    return {
      lastNumber: this.#running.lastNumber,
      file: Object.fromEntries(ofFile.map((now) => [now.opened.id, { number: now.number, changes: changesOf(now) }])),
      removed: [...this.#removed],
      added: [...this.#missing, ...ports.filter(({ origin }) => origin === 'ctl').map(addedPortOf)],
    };
  }
}
