import type { Bpdu } from '../../wire/bpdu/bpdu.ts';
import type { BridgeId } from '../../wire/bpdu/bridge-id.ts';
import type { ReportedRoot } from '../../wire/bpdu/tree-report.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { PriorityVector, Times } from './priority-vector.ts';

/** Migrate Time (IEEE 802.1D-2004, table 17-1), in seconds. */
export const MIGRATE_TIME = 3;

export type PortRole = 'root' | 'designated' | 'alternate' | 'backup' | 'disabled';
export type PortState = 'discarding' | 'learning' | 'forwarding';

/** The variables of the bridge that the state machines share (17.17, 17.18). */
export interface BridgeVariables {
  readonly ports: ReadonlyMap<number, PortVariables>;
  bridgeId: BridgeId;
  /** The address in the bridge identifier. */
  readonly address: MacAddress;
  bridgeTimes: Times;
  rootPriority: PriorityVector;
  rootTimes: Times;
  /** The port with the role root; undefined on the root bridge, and while another node has it. */
  rootPort: PortVariables | undefined;
  /** The root port, if another node has it. */
  remoteRoot: RemoteRoot | undefined;
  /** Of the ports of this node the best one to be the root port. */
  localRoot: LocalRoot | undefined;
  /** Other nodes that are parts of the same bridge; undefined: it is of one node. */
  others: OtherNodes | undefined;
  txHoldCount: number;
  /** Whether the bridge speaks RSTP (17.20.11); false: it speaks STP only. */
  rstpVersion: boolean;
  /** The ports whose machines may have something to do. */
  readonly pending: Set<PortVariables>;
  /** The root port, alternate and backup ports: their conditions look at all other ports (17.20.3, 17.20.10). */
  readonly dependents: Set<PortVariables>;
  /** How often a topology change was detected or heard of. */
  topologyChanges: number;
  readonly actions: Actions;
}

/** The best root path priority vector of the ports of this node, and the port that has it. */
export interface LocalRoot {
  readonly path: PriorityVector;
  readonly port: PortVariables;
}

/** The same of another node. */
export interface RemoteRoot extends ReportedRoot {
  readonly node: string;
}

/** The other nodes of a bridge that several nodes are together (shared-bridge.ts). */
export interface OtherNodes {
  /** The name of this node. */
  readonly node: string;
  roots(): Iterable<RemoteRoot>;
  /** allSynced and reRooted for the ports of the other nodes, which have answered all demands. */
  areSynced(): boolean;
  areReRooted(): boolean;
  demandSync(): void;
  demandReRoot(): void;
  topologyChanged(): void;
}

/** What the state machines do outside of themselves. */
export interface Actions {
  transmit(port: PortVariables, bpdu: Bpdu): void;
  /** The port's state, or its role, has changed. */
  changed(port: PortVariables): void;
  /** Remove the addresses that were learned at this port, at once. */
  flush(port: PortVariables): void;
  /** A topology change was detected at this port, or a neighbour has told of one there. */
  topologyChange(port: PortVariables, isDetected: boolean): void;
}

/** The variables of a port (17.19), under the names of the standard. Timers count down in seconds (17.17). */
export class PortVariables {
  readonly bridge: BridgeVariables;
  /** The number of the bridge port. */
  readonly number: number;
  /** The port number in the port identifier, 1 to 4095; undefined while all are taken: the port stays disabled. */
  stpNumber: number | undefined;
  /** Priority and number (9.2.7). */
  portId = 0;

  portEnabled = false;
  portPathCost = 20_000;
  adminEdge = false;
  autoEdge = true;
  operPointToPointMac = true;
  /** The port must not become the root port (IEEE 802.1Q-2022, 13.27.65): root guard. */
  restrictedRole = false;

  helloWhen = 0;
  tcWhile = 0;
  fdWhile = 0;
  rcvdInfoWhile = 0;
  rrWhile = 0;
  rbWhile = 0;
  mdelayWhile = 0;
  edgeDelayWhile = 0;
  txCount = 0;
  /** Ours: while it runs, further messages with the Topology Change flag tell of the same change. */
  tcHeardWhile = 0;

  agree = false;
  agreed = false;
  disputed = false;
  forward = false;
  forwarding = false;
  infoIs: 'received' | 'mine' | 'aged' | 'disabled' = 'disabled';
  learn = false;
  learning = false;
  mcheck = false;
  newInfo = false;
  operEdge = false;
  proposed = false;
  proposing = false;
  rcvdBpdu = false;
  rcvdMsg = false;
  rcvdRstp = false;
  rcvdStp = false;
  rcvdTc = false;
  rcvdTcAck = false;
  rcvdTcn = false;
  reRoot = false;
  reselect = false;
  role: PortRole = 'disabled';
  selected = false;
  selectedRole: PortRole = 'disabled';
  sendRstp = true;
  sync = false;
  synced = false;
  tcAck = false;
  tcProp = false;
  updtInfo = false;

  /** The last message that was received. */
  message: Bpdu = { type: 'tcn' };
  portPriority: PriorityVector;
  portTimes: Times;
  designatedPriority: PriorityVector;
  designatedTimes: Times;

  /** The states of the machines, named after their files. */
  receiveState: 'discard' | 'receive' = 'discard';
  migrationState: 'checkingRstp' | 'selectingStp' | 'sensing' = 'checkingRstp';
  informationState: 'disabled' | 'aged' | 'current' = 'disabled';
  roleState: 'disablePort' | 'disabledPort' | 'rootPort' | 'designatedPort' | 'blockPort' | 'alternatePort' =
    'disablePort';
  topologyState: 'inactive' | 'learning' | 'active' = 'inactive';

  constructor(bridge: BridgeVariables, number: number, stpNumber: number | undefined) {
    this.bridge = bridge;
    this.number = number;
    this.stpNumber = stpNumber;
    this.portPriority = bridge.rootPriority;
    this.designatedPriority = bridge.rootPriority;
    this.portTimes = bridge.bridgeTimes;
    this.designatedTimes = bridge.bridgeTimes;
  }

  /** Demands that roles are selected anew, for all ports (17.19.34). */
  askReselect(): void {
    this.reselect = true;
    this.selected = false;
    this.bridge.pending.add(this);
  }

  get state(): PortState {
    if (this.forwarding) return 'forwarding';
    return this.learning ? 'learning' : 'discarding';
  }

  /** HelloTime, MaxAge and FwdDelay: the components of designatedTimes (17.20). */
  get helloTime(): number {
    return this.designatedTimes.helloTime;
  }

  get maxAge(): number {
    return this.designatedTimes.maxAge;
  }

  get fwdDelay(): number {
    return this.designatedTimes.forwardDelay;
  }

  /** forwardDelay (17.20.6): HelloTime towards bridges with RSTP. */
  get forwardDelay(): number {
    return this.sendRstp ? this.helloTime : this.fwdDelay;
  }

  /** EdgeDelay (17.20.4). */
  get edgeDelay(): number {
    return this.operPointToPointMac ? MIGRATE_TIME : this.maxAge;
  }

  /** Whether the role is decided, and its information is up to date: a condition of every transition of 17.29. */
  get isSelected(): boolean {
    return this.selected && !this.updtInfo;
  }
}
