import type * as v from 'valibot';
import { EVENT_KINDS } from '../events/event.ts';
import type { EventHub } from '../events/event-hub.ts';
import { addressWithLength, ipv4Address, ipv4Netmask } from '../schema/address-values.ts';
import { BRIDGE_PORT_OPTIONS } from '../schema/bridge-port-options.ts';
import { type PortSpec, portSpec } from '../schema/port-spec.ts';
import { objectOf, type Table, type ValuesOf } from '../schema/table.ts';
import { flag, listOf, oneOf } from '../schema/types.ts';
import { mtu, portDescription, portNameOrNone, portReference } from '../schema/values.ts';
import {
  type AnyCaptureEntry,
  CAPTURE,
  CAPTURE_CLUSTER,
  type CaptureEntry,
  type CaptureReader,
  type CaptureSpec,
  type ClusterCaptureEntry,
  captureEntry,
  clusterCaptureEntry,
  type SwitchCapture,
} from './capture-entries.ts';
import {
  CLUSTER_METHODS,
  type ClusterControl,
  type ClusterHistoryEntry,
  type ClusterNetworkEntry,
  type ClusterPolicyEntry,
  type NodeAnswerEntry,
} from './cluster-entries.ts';
import {
  CONFIGURATION_METHODS,
  type ConfigEntry,
  type ConfigurationControl,
  type PlanEntry,
} from './configuration-entries.ts';
import { DRAIN_METHODS, type DrainControl, type DrainEntry } from './drain-entries.ts';
import {
  type EndpointEntry,
  type FdbEntry,
  type InterfaceEntry,
  interfaceEntry,
  LISTS,
  METHOD_PREFIX,
  method,
  noParams,
  type PortEntry,
  portEntry,
  type SubscriptionEntry,
  subscriptionEntry,
} from './entries.ts';
import { type AddFdbSpec, type DelFdbSpec, FDB_METHODS, type FlushEntry, type FlushFdbSpec } from './fdb-entries.ts';
import { FINDING_METHODS, type FindingEntry, type HealthControl } from './finding-entries.ts';
import type { Lister } from './live/listed.ts';
import { LOG_METHODS, type LogLevelEntry, type LogLevels } from './log-level-entries.ts';
import { LOGIN_METHODS, type LoginEntry } from './login-entries.ts';
import { type ChangeMdbSpec, type MdbEntry, MULTICAST_METHODS } from './multicast-entries.ts';
import { NEIGHBOR_METHODS, type NeighborEntry } from './neighbor-entries.ts';
import { NETWORK_METHODS, type NetworkControl, type NetworkEntry } from './network-entries.ts';
import { type EndedObservationEntry, OBSERVE_METHODS, type ObservationEntry } from './observe-entries.ts';
import type { ProcessCalls } from './process-calls.ts';
import { RATE_METHODS, type RateEntry } from './rate-entries.ts';
import { type PingEntry, REACH_METHODS, type ReachControl, type TraceEntry } from './reach-entries.ts';
import { STATION_METHODS, type StationEntry } from './station-entries.ts';
import { type PortPage, portPage, type StatusEntry, statusEntry } from './status-entries.ts';
import { type LiveStpEntry, type LiveStpPortEntry, STP_METHODS, type StpEntry } from './stp-entries.ts';
import { VLAN_METHODS, type VlanEntry } from './vlan-entries.ts';

export type {
  AddFdbSpec,
  ChangeMdbSpec,
  ConfigEntry,
  ConfigurationControl,
  DelFdbSpec,
  EndpointEntry,
  FdbEntry,
  FlushEntry,
  FlushFdbSpec,
  InterfaceEntry,
  MdbEntry,
  NetworkControl,
  NetworkEntry,
  PlanEntry,
  PortEntry,
  PortPage,
  PortSpec,
  StationEntry,
  StatusEntry,
  SubscriptionEntry,
};
export { METHOD_PREFIX };

/**
 * The methods, parameters and results of the control API. The server, the client,
 * `etherws ctl`, the JSON Schema and the documentation are made from them.
 */

/** Limit of the addresses in one call. */
const MOST_ADDRESSES = 64;

const PORT = { type: portReference, required: true, help: 'number or name of the port' } as const;

export const SET_PORT = {
  port: PORT,
  shut: { type: flag, flag: '--shut', metavar: '0|1', help: '1: neither receive nor send; 0: do' },
  name: { type: portNameOrNone, flag: '--name', metavar: 'PORTNAME', help: "another name; '' takes its name away" },
  description: { type: portDescription, flag: '--description', metavar: 'TEXT', help: 'what it is for' },
  ...BRIDGE_PORT_OPTIONS,
} as const satisfies Table;

export const SUBSCRIBE = {
  events: {
    type: listOf(oneOf(EVENT_KINDS), EVENT_KINDS.length),
    help: 'kinds of events',
    defaultText: 'all',
  },
} as const satisfies Table;

