import type { Bpdu } from '../../wire/bpdu/bpdu.ts';
import { type BridgeId, bridgeIdOf } from '../../wire/bpdu/bridge-id.ts';
import { decodeBpdu } from '../../wire/bpdu/decode.ts';
import { encodeBpdu } from '../../wire/bpdu/encode.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { beginBridgeDetection, bridgeDetection } from './bridge-detection.ts';
import { beginPortInformation, portInformation } from './port-information.ts';
import { AllPortNumbers, type PortNumbers } from './port-numbers.ts';
import { beginPortProtocolMigration, portProtocolMigration } from './port-protocol-migration.ts';
import { beginPortReceive, portReceive } from './port-receive.ts';
import { portRoleSelection, selectRoles } from './port-role-selection.ts';
import { beginPortRoleTransitions, portRoleTransitions } from './port-role-transitions.ts';
import { beginPortStateTransition, portStateTransition } from './port-state-transition.ts';
import { portTimers } from './port-timers.ts';
import { beginPortTransmit, portTransmit } from './port-transmit.ts';
import type { PriorityVector, Times } from './priority-vector.ts';
import { DEFAULT_SETTINGS, type SpanningTreePortSettings, type SpanningTreeSettings } from './settings.ts';
import { SharedBridge, type SharedBridgeOptions } from './shared-bridge.ts';
import { beginTopologyChange, topologyChange } from './topology-change.ts';
import { TreePort } from './tree-port.ts';
import type { BridgeVariables, PortState, PortVariables } from './variables.ts';

/** What a spanning tree asks of its owner. None of these may throw. */
export interface SpanningTreeActions {
  /** Send a frame by a port; its octets are not changed any more. */
  transmit(port: number, frame: Uint8Array): void;
  setState(port: number, state: PortState): void;
  /** Remove the addresses that were learned at a port, at once. */
  flush(port: number): void;
  happened?(event: SpanningTreeEvent): void;
}

/** What an operator may want to know of. */
export type SpanningTreeEvent =
  /** A topology change was detected at the port, or a neighbour has told of one. */
  | { readonly kind: 'topologyChange'; readonly port: number; readonly isDetected: boolean }
  /** The BPDU guard has disabled the port. */
  | { readonly kind: 'bpduGuard'; readonly port: number }
  | { readonly kind: 'rootChanged'; readonly rootId: BridgeId; readonly port: number | undefined };

export interface SpanningTreeOptions extends Partial<SpanningTreeSettings> {
  /**
   * The address in the bridge identifier. The source of a port's BPDUs is the same with its port number in the lower 12
   * bits: an address of its own, so that bridges that learn from BPDUs see none move.
   */
  readonly address: MacAddress;
  /** The most BPDUs of a port in one second (17.13.12), 1 to 10. Default 6. */
  readonly txHoldCount?: number;
  /** The protocol version (17.13.4): `stp` does not use RSTP even where the neighbour can. Default `rstp`. */
  readonly forceVersion?: 'stp' | 'rstp';
  /** Present: other nodes are parts of this bridge. */
  readonly shared?: SharedBridgeOptions;
  /** The port numbers that the bridge, or this node of it, may use. Default: all. */
  readonly portNumbers?: PortNumbers;
}

const MAX_PORT_NUMBER = 4095;
/**
 * The most BPDUs that a port takes in one second; further ones are discarded. A bridge sends 10 at most (17.13.12), and a
 * hub may have several bridges. One that changes the tree costs as much as many frames, the more the more ports there are.
 */
const MOST_BPDUS_PER_SECOND = 50;
/** Machines settle within a few rounds; this ends a loop that a mistake in them would make. */
const MAX_ROUNDS = 1000;

/**
 * A bridge of the Rapid Spanning Tree Protocol (IEEE 802.1D-2004, clause 17; IEEE 802.1Q-2022, clause 13), sans-I/O.
 * Towards bridges that only know STP it speaks STP (17.4).
 *
 * Its owner calls `tick` once a second, `received` for each frame to 01-80-C2-00-00-00, and `setUp` as links
 * change. The state machines are in the other files of this directory, under their names. They run to completion in each
 * call; BPDUs that come while they run, because `transmit` delivers at once, wait for the end of that.
 */
export class SpanningTree {
  readonly ports = new Map<number, TreePort>();
  /** How often the machines did not settle: always 0, unless there is a mistake in them. */
  unsettled = 0;
  #settings: SpanningTreeSettings;
  readonly #bridge: BridgeVariables;
  readonly #actions: SpanningTreeActions;
  readonly #shared: SharedBridge | undefined;
  readonly #portNumbers: PortNumbers;
  readonly #waiting: (() => void)[] = [];
  #isRunning = false;
  #toldRoot: BridgeId;

