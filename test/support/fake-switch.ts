import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { ALLOW_ALL } from '../../src/auth/authenticator.ts';
import type { CaptureReader, SwitchCapture } from '../../src/control/capture-entries.ts';
import { type Lister, listerOf } from '../../src/control/live/listed.ts';
import type { NeighborEntry } from '../../src/control/neighbor-entries.ts';
import type { RateEntry } from '../../src/control/rate-entries.ts';
import type { ReachControl } from '../../src/control/reach-entries.ts';
import type {
  AddFdbSpec,
  ChangeMdbSpec,
  DelFdbSpec,
  EndpointEntry,
  FdbEntry,
  FlushEntry,
  InterfaceEntry,
  InterfaceSpec,
  MdbEntry,
  NetworkControl,
  NetworkEntry,
  PortEntry,
  PortPage,
  PortReference,
  PortSettings,
  PortSpec,
  StationEntry,
  StatusEntry,
  SwitchControl,
} from '../../src/control/schema.ts';
import { ControlServer, type ControlServerOptions } from '../../src/control/server.ts';
import type { LiveStpPortEntry, StpEntry } from '../../src/control/stp-entries.ts';
import type { VlanEntry } from '../../src/control/vlan-entries.ts';
import { EtherwsError } from '../../src/errors.ts';
import { EventHub } from '../../src/events/event-hub.ts';
import { NO_PROCESS } from '../../src/networks/switch-status.ts';
import { SILENT } from '../../src/observability/logger.ts';
import { bridgePortValues, withoutBridgePortValues } from '../../src/schema/bridge-port-options.ts';
import { listen, stop } from './web-socket-peer.ts';

/** A switch without frames, for tests of the control API. `added` has the parameters of `addPort`. */
export class FakeSwitch implements SwitchControl {
  readonly added: PortSpec[] = [];
  readonly fdb: FdbEntry[] = [];
  readonly mdb: MdbEntry[] = [];
  readonly events = new EventHub();
  readonly networks: NetworkControl = new FakeNetworks();
  readonly #ports = new Map<number, PortEntry>();
  readonly #interfaces = new Map<number, InterfaceEntry>();
  #last = 0;

  async addPort(spec: PortSpec): Promise<PortEntry> {
    await Promise.resolve();
    if (spec.target === 'broken') throw new TypeError('a secret of the inside');
    if (spec.target === 'missing') {
      const cause = Object.assign(new Error('ENODEV: no such device'), { code: 'ENODEV' });
      throw new EtherwsError('DEVICE_NOT_FOUND', 'There is no device missing', { cause });
    }
    this.added.push(spec);
    const port = ++this.#last;
    const { type, target, name = null, description = null } = spec;
    this.#ports.set(port, { ...IDLE, settings: bridgePortValues(spec), port, type, target, name, description });
    if (type !== 'client')
      this.#interfaces.set(port, { ...UNNUMBERED, port, type, target, portName: name, addresses: [] });
    return this.#port(port);
  }

  setPort(port: PortReference, { shut, ...changes }: PortSettings): PortEntry {
    const entry = this.#port(port);
    const labels = withoutBridgePortValues(changes);
    entry.settings = { ...entry.settings, ...bridgePortValues(changes) };
    Object.assign(entry, labels);
    if (shut !== undefined) Object.assign(entry, { shut, state: shut ? 'shut' : 'up' });
    return entry;
  }

  async delPort(port: PortReference): Promise<PortEntry> {
    await Promise.resolve();
    const entry = this.#port(port);
    this.#ports.delete(entry.port);
    this.#interfaces.delete(entry.port);
    return entry;
  }