const DEL_PORT = { port: PORT } as const satisfies Table;

export const SET_INTERFACE = {
  port: PORT,
  address: { type: ipv4Address, help: 'IPv4 address that takes the place of the first one' },
  netmask: {
    type: ipv4Netmask,
    flag: '--netmask',
    metavar: 'M',
    help: 'IPv4 netmask, such as 255.255.255.0',
  },
  mtu: { type: mtu, flag: '--mtu', metavar: 'B', unit: 'bytes', help: 'MTU, at least 576' },
  addresses: {
    type: listOf(addressWithLength, MOST_ADDRESSES),
    help: 'addresses as ADDRESS/LENGTH, IPv4 or IPv6; each is added, or gets the new length',
  },
} as const satisfies Table;

/** The settings of `setPort`; absent ones stay unchanged. */
export type PortSettings = Omit<ValuesOf<typeof SET_PORT>, 'port'>;

/** The number or the name of a port. */
export type PortReference = ValuesOf<typeof DEL_PORT>['port'];

/** The parameters of `setInterface`: the fields of 1.x, and `addresses` as `ADDRESS/LENGTH`. */
export type InterfaceSpec = Omit<ValuesOf<typeof SET_INTERFACE>, 'port'>;

/** The commands behind the methods of the control API. Failures are EtherwsErrors. */
export interface SwitchControl {
  addPort(spec: PortSpec): Promise<PortEntry>;
  setPort(port: PortReference, settings: PortSettings): PortEntry | Promise<PortEntry>;
  /** @returns the port's last state */
  delPort(port: PortReference): Promise<PortEntry>;
  /** @param network only of this one; default: all. @throws EtherwsError NETWORK_NOT_FOUND */
  listPorts(network?: string): PortEntry[];
  /** All ports, each a new entry. The switch may change while the reader pauses; then a port may come twice. */
  eachPort(): Iterable<PortEntry>;
  /** The rates in the last minute of those of the ports that are there. */
  listRates(ports: readonly number[]): RateEntry[];
  /** The name of a port's network; undefined: there is no such port. */
  networkOf(port: PortReference): string | undefined;
  setInterface(port: PortReference, change: InterfaceSpec): InterfaceEntry | Promise<InterfaceEntry>;
  listInterfaces(): InterfaceEntry[];
  /** @param network as above. @throws as above */
  listFdb(network?: string): FdbEntry[];
  /** All VLANs, as `eachPort`; undefined is a place to pause. */
  eachVlan(): Iterable<VlanEntry | undefined>;
  /** All spanning trees, without their ports, in the same way. */
  eachTree(): Iterable<LiveStpEntry>;
  /** The ports of all spanning trees, without the counters of BPDUs, which would make them differ each second. */
  eachTreePort(): Iterable<LiveStpPortEntry>;
  /** A list of the stations of all networks, in any order. Their entries are `LiveStationEntry`. */
  openStations(): Lister;
  /** @throws EtherwsError PORT_NOT_FOUND, FDB_FULL */
  addFdb(spec: AddFdbSpec): FdbEntry | Promise<FdbEntry>;
  /** @throws EtherwsError ADDRESS_UNKNOWN */
  delFdb(spec: DelFdbSpec): FdbEntry | Promise<FdbEntry>;
  /** @throws EtherwsError PORT_NOT_FOUND */
  flushFdb(spec: FlushFdbSpec): FlushEntry;
  /** @param network as above. @throws as above */
  listMdb(network?: string): MdbEntry[];
  /** @throws EtherwsError PORT_NOT_FOUND, FDB_FULL, REQUEST_REFUSED */
  addMdb(spec: ChangeMdbSpec): MdbEntry | Promise<MdbEntry>;
  /** @throws EtherwsError PORT_NOT_FOUND, ADDRESS_UNKNOWN */
  delMdb(spec: ChangeMdbSpec): MdbEntry | Promise<MdbEntry>;
  /** The spanning trees of the networks that have one. @throws EtherwsError NETWORK_NOT_FOUND */
  listStp(network?: string): StpEntry[];
  listEndpoints(): EndpointEntry[];
  /** @param network only of this one; default: of all. @throws EtherwsError NETWORK_NOT_FOUND */
  listNeighbors(network?: string): NeighborEntry[];
  listVlans(network?: string): VlanEntry[];
  /** @param network as above. @throws as above */
  listStations(network?: string): Promise<StationEntry[]>;
  readonly reach: ReachControl;
  /** @throws EtherwsError PORT_NOT_FOUND */
  getPort(port: PortReference): PortPage;
  getStatus(): StatusEntry;
  readonly networks: NetworkControl;
  /** absent for a switch that is no daemon */
  readonly configuration?: ConfigurationControl | undefined;
  /** absent for a switch that is no daemon */
  readonly logLevels?: LogLevels | undefined;
  /** absent for a switch that is no daemon */
  readonly health?: HealthControl | undefined;
  /** absent for a switch that is no node of a cluster */
  readonly cluster?: ClusterControl | undefined;
  /** absent for a switch that is no node of a cluster */
  readonly draining?: DrainControl | undefined;
  /** absent for a switch that is one process */
  readonly processes?: ProcessCalls | undefined;
  /** @throws EtherwsError PORT_NOT_FOUND, ARGUMENT_INVALID, REQUEST_REFUSED */
  capture(spec: Omit<CaptureSpec, 'duration'>, reader: CaptureReader): SwitchCapture;
  /** the events of the switch */
  readonly events: EventHub;
}