  constructor(options: SpanningTreeOptions, actions: SpanningTreeActions) {
    const { address, txHoldCount = 6, forceVersion, shared, portNumbers, ...settings } = options;
    this.#settings = { ...DEFAULT_SETTINGS, ...settings };
    this.#actions = actions;
    const bridgeId = bridgeIdOf(this.#settings.priority, address);
    const bridgeTimes = timesOf(this.#settings);
    this.#toldRoot = bridgeId;
    this.#bridge = {
      ports: this.ports,
      bridgeId,
      address,
      bridgeTimes,
      rootPriority: ownVector(bridgeId),
      rootTimes: bridgeTimes,
      rootPort: undefined,
      remoteRoot: undefined,
      localRoot: undefined,
      others: undefined,
      txHoldCount,
      rstpVersion: forceVersion !== 'stp',
      pending: new Set(),
      dependents: new Set(),
      topologyChanges: 0,
      actions: {
        transmit: (port, bpdu) => this.#transmit(port as TreePort, bpdu),
        changed: (port) => this.#changed(port as TreePort),
        flush: (port) => actions.flush(port.number),
        topologyChange: (port, isDetected) => this.#topologyChange(port, isDetected),
      },
    };
    this.#portNumbers = portNumbers ?? new AllPortNumbers();
    this.#shared = shared && new SharedBridge(this.#bridge, shared);
    this.#bridge.others = this.#shared;
  }

  get settings(): SpanningTreeSettings {
    return this.#settings;
  }

  /** The variables of the bridge; to be read only. */
  get bridge(): Readonly<BridgeVariables> {
    return this.#bridge;
  }

  /** Changes settings of the bridge (17.13). */
  configure(settings: Partial<SpanningTreeSettings>): void {
    this.#settings = { ...this.#settings, ...settings };
    const bridge = this.#bridge;
    const bridgeId = bridgeIdOf(this.#settings.priority, bridge.address);
    const bridgeTimes = timesOf(this.#settings);
    if (this.#shared === undefined) Object.assign(bridge, { bridgeId, bridgeTimes });
    else this.#shared.setOwn(bridgeId, bridgeTimes);
    selectRoles(bridge);
    this.#run();
  }

  /**
   * Adds a port, whose link is down. Its state is discarding until its role is decided. In its port identifier it has its
   * own number, or if that is above 4095 or taken, the lowest free one; without a free one it stays discarding.
   */
  addPort(number: number, settings: SpanningTreePortSettings): void {
    const port = new TreePort(this.#bridge, number, this.#portNumbers.take(number));
    this.ports.set(number, port);
    port.configure(settings);
    beginPortReceive(port);
    beginPortProtocolMigration(port);
    beginBridgeDetection(port);
    beginPortInformation(port);
    beginPortRoleTransitions(port);
    beginPortStateTransition(port);
    beginTopologyChange(port);
    beginPortTransmit(port);
    this.#run(port);
  }

  /** Removes a port; its state is not told any more. */
  removePort(number: number): void {
    const port = this.ports.get(number);
    if (port === undefined) return;
    this.setUp(number, false);
    this.ports.delete(number);
    this.#bridge.pending.delete(port);
    this.#bridge.dependents.delete(port);
    if (port.stpNumber !== undefined) this.#portNumbers.free(port.stpNumber);
    // Removed while machines ran: it may have been the root port.
    if (this.#isRunning) for (const other of this.ports.values()) other.askReselect();
  }

  /** The port's link is up and it is not shut, or no longer (portEnabled, 17.19.18). */
  setUp(number: number, isUp: boolean): void {
    const port = this.ports.get(number);
    if (port === undefined || port.isUp === isUp) return;
    port.setUp(isUp);
    this.#run(port);
  }

  configurePort(number: number, settings: SpanningTreePortSettings): void {
    const port = this.ports.get(number);
    port?.configure(settings);
    if (port !== undefined) this.#run(port);
  }

  /** Tests whether the neighbours at a port know RSTP by now (mcheck, 17.19.13). */
  checkProtocol(number: number): void {
    const port = this.ports.get(number);
    if (port === undefined || !this.#bridge.rstpVersion) return;
    port.mcheck = true;
    this.#run(port);
  }

  /** To be called once a second. */
  tick(): void {
    for (const port of this.ports.values()) {
      port.heard = 0;
      portTimers(port);
    }
    this.#run();
    if (this.#shared?.tell(true)) this.#run();
  }

  /** Runs the machines of all ports. For tests: @returns whether one had something to do, which would be a mistake */
  runAll(): boolean {
    for (const port of this.ports.values()) this.#bridge.pending.add(port);
    if (this.#runPending()) return true;
    this.#settle();
    return false;
  }

  /**
   * Takes a frame to 01-80-C2-00-00-00, `length` octets at `start`; they are not used after the return. A BPDU
   * that must be discarded is counted.
   */
  received(number: number, bytes: Uint8Array, start: number, length: number): void {
    const bpdu = decodeBpdu(bytes, start, length);
    this.#whenIdle(() => {
      const port = this.#accept(number, bpdu);
      if (port !== undefined) this.#run(port);
    });
  }

  /** Another node of a shared bridge can be reached. */
  nodeUp(node: string): void {
    this.#shared?.nodeUp(node);
    // It joins by its report, so the machines have nothing to do yet.
    this.#whenIdle(() => void this.#shared?.tell(false));
  }

  /** Another node is no part of a shared bridge any more; no frames pass between it and this one. */
  nodeDown(node: string): void {
    this.#whenIdle(() => {
      if (this.#shared?.nodeDown(node)) this.#run();
    });
  }

  /** Another node, which can be reached, has no spanning tree. */
  nodeWithoutTree(node: string): void {
    this.#whenIdle(() => {
      if (this.#shared?.withoutTree(node)) this.#run();
    });
  }

  /** Takes what another node has sent by `SharedBridgeOptions.send`. The octets are not used after the return. */
  reportReceived(node: string, report: Uint8Array): void {
    const copy = this.#isRunning ? report.slice() : report;
    this.#whenIdle(() => {
      if (this.#shared?.received(node, copy)) this.#run();
    });
  }

  /** To be called when there are other port numbers: ports without one get one. */
  renumber(): void {
    for (const port of this.ports.values()) {
      const number = this.#portNumbers.take(port.number, port.stpNumber);
      if (number === port.stpNumber) continue;
      port.renumber(number);
    }
    this.#run();
  }

  #whenIdle(action: () => void): void {
    if (this.#isRunning) this.#waiting.push(action);
    else action();
  }

  /** @returns the port, if its machines have something to do */
  #accept(number: number, bpdu: Bpdu | undefined): TreePort | undefined {
    const port = this.ports.get(number);
    if (port === undefined) return undefined;
    const isTaken = bpdu !== undefined && !port.settings.hasBpduFilter && port.portEnabled;
    if (!isTaken || ++port.heard > MOST_BPDUS_PER_SECOND) {
      port.discarded++;
      return undefined;
    }
    port.received[bpdu.type]++;
    if (port.settings.hasBpduGuard) {
      port.tripGuard();
      this.#actions.happened?.({ kind: 'bpduGuard', port: number });
    } else {
      port.message = bpdu;
      port.rcvdBpdu = true;
    }
    return port;
  }

  /** Runs the machines of a port, default: of all, and then what was asked for while they ran. */
  #run(port?: TreePort): void {
    if (port === undefined) for (const each of this.ports.values()) this.#bridge.pending.add(each);
    else this.#bridge.pending.add(port);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#settleAndTell();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      next();
      this.#settleAndTell();
    }
    this.#isRunning = false;
    this.#tellRoot();
  }

  #settleAndTell(): void {
    do this.#settle();
    while (this.#shared?.tell(false) === true);
  }

  /**
   * Runs the machines of pending ports, and of those that they affect, until none changes its state. What is to be
   * transmitted is so when all else is settled.
   */
  #settle(): void {
    const { pending } = this.#bridge;
    for (let rounds = 0; pending.size > 0; rounds++) {
      if (rounds > MAX_ROUNDS) {
        this.unsettled++;
        pending.clear();
      }
      if (this.#runPending()) continue;
      for (const port of pending) if (!runTransmission(port)) pending.delete(port);
    }
  }

  #runPending(): boolean {
    const { pending, dependents } = this.#bridge;
    let isChanged = false;
    for (const port of pending) {
      isChanged = runReception(port) || isChanged;
      if (!runRoles(port)) continue;
      isChanged = true;
      for (const dependent of dependents) pending.add(dependent);
    }
    return portRoleSelection(this.#bridge) || isChanged;
  }

  #tellRoot(): void {
    const { rootId } = this.#bridge.rootPriority;
    if (rootId === this.#toldRoot) return;
    this.#toldRoot = rootId;
    this.#actions.happened?.({ kind: 'rootChanged', rootId, port: this.#bridge.rootPort?.number });
  }

  #transmit(port: TreePort, bpdu: Bpdu): void {
    if (port.settings.hasBpduFilter) return;
    port.transmitted[bpdu.type]++;
    const { address } = this.#bridge;
    const source = (address - (address % (MAX_PORT_NUMBER + 1)) + (port.stpNumber ?? 0)) as MacAddress;
    this.#actions.transmit(port.number, encodeBpdu(bpdu, source));
  }

  #changed(port: TreePort): void {
    const { state } = port;
    if (state === port.toldState) return;
    port.toldState = state;
    this.#actions.setState(port.number, state);
  }

  #topologyChange(port: PortVariables, isDetected: boolean): void {
    this.#bridge.topologyChanges++;
    this.#actions.happened?.({ kind: 'topologyChange', port: port.number, isDetected });
  }
}

function runReception(port: PortVariables): boolean {
  let isChanged = portReceive(port);
  isChanged = bridgeDetection(port) || isChanged;
  return portInformation(port) || isChanged;
}

function runRoles(port: PortVariables): boolean {
  let isChanged = portRoleTransitions(port);
  isChanged = portStateTransition(port) || isChanged;
  return topologyChange(port) || isChanged;
}

function runTransmission(port: PortVariables): boolean {
  const isChanged = portProtocolMigration(port);
  return portTransmit(port) || isChanged;
}

function timesOf({ helloTime, maxAge, forwardDelay }: SpanningTreeSettings): Times {
  return { messageAge: 0, maxAge, helloTime, forwardDelay };
}

function ownVector(bridgeId: BridgeId): PriorityVector {
  return { rootId: bridgeId, rootPathCost: 0, bridgeId, portId: 0 };
}