  listPorts(_network?: string): PortEntry[] {
    return [...this.#ports.values()];
  }

  eachPort(): Iterable<PortEntry> {
    return this.listPorts().map((entry) => ({ ...entry }));
  }

  eachVlan(): Iterable<VlanEntry> {
    return this.listVlans();
  }

  eachTree(): Iterable<StpEntry> {
    return this.listStp();
  }

  eachTreePort(): Iterable<LiveStpPortEntry> {
    return [];
  }

  openStations(): Lister {
    return listerOf(() =>
      this.fdb.map(({ age: _, ...entry }) => ({
        ...{ ...entry, seen: null, since: null, addresses: [], hostname: null, vendor: null },
      })),
    );
  }

  setInterface(reference: PortReference, { addresses = [], ...change }: InterfaceSpec): InterfaceEntry {
    const { port, type } = this.#port(reference);
    const entry = this.#interfaces.get(port);
    if (entry === undefined) throw new EtherwsError('INTERFACE_UNSUPPORTED', `Port ${port} (${type}) has no interface`);
    entry.addresses.push(...addresses);
    return Object.assign(entry, change);
  }

  listInterfaces(): InterfaceEntry[] {
    return [...this.#interfaces.values()];
  }

  addFdb({ mac, port, vid = 0, sticky = false }: AddFdbSpec): FdbEntry {
    const number = this.#port(port).port;
    const rest = { age: 0, moves: 0, movedFrom: null, flapping: false, portName: null, network: 'default' } as const;
    const entry: FdbEntry = { vid, mac, port: number, ...rest, kind: sticky ? 'sticky' : 'static' };
    this.fdb.push(entry);
    return entry;
  }

  delFdb({ mac, vid = 0 }: DelFdbSpec): FdbEntry {
    const at = this.fdb.findIndex((entry) => entry.mac === mac && entry.vid === vid);
    const [entry] = at < 0 ? [] : this.fdb.splice(at, 1);
    if (entry === undefined) throw new EtherwsError('ADDRESS_UNKNOWN', `${mac} is at no port`);
    return entry;
  }

  flushFdb(): FlushEntry {
    return { removed: this.fdb.splice(0).length };
  }

  listFdb(_network?: string): FdbEntry[] {
    return this.fdb;
  }

  async listStations(_network?: string): Promise<StationEntry[]> {
    return [];
  }

  listMdb(_network?: string): MdbEntry[] {
    return this.mdb;
  }

  addMdb({ group, port, vid = 0 }: ChangeMdbSpec): MdbEntry {
    const sources: Pick<MdbEntry, 'filterMode' | 'sourceList'> = { filterMode: 'exclude', sourceList: [] };
    const rest = { ...sources, portName: null, state: 'permanent', expires: null, network: 'default' } as const;
    const entry: MdbEntry = { kind: 'member', vid, address: group, port: this.#port(port).port, ...rest };
    this.mdb.push(entry);
    return entry;
  }

  delMdb({ group }: ChangeMdbSpec): MdbEntry {
    const [entry] = this.mdb.splice(0);
    if (entry === undefined) throw new EtherwsError('ADDRESS_UNKNOWN', `no port is a member of ${group}`);
    return entry;
  }

  listStp(_network?: string): StpEntry[] {
    return [];
  }

  capture(_spec: object, _reader: CaptureReader): SwitchCapture {
    throw new EtherwsError('REQUEST_REFUSED', 'This switch has no frames');
  }

  networkOf(port: PortReference): string | undefined {
    return [...this.#ports.values()].find((entry) => entry.port === port || entry.name === port)?.network;
  }

  listVlans(_network?: string): VlanEntry[] {
    return [];
  }

  readonly reach: ReachControl = {
    ping: () => Promise.reject(new EtherwsError('REQUEST_REFUSED', 'There is no network')),
    trace: () => [],
  };

  /** Each port has received 8 bit/s more each second. */
  listRates(ports: readonly number[]): RateEntry[] {
    return ports
      .filter((port) => this.#ports.has(port))
      .map((port) => ({ port, rxBitRates: [8, 16, 24, 32], txBitRates: [0, 0, 0, 0] }));
  }

  listNeighbors(_network?: string): NeighborEntry[] {
    return [];
  }

  listEndpoints(): EndpointEntry[] {
    return [{ service: 'tunnels', counters: { failedLogins: 3 } }];
  }

  getPort(reference: PortReference): PortPage {
    return { ...this.#port(reference), ...NO_HISTORY };
  }

  getStatus(): StatusEntry {
    const ports = this.#ports.size === 0 ? {} : { up: this.#ports.size };
    const tunnels = { dialled: 0, accepted: 0, users: 0 };
    return { ...NO_PROCESS, ports, tunnels, fdb: { addresses: this.fdb.length, capacity: 1024 }, faults: [] };
  }

  #port(reference: PortReference): PortEntry {
    const entry = [...this.#ports.values()].find(({ port, name }) => port === reference || name === reference);
    if (entry !== undefined) return entry;
    throw new EtherwsError('PORT_NOT_FOUND', `There is no port ${reference}`, {
      hint: 'listport shows which there are',
    });
  }
}

class FakeNetworks implements NetworkControl {
  readonly #networks: NetworkEntry[] = [];

  add(network: string, settings: object): NetworkEntry {
    const entry = { network, ports: 0, addresses: 0, auto: false, settings: { ...settings }, config: null };
    this.#networks.push(entry);
    return entry;
  }

  set(network: string, settings: object): NetworkEntry {
    return Object.assign(this.#find(network), { settings: { ...settings } });
  }

  async remove(network: string): Promise<NetworkEntry> {
    await Promise.resolve();
    const entry = this.#find(network);
    this.#networks.splice(this.#networks.indexOf(entry), 1);
    return entry;
  }

  list(): NetworkEntry[] {
    return this.#networks;
  }

  #find(network: string): NetworkEntry {
    const entry = this.#networks.find((one) => one.network === network);
    if (entry === undefined) throw new EtherwsError('NETWORK_NOT_FOUND', `There is no network "${network}"`);
    return entry;
  }
}

const IDLE = {
  tx: 0,
  rx: 0,
  shut: false,
  state: 'up',
  reason: null,
  txOctets: 0,
  rxOctets: 0,
  txDiscards: {},
  rxDiscards: {},
  wire: null,
  roundTripMs: null,
  url: null,
  netns: null,
  rxFrameRate: 0,
  txFrameRate: 0,
  rxBitRate: 0,
  txBitRate: 0,
  queuedOctets: 0,
  queuedMs: 0,
  stations: 0,
  config: null,
  network: 'default',
} as const;

const NO_HISTORY = {
  ageSeconds: 0,
  stateSeconds: 0,
  connectedSeconds: null,
  connections: 0,
  user: null,
  peer: null,
  localAddress: null,
  tls: null,
  certificate: null,
  transport: null,
  inherited: [],
  policy: null,
  neighbors: [],
  addresses: [],
  bindings: [],
};

const UNNUMBERED = { address: '', netmask: '', mtu: 1500, netns: null };

export interface FakeControl {
  readonly url: string;
  readonly listenPort: number;
  readonly service: FakeSwitch;
  close(): Promise<void>;
}

/** A control API over a fake switch on a free port of loopback. */
export async function startFakeControl(
  options: Partial<ControlServerOptions> & {
    host?: string;
    tls?: { key: string; cert: string };
    fake?: FakeSwitch;
  } = {},
): Promise<FakeControl> {
  const { host = '127.0.0.1', tls, fake: service = new FakeSwitch(), ...given } = options;
  const control = new ControlServer({
    path: '/ctl',
    authenticator: ALLOW_ALL,
    allowedHosts: () => [],
    service,
    logger: SILENT,
    ...given,
  });
  const handle = control.handleRequest.bind(control);
  const server: Server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  server.on('upgrade', control.handleUpgrade.bind(control));
  const listenPort = await listen(server, host);
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${listenPort}/ctl`,
    listenPort,
    service,
    close: () => {
      control.close();
      return stop(server);
    },
  };
}
