import { addedPortOf, changesOf, type KeptPorts, portsToOpen, readKeptPorts, wantedOf } from '../config/kept-ports.ts';
import { changeOf, type PortAction, type PortChange, planPorts, type RunningPort } from '../config/port-plan.ts';
import type { WantedPort } from '../config/wanted-ports.ts';
import type { InterfaceEntry, InterfaceSpec, PortEntry, PortReference, PortSpec } from '../control/schema.ts';
import { describeError, type EtherwsError } from '../errors.ts';
import type { RunningSwitch } from '../networks/switch-control.ts';
import type { Logger } from '../observability/logger.ts';
import { bridgePortValues } from '../schema/bridge-port-options.ts';
import { nameOf, placed } from './port-steps.ts';

/** The facts of a RunningPort that its entry does not have. */
type Note = Pick<RunningPort, 'opened' | 'origin' | 'addresses' | 'mtu' | 'firstMtu'>;

export interface ConfiguredPortsOptions {
  readonly running: RunningSwitch;
  readonly logger: Logger;
  /** the section of the state file; undefined without one */
  readonly section: unknown;
  readonly hasFile: boolean;
}

/** A step of a plan, with its error if it failed. */
export interface PortStep {
  readonly action: PortAction;
  readonly error: EtherwsError | undefined;
}

/**
 * The ports of a running switch, each with its origin: the configuration file, or a call of the control API. It applies another
 * configuration file to them. Ports of tunnels that clients have dialled are none of them.
 */
export class ConfiguredPorts {
  readonly #running: RunningSwitch;
  readonly #logger: Logger;
  readonly #hasFile: boolean;
  readonly #notes = new Map<number, Note>();
  /** the ports of the file that calls have removed, by `id` */
  readonly #removed = new Set<string>();
  /** ports of the state file that could not be opened */
  #missing: KeptPorts['added'] = [];
  #wanted: readonly WantedPort[] = [];
  readonly #kept: KeptPorts;

  /** @throws EtherwsError if the section is wrong */
  constructor({ running, logger, section, hasFile }: ConfiguredPortsOptions) {
    this.#running = running;
    this.#logger = logger;
    this.#hasFile = hasFile;
    this.#kept = readKeptPorts(section);
  }

  /** The highest number of a port in the state file: until these ports are opened, others must have higher numbers. */
  get lastNumber(): number {
    return this.#kept.lastNumber;
  }

  /** The networks of the ports of a file that `open` opens. */
  networksOf(wanted: readonly WantedPort[]): Set<string> {
    const ofFile = portsToOpen(wanted, this.#kept).filter(({ origin }) => origin === 'file');
    return new Set(ofFile.flatMap(({ port }) => port.spec.network ?? []));
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
        await this.#open(port, origin, number, changes);
      } catch (error) {
        if (origin === 'file') throw placed(port, error);
        this.#logger.error({ reason: describeError(error) }, `a port of the state cannot be opened: ${nameOf(port)}`);
        this.#missing.push(...this.#kept.added.filter((kept) => kept.number === number));
      }
    }
  }

  /** Adds a port for a call. */
  async add(spec: PortSpec): Promise<PortEntry> {
    const { port: number } = await this.#running.addPort(spec);
    // The target may be a pattern such as tap%d, for which the kernel has chosen the name.
    const entry = this.#running.readPort(number);
    const { target } = entry;
    this.#note(number, wantedOf(spec.type === 'tap' ? { ...spec, target } : spec), 'ctl');
    this.#missing = this.#missing.filter((kept) => kept.spec.target !== target);
    return entry;
  }

  /** Removes a port for a call, whatever its origin. @returns its last state */
  async remove(reference: PortReference): Promise<PortEntry> {
    const now = this.#running.readPort(reference);
    const { config } = this.marked(now);
    const note = this.#notes.get(now.port);
    // Before `delPort`, which may take seconds: other calls look at all ports with a note.
    this.#notes.delete(now.port);
    if (note?.origin === 'file') this.#removed.add(note.opened.id);
    return { ...(await this.#running.delPort(now.port)), config };
  }

  /** Whether the file or a call has added the port. */
  has(number: number): boolean {
    return this.#notes.has(number);
  }

  /** The entry with the origin of its port. */
  marked<Entry extends PortEntry>(entry: Entry): Entry {
    return { ...entry, config: this.#markOf(entry) };
  }

  /**
   * Notes the addresses that the switch has given the device: the kernel and other programs add some, too.
   * @param withoutAddresses addresses to remove
   */
  setInterface(
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

  /** The steps from the running ports to the wanted ones. */
  plan(wanted: readonly WantedPort[]): readonly PortAction[] {
    return planPorts(wanted, this.ports()).actions;
  }

  /** Takes all steps, even if some fail. Ports without a step are not touched. */
  async apply(wanted: readonly WantedPort[]): Promise<PortStep[]> {
    const { actions, kept } = planPorts(wanted, this.ports());
    this.#wanted = wanted;
    this.#removed.clear();
    for (const [number, opened] of kept) {
      const note = this.#notes.get(number);
      if (note !== undefined) this.#notes.set(number, { ...note, opened, origin: 'file' });
    }
    // All are closed before any is opened: one may want the device or the name of another.
    for (const action of actions) if (action.do === 'replace') await this.#closeIfThere(action.number);
    const done: PortStep[] = [];
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

  /** The changes of the file's ports by calls. */
  deviations(): readonly PortAction[] {
    return this.plan(this.#wanted);
  }

  /** The ports that the file or calls have added, in their current state. */
  ports(): RunningPort[] {
    return [...this.#notes.keys()].flatMap((number) => this.#runningPort(this.#running.readPort(number)) ?? []);
  }

  /** The section of the state file. */
  section(): KeptPorts {
    const ports = this.ports();
    const ofFile = ports.filter(({ origin }) => origin === 'file');
    return {
      lastNumber: this.#running.lastNumber,
      file: Object.fromEntries(ofFile.map((now) => [now.opened.id, { number: now.number, changes: changesOf(now) }])),
      removed: [...this.#removed],
      added: [...this.#missing, ...ports.filter(({ origin }) => origin === 'ctl').map(addedPortOf)],
    };
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
    if (action.do === 'add') return this.#open(action.port, 'file', undefined, {});
    if (action.do === 'change') return this.#change(action.number, action.change);
    if (action.do === 'replace') return this.#open(action.port, 'file', action.number, {});
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
  async #open(
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
    const isOpen = settings.shut === false && !this.#running.readPort(number).shut;
    const { shut: _, ...labels } = settings;
    this.#running.setPort(number, isOpen ? labels : settings);
    const device = { ...(addresses?.length && { addresses: [...addresses] }), ...(mtu !== undefined && { mtu }) };
    const isSame = Object.keys(device).length === 0 && withoutAddresses === undefined;
    if (!isSame) this.setInterface(number, device, withoutAddresses);
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
}