/** The result of every method. */
export interface Result<Entry> {
  entries: Entry[];
}

/** The control API: each method by its name without prefix. */
export const METHODS = {
  addPort: method('Adds a port.', portSpec, portEntry),
  setPort: method('Changes the settings of a port.', objectOf(SET_PORT), portEntry),
  delPort: method('Closes and removes a port.', objectOf(DEL_PORT), portEntry),
  listPort: LISTS.listPort,
  setInterface: method('Sets addresses, netmask and MTU of a device.', objectOf(SET_INTERFACE), interfaceEntry),
  listInterface: LISTS.listInterface,
  listFdb: LISTS.listFdb,
  ...FDB_METHODS,
  ...STATION_METHODS,
  ...MULTICAST_METHODS,
  listDoor: LISTS.listDoor,
  getPort: method('Tells everything about a port.', objectOf(DEL_PORT), portPage),
  getStatus: method('Tells how the switch is.', noParams, statusEntry),
  ...FINDING_METHODS,
  ...NETWORK_METHODS,
  ...STP_METHODS,
  ...CONFIGURATION_METHODS,
  ...VLAN_METHODS,
  ...NEIGHBOR_METHODS,
  ...RATE_METHODS,
  ...REACH_METHODS,
  ...LOG_METHODS,
  ...LOGIN_METHODS,
  ...CLUSTER_METHODS,
  ...DRAIN_METHODS,
  subscribe: method('Sends what happens from now on, by WebSocket only.', objectOf(SUBSCRIBE), subscriptionEntry),
  subscribeCluster: method(
    'Sends what happens at all nodes from now on, by WebSocket only.',
    objectOf(SUBSCRIBE),
    subscriptionEntry,
  ),
  ...OBSERVE_METHODS,
  capture: method('Sends the frames of ports as pcapng, by WebSocket only.', objectOf(CAPTURE), captureEntry),
  captureCluster: method(
    'Sends the frames of ports of nodes as one pcapng, by WebSocket only.',
    objectOf(CAPTURE_CLUSTER),
    clusterCaptureEntry,
  ),
  endCapture: method('Ends the capture of this WebSocket.', objectOf({}), captureEntry),
} as const;

export type MethodName = keyof typeof METHODS;
export type ParamsOf<M extends MethodName> = v.InferOutput<(typeof METHODS)[M]['params']>;
export interface Entries {
  addPort: PortEntry;
  setPort: PortEntry;
  delPort: PortEntry;
  listPort: PortEntry;
  setInterface: InterfaceEntry;
  listInterface: InterfaceEntry;
  listFdb: FdbEntry;
  addFdb: FdbEntry;
  delFdb: FdbEntry;
  flushFdb: FlushEntry;
  listStation: StationEntry;
  listMdb: MdbEntry;
  addMdb: MdbEntry;
  delMdb: MdbEntry;
  listDoor: EndpointEntry;
  getPort: PortPage;
  getStatus: StatusEntry;
  listFinding: FindingEntry;
  addNet: NetworkEntry;
  setNet: NetworkEntry;
  delNet: NetworkEntry;
  listNet: NetworkEntry;
  listStp: StpEntry;
  planReload: PlanEntry;
  reload: PlanEntry;
  getConfig: ConfigEntry;
  listNeighbor: NeighborEntry;
  listRate: RateEntry;
  listVlan: VlanEntry;
  ping: PingEntry;
  trace: TraceEntry;
  listLogLevel: LogLevelEntry;
  setLogLevel: LogLevelEntry;
  createLogin: LoginEntry;
  callCluster: NodeAnswerEntry;
  addClusterNet: ClusterNetworkEntry;
  setClusterNet: ClusterNetworkEntry;
  delClusterNet: ClusterNetworkEntry;
  getClusterPolicy: ClusterPolicyEntry;
  setClusterPolicy: ClusterPolicyEntry;
  listClusterHistory: ClusterHistoryEntry;
  rollbackCluster: ClusterHistoryEntry;
  drain: DrainEntry;
  subscribe: SubscriptionEntry;
  subscribeCluster: SubscriptionEntry;
  observe: ObservationEntry;
  unobserve: EndedObservationEntry;
  capture: CaptureEntry;
  captureCluster: ClusterCaptureEntry;
  endCapture: AnyCaptureEntry;
}
