import type { BridgePort } from '../bridge/bridge-port.ts';
import type { Port } from '../bridge/port.ts';
import { detailsOf, type InterfaceChange, type NetworkInterface } from '../bridge/port-details.ts';
import type { CaptureReader, CaptureSpec, SwitchCapture } from '../control/capture-entries.ts';
import type { Lister } from '../control/live/listed.ts';
import type { NeighborEntry } from '../control/neighbor-entries.ts';
import type { RateEntry } from '../control/rate-entries.ts';
import type {
  AddFdbSpec,
  ChangeMdbSpec,
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
import type { ProcessStatus } from '../control/status-entries.ts';
import type { LiveStpEntry, LiveStpPortEntry, StpEntry } from '../control/stp-entries.ts';
import type { VlanEntry } from '../control/vlan-entries.ts';
import { EtherwsError } from '../errors.ts';
import type { EventHub } from '../events/event-hub.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { bridgePortValues } from '../schema/bridge-port-options.ts';
import { parsePrefix } from '../wire/ethernet/ip-address.ts';
import type { AttachedPort } from './attached-port.ts';
import { addFdbEntry, deleteFdbEntry, flushFdb } from './fdb-commands.ts';
import { fdbEntry } from './fdb-entry.ts';
import { addMdbEntry, deleteMdbEntry } from './mdb-commands.ts';
import { listMdb } from './multicast-list.ts';
import { listNeighbors } from './neighbor-list.ts';
import { RunningNetworks } from './network-control.ts';
import { RunningReach } from './ping/reach-control.ts';
import { interfaceEntry, portEntry, presentInterface, rateEntryOf } from './port-entries.ts';
import { pageOf } from './port-page.ts';
import { portsToCapture, startCapture } from './start-capture.ts';
import { NO_VENDORS, StationList, type Vendors } from './stations/station-list.ts';
import { liveTreePorts, stpEntry, treeFacts } from './stp-entries.ts';
import type { Switch } from './switch.ts';
import { NO_PROCESS, statusOf } from './switch-status.ts';
import { eachVlan, vlanEntries } from './vlan-entries.ts';

/** Makes a port from the parameters of `addPort`. @param signal aborts that */
export type PortFactory = (spec: PortSpec, signal: AbortSignal) => Promise<Port>;

/** The commands of the control API on a running switch. */
export class RunningSwitch implements SwitchControl {
  readonly #switch: Switch;
  readonly #createPort: PortFactory;
  readonly #closing = new AbortController();
  readonly #adding = new Set<Promise<PortEntry>>();
  readonly #endpoints: Readonly<Record<EndpointEntry['service'], EndpointCounters>>;
  readonly #processStatus: () => ProcessStatus;
  readonly #stations: StationList;
  readonly networks: RunningNetworks;
  readonly reach: RunningReach;

  /**
   * @param processStatus the facts of the process for `getStatus`; default: none
   * @param vendors those of `listStation`; default: none
   */
  constructor(
    target: Switch,
    createPort: PortFactory,
    endpoints: Readonly<Record<EndpointEntry['service'], EndpointCounters>> = {
      tunnels: new EndpointCounters(),
      control: new EndpointCounters(),
    },
    processStatus: () => ProcessStatus = () => NO_PROCESS,
    vendors: Vendors = NO_VENDORS,
  ) {
    this.#switch = target;
    this.reach = new RunningReach(target);
    this.networks = new RunningNetworks(target);
    this.#createPort = createPort;
    this.#endpoints = endpoints;
    this.#processStatus = processStatus;
    this.#stations = new StationList(target, vendors);
  }

  get events(): EventHub {
    return this.#switch.events;
  }

  /** @param number the number that the port had before; another one if it is taken now */
  async addPort(spec: PortSpec, number?: number): Promise<PortEntry> {
    const adding = this.#addPort(spec, number);
    this.#adding.add(adding);
    try {
      return await adding;
    } finally {
      this.#adding.delete(adding);
    }
  }

  /** Aborts all calls of `addPort` in progress, since dialling may take long. Resolves when their ports are closed. */
  async close(): Promise<void> {
    this.#closing.abort(new EtherwsError('PORT_CLOSED', 'The switch is stopping'));
    await Promise.allSettled(this.#adding);
  }

  async #addPort(spec: PortSpec, number: number | undefined): Promise<PortEntry> {
    const { name, description, network } = spec;
    // Checked before the port is opened, and again by `attach`, since another port may take the name in between.
    this.#switch.requireFreeName(name);
    if (network !== undefined) this.#switch.network(network);
    if (spec.mirrorTo !== undefined) requireOtherMirror(spec.mirrorTo, [name]);
    const port = await this.#createPort(spec, this.#closing.signal);
    const labels = { ...(name === undefined ? {} : { name }), ...(description === undefined ? {} : { description }) };
    try {
      const values = bridgePortValues(spec);
      return portEntry(this.#switch.attachedPort(this.#switch.attach(port, { ...labels, network, values, number })));
    } catch (error) {
      // The switch was closed meanwhile, so it does not own the port.
      await port.close('shutdown');
      throw error;
    }
  }

  setPort(reference: PortReference, { shut, name, description, ...values }: PortSettings): PortEntry {
    const port = this.#switch.attachedPort(reference);
    const others = { name, description, ...values };
    if (Object.values(others).some((value) => value !== undefined)) requireNoMeshPort(port, 'changed, but for shut');
    // The change that can fail comes first, so that a refused call changes nothing.
    const labels = { ...(name === undefined ? {} : { name }), ...(description === undefined ? {} : { description }) };
    const { mirrorTo } = values;
    if (mirrorTo !== undefined) requireOtherMirror(mirrorTo, [name ?? port.name, String(port.bridgePort.number)]);
    this.#switch.administration.setLabels(port.bridgePort.number, labels);
    this.#switch.administration.setValues(port.bridgePort.number, values);
    if (shut !== undefined) this.#switch.administration.setShut(port.bridgePort.number, shut);
    return portEntry(port);
  }

  async delPort(port: PortReference): Promise<PortEntry> {
    const attached = this.#switch.attachedPort(port);
    requireNoMeshPort(attached, 'removed');
    const last = portEntry(attached);
    await this.#switch.detach(port);
    return last;
  }

  /** @throws EtherwsError PORT_NOT_FOUND */
  readPort(reference: PortReference): PortEntry {
    return portEntry(this.#switch.attachedPort(reference));
  }

  /** The highest number that a port had. */
  get lastNumber(): number {
    return this.#switch.lastNumber;
  }

  listPorts(network?: string): PortEntry[] {
    return [...this.#switch.attachedPorts(network)].map(portEntry);
  }

  *eachPort(): IterableIterator<PortEntry> {
    for (const port of this.#switch.attachedPorts()) yield portEntry(port);
  }

  listRates(ports: readonly number[]): RateEntry[] {
    const wanted = new Set(ports);
    return [...wanted].flatMap((number) => {
      const attached = this.#switch.portAt(number);
      return attached === undefined ? [] : [rateEntryOf(attached)];
    });
  }

  networkOf(reference: PortReference): string | undefined {
    return this.#switch.networkOf(reference);
  }

  getPort(reference: PortReference): PortPage {
    return pageOf(this.#switch.attachedPort(reference));
  }

  getStatus(): StatusEntry {
    return statusOf(this.#switch, this.#processStatus());
  }

  /** @param withoutAddresses addresses to remove, as `ADDRESS/LENGTH` */
  setInterface(
    reference: PortReference,
    change: InterfaceSpec,
    withoutAddresses: readonly string[] = [],
  ): InterfaceEntry {
    const port = this.#switch.attachedPort(reference);
    const device = interfaceOf(port.bridgePort);
    const without = withoutAddresses.length === 0 ? {} : { withoutAddresses: withoutAddresses.map(parsePrefix) };
    device.configure({ ...interfaceChange(change), ...without });
    return interfaceEntry(port, device);
  }

  /** @throws EtherwsError INTERFACE_UNSUPPORTED, PORT_NOT_FOUND, or as `NetworkInterface.read` */
  readInterface(reference: PortReference): InterfaceEntry {
    const port = this.#switch.attachedPort(reference);
    return interfaceEntry(port, interfaceOf(port.bridgePort));
  }

  listInterfaces(): InterfaceEntry[] {
    const entries: InterfaceEntry[] = [];
    for (const port of this.#switch.attachedPorts()) {
      const details = detailsOf(port.bridgePort.port);
      const entry = details?.kind === 'device' ? presentInterface(port, details.networkInterface) : undefined;
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  listFdb(network?: string): FdbEntry[] {
    return this.#switch.fdb(network).map((seen) => fdbEntry(seen, this.#switch.attachedPort(seen.entry.port.number)));
  }

  *eachVlan(): IterableIterator<VlanEntry | undefined> {
    for (const network of this.#switch.networks) yield* eachVlan(network, () => performance.now());
  }

  *eachTree(): IterableIterator<LiveStpEntry> {
    for (const { name, entities } of this.#switch.networks) {
      const { tree } = entities.spanningTree;
      if (tree !== undefined) yield treeFacts(name, tree.tree);
    }
  }

  *eachTreePort(): IterableIterator<LiveStpPortEntry> {
    const nameOf = (number: number): string | undefined => this.#switch.portName(number);
    for (const { name, entities } of this.#switch.networks) {
      const { tree } = entities.spanningTree;
      if (tree !== undefined) yield* liveTreePorts(name, tree, nameOf);
    }
  }

  openStations(): Lister {
    return this.#stations.open();
  }

  addFdb(spec: AddFdbSpec): FdbEntry {
    return addFdbEntry(this.#switch, spec);
  }

  delFdb(spec: DelFdbSpec): FdbEntry {
    return deleteFdbEntry(this.#switch, spec);
  }

  flushFdb(spec: FlushFdbSpec): FlushEntry {
    return flushFdb(this.#switch, spec);
  }

  listStations(network?: string): Promise<StationEntry[]> {
    return this.#stations.list(network);
  }

  addMdb(spec: ChangeMdbSpec): MdbEntry {
    return addMdbEntry(this.#switch, spec);
  }

  delMdb(spec: ChangeMdbSpec): MdbEntry {
    return deleteMdbEntry(this.#switch, spec);
  }

  listMdb(network?: string): MdbEntry[] {
    return listMdb(this.#switch, network);
  }

  listStp(network?: string): StpEntry[] {
    return this.#switch.networksNamed(network).flatMap(({ name, entities: { spanningTree } }) => {
      const { tree } = spanningTree;
      return tree === undefined ? [] : [stpEntry(name, tree, (number) => this.#switch.attachedPort(number).name)];
    });
  }

  capture({ ports, network, ...spec }: Omit<CaptureSpec, 'duration'>, reader: CaptureReader): SwitchCapture {
    const found =
      network === undefined
        ? (ports ?? []).map((port) => this.#switch.attachedPort(port))
        : portsToCapture(this.#switch, network);
    return startCapture(this.#switch.captures, found, spec, reader);
  }

  /** @throws EtherwsError NETWORK_NOT_FOUND */
  listVlans(network?: string): VlanEntry[] {
    const nowMs = performance.now();
    return this.#switch.networksNamed(network).flatMap((each) => vlanEntries(each, nowMs));
  }

  listNeighbors(network?: string): NeighborEntry[] {
    return listNeighbors(this.#switch, network);
  }

  listEndpoints(): EndpointEntry[] {
    return (['tunnels', 'control'] as const).map((service) => {
      const counters = { ...this.#endpoints[service] };
      // `dawdled` is the former name of `handshakeTimeouts`, kept for one release.
      return { service, counters: { ...counters, dawdled: counters.handshakeTimeouts } };
    });
  }
}

/** @param own the name and the number of the port. @throws EtherwsError ARGUMENT_INVALID */
function requireOtherMirror(mirrorTo: string, own: readonly (string | undefined)[]): void {
  if (mirrorTo === '' || !own.includes(mirrorTo)) return;
  throw new EtherwsError('ARGUMENT_INVALID', `mirrorTo "${mirrorTo}" is the port itself`, {
    hint: 'The port of the copies sends nothing else, so it is another one',
  });
}

function interfaceOf(bridgePort: BridgePort): NetworkInterface {
  const { port, number } = bridgePort;
  const details = detailsOf(port);
  if (details?.kind === 'device') return details.networkInterface;
  throw new EtherwsError('INTERFACE_UNSUPPORTED', `Port ${number} is of type ${port.type} and has no interface`, {
    hint: 'Only tap and netdev ports have addresses',
  });
}

function interfaceChange({ address, netmask, mtu, addresses }: InterfaceSpec): InterfaceChange {
  return {
    ...(address === undefined ? {} : { address }),
    ...(netmask === undefined ? {} : { netmask }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(addresses === undefined ? {} : { addresses: addresses.map(parsePrefix) }),
  };
}

/** Mesh ports belong to the cluster, which opens, closes and configures them. @throws EtherwsError REQUEST_REFUSED */
function requireNoMeshPort({ bridgePort: { number, meshNode } }: AttachedPort, what: string): void {
  if (meshNode === undefined) return;
  throw new EtherwsError('REQUEST_REFUSED', `Port ${number} leads to the node ${meshNode} and cannot be ${what}`, {
    hint: 'It is a port of the cluster, which opens and closes it; setport --shut takes it out of service',
  });
}
