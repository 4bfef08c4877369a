import type { PortRole } from '../../src/bridge/spanning-tree/variables.ts';
import type { VirtualBridge, VirtualLan, VirtualPort } from './virtual-lan.ts';

/** A priority vector as a list, so that this is no copy of the code under test: root, cost, bridge, port. */
type Vector = readonly [root: bigint, cost: bigint, bridge: bigint, port: bigint];

function isLess(one: Vector, other: Vector): boolean {
  for (let at = 0; at < one.length; at++) {
    if (one[at] !== other[at]) return (one[at] as bigint) < (other[at] as bigint);
  }
  return false;
}

const idOf = ({ options: { priority = 32_768, address } }: VirtualBridge): bigint =>
  (BigInt(priority) << 48n) | BigInt(address);
const portIdOf = (bridge: VirtualBridge, { number, settings }: VirtualPort): bigint =>
  BigInt((settings.priority << 8) | (bridge.portBase + number));

/** The root and the cost of its path by the address of a bridge. */
type Paths = Map<number, readonly [bigint, bigint]>;

/** What makes nodes of a mesh one bridge: the address. */
const isSameBridge = (one: VirtualBridge, other: VirtualBridge) => one.options.address === other.options.address;

/**
 * The role that each port must have in the end, from the topology alone: shortest paths by Bellman and Ford from the best
 * bridge of each connected part. Bridges that are off and ports that are down have none.
 */
export function expectedRoles(lan: VirtualLan): Map<VirtualPort, PortRole> {
  // The nodes of a mesh are one bridge with the ports of all.
  const bridges = new Map<number, VirtualBridge[]>();
  for (const bridge of lan.bridges) {
    if (bridge.isOn) bridges.set(bridge.options.address, [...(bridges.get(bridge.options.address) ?? []), bridge]);
  }
  const paths: Paths = new Map();
  for (const [address, [first]] of bridges) paths.set(address, [idOf(first as VirtualBridge), 0n]);
  const rootPorts = new Map<number, VirtualPort>();
  for (let rounds = bridges.size + 1; rounds > 0; rounds--) {
    for (const [address, nodes] of bridges) {
      let best: { vector: readonly bigint[]; port: VirtualPort } | undefined;
      for (const bridge of nodes) {
        for (const port of bridge.ports) {
          const designated = designatedAt(port, bridge, paths);
          if (designated === undefined || isSameBridge(designated.bridge, bridge)) continue;
          const [root, cost, from, fromPort] = designated.vector;
          const vector = [root, cost + BigInt(port.settings.pathCost), from, fromPort, portIdOf(bridge, port)];
          if (best === undefined || isLess(vector as never, best.vector as never)) best = { vector, port };
        }
      }
      const own = idOf(nodes[0] as VirtualBridge);
      if (best !== undefined && (best.vector[0] as bigint) < own) {
        paths.set(address, [best.vector[0] as bigint, best.vector[1] as bigint]);
        rootPorts.set(address, best.port);
      } else {
        paths.set(address, [own, 0n]);
        rootPorts.delete(address);
      }
    }
  }
  const roles = new Map<VirtualPort, PortRole>();
  for (const [address, nodes] of bridges) {
    for (const bridge of nodes) {
      for (const port of bridge.ports) {
        if (!port.isUp) roles.set(port, 'disabled');
        else if (port === rootPorts.get(address)) roles.set(port, 'root');
        else {
          const designated = designatedAt(port, bridge, paths);
          const isOwn = designated === undefined || designated.port === port;
          roles.set(port, isOwn ? 'designated' : isSameBridge(designated.bridge, bridge) ? 'backup' : 'alternate');
        }
      }
    }
  }
  return roles;
}

/** The best vector that is sent on the port's segment, and by which port. */
function designatedAt(port: VirtualPort, bridge: VirtualBridge, paths: Paths) {
  if (!port.isUp) return undefined;
  let best: { vector: Vector; bridge: VirtualBridge; port: VirtualPort } | undefined;
  const members = port.segment === undefined ? [{ bridge, port }] : port.segment.members;
  for (const member of members) {
    const path = paths.get(member.bridge.options.address);
    if (path === undefined || !member.bridge.isOn || !member.port.isUp) continue;
    const vector: Vector = [...path, idOf(member.bridge), portIdOf(member.bridge, member.port)];
    if (best === undefined || isLess(vector, best.vector)) best = { vector, bridge: member.bridge, port: member.port };
  }
  return best;
}

/**
 * What is wrong with the active topology: the forwarding ports as edges between bridges and segments.
 * @returns undefined if it has no loop
 */
export function findLoop(lan: VirtualLan): string | undefined {
  const parents = new Map<object, object>();
  const rootOf = (node: object): object => {
    let at = node;
    for (let next = parents.get(at); next !== undefined; next = parents.get(at)) at = next;
    return at;
  };
  // Meshes are full, so two nodes are one as soon as a frame may pass between them in both directions.
  for (const bridge of lan.bridges) {
    for (const other of bridge.openNodes())
      if (rootOf(bridge) !== rootOf(other)) parents.set(rootOf(bridge), rootOf(other));
  }
  for (const [index, bridge] of lan.bridges.entries()) {
    for (const port of bridge.ports) {
      if (!bridge.isOn || !port.isUp || port.state !== 'forwarding' || port.segment === undefined) continue;
      const [one, other] = [rootOf(bridge), rootOf(port.segment)];
      if (one === other) return `bridge ${index}, port ${port.number}, segment ${port.segment.name} closes a loop`;
      parents.set(one, other);
    }
  }
  return undefined;
}

/** Compares roles and states with the expected ones. @returns one line for each difference */
export function differences(lan: VirtualLan): string[] {
  const expected = expectedRoles(lan);
  const found: string[] = [];
  for (const [index, bridge] of lan.bridges.entries()) {
    if (!bridge.isOn) continue;
    if (bridge.tree.unsettled !== 0) found.push(`bridge ${index}: the machines did not settle`);
    for (const port of bridge.ports) {
      const role = bridge.tree.ports.get(port.number)?.role;
      const wanted = expected.get(port);
      if (role !== wanted) found.push(`bridge ${index}, port ${port.number}: ${role}, expected ${wanted}`);
      const state = wanted === 'root' || wanted === 'designated' ? 'forwarding' : 'discarding';
      if (port.state !== state) found.push(`bridge ${index}, port ${port.number}: ${port.state}, expected ${state}`);
    }
  }
  return found;
}
