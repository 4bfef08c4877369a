import { BRIDGE_GROUP_ADDRESS } from '../../wire/bpdu/bpdu.ts';
import { destinationOf } from '../../wire/ethernet/ethernet-frame.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Bridge } from '../bridge.ts';
import type { BridgePort, PortNumber } from '../bridge-port.ts';
import { LazySet } from '../lazy-set.ts';
import type { ProtocolEntity } from '../protocol-entity.ts';
import { PortCost } from './path-cost.ts';
import type { PortNumbers } from './port-numbers.ts';
import type { SpanningTreePortSettings, SpanningTreeSettings } from './settings.ts';
import type { SharedBridgeOptions } from './shared-bridge.ts';
import { SpanningTree, type SpanningTreeEvent } from './spanning-tree.ts';

/** Bit 0: 01-80-C2-00-00-00. */
const BRIDGE_GROUP = 0x0001;
const TICK_MS = 1000;
/** After a pause of the process the timers do not run faster for longer than this. */
const MOST_TICKS = 2;

/** Is told of what the tree does. */
export interface TreeListener {
  stateChanged?(port: BridgePort): void;
  happened?(event: SpanningTreeEvent): void;
}

/** The bridge is one with those of other nodes, to which its ports of the mesh lead. */
export interface TreeMesh extends Omit<SharedBridgeOptions, 'joined'> {
  /** Port numbers that no other node uses. */
  readonly portNumbers: PortNumbers;
}

interface Member {
  readonly bridgePort: BridgePort;
  readonly cost: PortCost;
}

/**
 * The spanning tree of a bridge: a protocol entity that sets the states of its ports, forgets addresses after a topology
 * change, and takes path costs from what tunnels measure. With it, parallel tunnels are decided by the tree.
 *
 * Ports of the mesh are no ports of the tree: no BPDU goes out or is taken there. They are inside of the bridge, and forward
 * as soon as the nodes at both ends have the roles of one bridge.
 *
 * Its owner calls `tick` at least once a second.
 */
export class BridgeTree implements ProtocolEntity {
  readonly addresses = BRIDGE_GROUP;
  readonly decidesParallel = true;
  readonly tree: SpanningTree;
  readonly #bridge: Bridge;
  readonly #members = new Map<PortNumber, Member>();
  readonly #joinedNodes = new LazySet<string>();
  #tickedMs: number | undefined;

  /**
   * Starts at once: all ports of the bridge are discarding until their roles are decided. Those that are open are to be
   * told by `portChanged`.
   */
  constructor(
    bridge: Bridge,
    options: Partial<SpanningTreeSettings> & { readonly address: MacAddress; readonly mesh?: TreeMesh | undefined },
    told: TreeListener = {},
  ) {
    this.#bridge = bridge;
    const { mesh, ...settings } = options;
    const joined = (node: string, isJoined: boolean) => this.#joined(node, isJoined);
    const shared = mesh && { portNumbers: mesh.portNumbers, shared: { ...mesh, joined } };
    const portOf = (number: number) => this.#members.get(number as PortNumber)?.bridgePort;
    const treeOptions = { ...settings, ...shared };
    this.tree = new SpanningTree(treeOptions, {
      transmit: (number, frame) => {
        const port = portOf(number);
        if (port !== undefined) bridge.transmit(port, frame);
      },
      setState: (number, state) => {
        const port = portOf(number);
        if (port === undefined) return;
        bridge.setStpState(port, state);
        told.stateChanged?.(port);
      },
      flush: (number) => {
        const port = portOf(number);
        if (port !== undefined) bridge.forgetAddresses(port);
      },
      happened: (event) => told.happened?.(event),
    });
    for (const port of bridge.eachPort()) this.portAdded(port);
    // The ports are discarding before tunnels that stood by are left to the tree.
    bridge.addProtocol(this);
  }

  /** Ends: all ports forward as without spanning tree. */
  end(): void {
    this.#bridge.removeProtocol(this);
    for (const bridgePort of this.#bridge.eachPort()) this.#bridge.setStpState(bridgePort, 'forwarding');
    this.#members.clear();
  }

  /** A port was attached. It is discarding, and down until `portChanged`, since it can send nothing before it is open. */
  portAdded(bridgePort: BridgePort): void {
    const { number, meshNode } = bridgePort;
    if (meshNode !== undefined) {
      this.#bridge.setStpState(bridgePort, this.#joinedNodes.has(meshNode) ? 'forwarding' : 'discarding');
      return;
    }
    const cost = new PortCost();
    cost.look(bridgePort.port, 0);
    this.#members.set(number, { bridgePort, cost });
    this.tree.addPort(number, settingsOf(bridgePort, cost));
  }

  /** The port's link, its settings, its administrative state or its cost may have changed. */
  portChanged(bridgePort: BridgePort): void {
    const { number } = bridgePort;
    const member = this.#members.get(number);
    if (member === undefined) return;
    this.tree.configurePort(number, settingsOf(bridgePort, member.cost));
    this.tree.setUp(number, isUp(bridgePort));
  }

  portRemoved({ number }: BridgePort): void {
    this.tree.removePort(number);
    this.#members.delete(number);
  }

  received(port: BridgePort, frame: Uint8Array, _nowMs: number): boolean {
    if (destinationOf(frame, 0) !== BRIDGE_GROUP_ADDRESS) return false;
    // One of a port of the mesh is dropped: the tree has no such port.
    this.tree.received(port.number, frame, 0, frame.length);
    return true;
  }

  /** Frames may pass to another node, or no longer. */
  #joined(node: string, isJoined: boolean): void {
    if (isJoined) this.#joinedNodes.add(node);
    else this.#joinedNodes.delete(node);
    for (const port of this.#bridge.eachPort()) {
      if (port.meshNode === node) this.#bridge.setStpState(port, isJoined ? 'forwarding' : 'discarding');
    }
  }

  /** Lets seconds pass, and looks at the round trips of tunnels. @param nowMs monotonic milliseconds */
  tick(nowMs: number): void {
    const last = this.#tickedMs ?? nowMs - TICK_MS;
    const ticks = Math.floor((nowMs - last) / TICK_MS);
    if (ticks < 1) return;
    // The rest of a second counts for the next tick, so that a timer that is late does not slow the protocol.
    this.#tickedMs = ticks > MOST_TICKS ? nowMs : last + ticks * TICK_MS;
    for (let tick = Math.min(ticks, MOST_TICKS); tick > 0; tick--) this.tree.tick();
    for (const { bridgePort, cost } of this.#members.values()) {
      if (cost.look(bridgePort.port, nowMs) || isUp(bridgePort) !== this.tree.ports.get(bridgePort.number)?.isUp) {
        this.portChanged(bridgePort);
      }
    }
  }
}

function isUp({ isUsable, isMirrorOutput }: BridgePort): boolean {
  return isUsable && !isMirrorOutput;
}

function settingsOf({ settings: { spanningTree } }: BridgePort, cost: PortCost): SpanningTreePortSettings {
  const { pathCost } = spanningTree;
  return { ...spanningTree, pathCost: pathCost === 'auto' ? cost.cost : pathCost };
}
