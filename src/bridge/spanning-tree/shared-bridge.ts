import { addressOf, type BridgeId } from '../../wire/bpdu/bridge-id.ts';
import {
  decodeTreeReport,
  encodeTreeReport,
  type ReportedRoot,
  type SelectedRoot,
  type TreeReport,
} from '../../wire/bpdu/tree-report.ts';
import { LazyMap } from '../lazy-map.ts';
import { selectRoles } from './port-role-selection.ts';
import { compareVectors, type Times } from './priority-vector.ts';
import { isSyncedHere, setReRootHere, setReRootTree, setSyncHere, setSyncTree, setTcPropHere } from './tree.ts';
import type { BridgeVariables, OtherNodes, RemoteRoot } from './variables.ts';

/** What makes a spanning tree the part of a bridge that several nodes are together. */
export interface SharedBridgeOptions {
  /** the name of this node, unique among them */
  readonly node: string;
  /** random 32 bits, new for each spanning tree */
  readonly boot: number;
  /** Sends a report to one other node, in order; it may be lost. */
  send(node: string, report: Uint8Array): void;
  /** Frames may pass between this node and another one, or no longer: their trees are one. */
  joined(node: string, isJoined: boolean): void;
}

/** In seconds: longer than a node needs to notice that a link of the mesh is down. */
const MOST_DISAGREED = 3;

interface OtherNode {
  readonly name: string;
  /** undefined: none has come since the node is up */
  report: TreeReport | undefined;
  /** Its ports and ours have the roles of one bridge, so frames pass between it and this node. */
  isJoined: boolean;
  /** for how many seconds its root has been another one than ours */
  disagreed: number;
  /** what it was sent last, to send nothing twice but once a second */
  told: string;
}

/** The fields that must be answered: they change the roles and duties of the other nodes' ports. */
interface Demands {
  readonly bridgeId: BridgeId;
  readonly bridgeTimes: Times;
  readonly root: ReportedRoot | undefined;
  readonly syncs: number;
  readonly reRoots: number;
}

/**
 * One bridge of the spanning tree that several nodes are together, each with its own ports. All have the same bridge
 * identifier, and port identifiers that do not collide. Between them frames always pass.
 *
 * Each node tells the others the best root path priority vector of its ports. That is enough for the same roles as on one
 * bridge: of the vectors, updtRolesTree (IEEE 802.1D-2004, 17.21.25) uses only the least one of all ports, which is the least
 * of the least ones of the nodes, since the order is total (the identifier of the receiving port is the last component). The
 * role of any other port depends on its own information and on that vector.
 *
 * What one port demands of all others (setSyncTree, setReRootTree, setTcPropTree) is a counter in the report; a
 * condition about all other ports (allSynced, reRooted) holds when each other node has answered the present demands, has
 * selected the same root, and says so of its ports. While a node does not answer, it does not hold, and the port waits for its timers, as
 * towards a bridge with STP.
 *
 * A report is the whole state, is sent when it changes and once a second, and may be lost.
 */
export class SharedBridge implements OtherNodes {
  readonly #options: SharedBridgeOptions;
  readonly #bridge: BridgeVariables;
  readonly #nodes = new LazyMap<string, OtherNode>();
  #own: { readonly bridgeId: BridgeId; readonly bridgeTimes: Times };
  #version = 1;
  #syncs = 0;
  #reRoots = 0;
  #changes = 0;
  /** The demands with the present version. */
  #demands: Demands | undefined;

  constructor(bridge: BridgeVariables, options: SharedBridgeOptions) {
    this.#bridge = bridge;
    this.#options = options;
    this.#own = { bridgeId: bridge.bridgeId, bridgeTimes: bridge.bridgeTimes };
  }

  get node(): string {
    return this.#options.node;
  }

  /** The bridge identifier and times that this node's settings say. Roles are to be selected after it. */
  setOwn(bridgeId: BridgeId, bridgeTimes: Times): void {
    this.#own = { bridgeId, bridgeTimes };
    this.#agreeOnBridge();
  }

  /** Another node can be reached: it is told the state; it is a part of the bridge as soon as its report has come. */
  nodeUp(name: string): void {
    if (this.#nodes.has(name)) return;
    this.#nodes.set(name, { name, report: undefined, isJoined: false, disagreed: 0, told: '' });
  }

  /** @returns whether the machines have something to do */
  nodeDown(name: string): boolean {
    const other = this.#nodes.get(name);
    if (other === undefined) return false;
    this.#nodes.delete(name);
    if (other.isJoined) this.#options.joined(name, false);
    if (other.report === undefined) return false;
    this.#agreeOnBridge();
    selectRoles(this.#bridge);
    return true;
  }

  /** Another node has no spanning tree in this network: frames pass, and it has no say in the roles. */
  withoutTree(name: string): boolean {
    const other = this.#nodes.get(name);
    if (other === undefined || (other.isJoined && other.report === undefined)) return false;
    const hadReport = other.report !== undefined;
    other.report = undefined;
    this.#agreeOnBridge();
    if (hadReport) selectRoles(this.#bridge);
    other.isJoined = true;
    this.#options.joined(name, true);
    return true;
  }

  /** Takes a report. @returns whether the machines have something to do */
  received(name: string, bytes: Uint8Array): boolean {
    const report = decodeTreeReport(bytes);
    const other = this.#nodes.get(name);
    // A bridge with another address would be no part of this one.
    if (report === undefined || other === undefined || !this.#isOfThisBridge(report)) return false;
    const former = other.report;
    other.report = report;
    if (former?.boot !== report.boot) this.#join(other);
    else this.#follow(former, report);
    return true;
  }

  *roots(): Iterable<RemoteRoot> {
    for (const { name, report } of this.#nodes.values()) {
      if (report?.root !== undefined) yield { node: name, ...report.root };
    }
  }

  areSynced(): boolean {
    return this.#all(({ isSynced }) => isSynced);
  }

  areReRooted(): boolean {
    return this.#all(({ isReRooted }) => isReRooted);
  }

  demandSync(): void {
    this.#syncs = next(this.#syncs);
  }

  demandReRoot(): void {
    this.#reRoots = next(this.#reRoots);
  }

  topologyChanged(): void {
    this.#changes = next(this.#changes);
  }

  /**
   * Tells what has changed; to be called when the machines have settled.
   * @param isDue once a second: tells it anyway
   * @returns whether the machines have something to do, since another node has joined
   */
  tell(isDue: boolean): boolean {
    if (this.#nodes.size === 0) return false;
    this.#tellOthers(isDue);
    if (isDue) this.#part();
    let isAnyNew = false;
    if (this.#isAgreedOn()) {
      for (const other of this.#nodes.values()) {
        const { report } = other;
        if (other.isJoined || report === undefined || !this.#hasAnswered(report) || !this.#agrees(report)) continue;
        other.isJoined = isAnyNew = true;
        this.#options.joined(other.name, true);
      }
    }
    // As after a port that has become forwarding (17.31): stations may be reached another way.
    if (isAnyNew) setTcPropHere(this.#bridge);
    return isAnyNew;
  }

  /** Whether all nodes to which frames pass have answered, and have selected the same root. */
  #isAgreedOn(): boolean {
    for (const { isJoined, report } of this.#nodes.values()) {
      if (isJoined && report !== undefined && !(this.#hasAnswered(report) && this.#agrees(report))) return false;
    }
    return true;
  }

  #agrees({ selected }: TreeReport): boolean {
    const { path, portId } = this.#selected;
    return selected.portId === portId && compareVectors(selected.path, path) === 0;
  }

  /**
   * Ends what passes between this node and another one that has another root for seconds: it does not hear of a third one
   * of which this node hears. Each has a root port then, and frames would come twice.
   */
  #part(): void {
    for (const other of this.#nodes.values()) {
      const { report } = other;
      other.disagreed = report === undefined || this.#agrees(report) ? 0 : other.disagreed + 1;
      if (!other.isJoined || other.disagreed < MOST_DISAGREED) continue;
      other.isJoined = false;
      this.#options.joined(other.name, false);
    }
  }

  get #selected(): SelectedRoot {
    const { rootPriority, remoteRoot, rootPort } = this.#bridge;
    return { path: rootPriority, portId: remoteRoot?.portId ?? rootPort?.portId ?? 0 };
  }

  #tellOthers(isDue: boolean): void {
    const demands = this.#demandsNow();
    const state = this.#stateOf(demands);
    for (const other of this.#nodes.values()) {
      const { boot: answeredBoot = 0, version: answeredVersion = 0 } = other.report ?? {};
      const report = { ...state, answeredBoot, answeredVersion };
      const { version, isSynced, isReRooted, changes, selected } = report;
      const { rootId, rootPathCost, bridgeId, portId } = selected.path;
      const root = [rootId, rootPathCost, bridgeId, portId, selected.portId];
      const told = [version, isSynced, isReRooted, changes, ...root, answeredBoot, answeredVersion].join(' ');
      if (!isDue && told === other.told) continue;
      other.told = told;
      this.#options.send(other.name, encodeTreeReport(report));
    }
  }

  /** The trees of this node and another one become one. */
  #join(other: OtherNode): void {
    const bridge = this.#bridge;
    const { rootPriority, rootPort } = bridge;
    if (other.isJoined) this.#options.joined(other.name, false);
    other.isJoined = false;
    this.#agreeOnBridge();
    selectRoles(bridge);
    const { rootId, rootPathCost } = bridge.rootPriority;
    // As a bridge with a new root port: no port forwards by what the former root said (17.29.2).
    if (rootPort !== bridge.rootPort || rootId !== rootPriority.rootId || rootPathCost !== rootPriority.rootPathCost) {
      setReRootTree(bridge);
      setSyncTree(bridge);
    }
  }

  #follow(former: TreeReport, report: TreeReport): void {
    const bridge = this.#bridge;
    if (former.version !== report.version) {
      this.#agreeOnBridge();
      selectRoles(bridge);
    }
    if (former.syncs !== report.syncs) setSyncHere(bridge);
    if (former.reRoots !== report.reRoots) setReRootHere(bridge);
    if (former.changes !== report.changes) setTcPropHere(bridge);
  }

  /** Nodes whose settings differ for a while are the best of their bridges, so that they have one identifier at all times. */
  #agreeOnBridge(): void {
    let best = this.#own;
    let bestNode = this.#options.node;
    for (const { name, report } of this.#nodes.values()) {
      if (report === undefined || report.bridgeId > best.bridgeId) continue;
      if (report.bridgeId === best.bridgeId && name > bestNode) continue;
      best = report;
      bestNode = name;
    }
    this.#bridge.bridgeId = best.bridgeId;
    this.#bridge.bridgeTimes = best.bridgeTimes;
  }

  #isOfThisBridge({ bridgeId }: TreeReport): boolean {
    return addressOf(bridgeId) === this.#bridge.address;
  }

  #all(holds: (report: TreeReport) => boolean): boolean {
    if (this.#nodes.size === 0) return true;
    this.#demandsNow();
    for (const { report } of this.#nodes.values()) {
      // One whose report has not come is no part of the bridge yet.
      if (report !== undefined && !(this.#hasAnswered(report) && this.#agrees(report) && holds(report))) return false;
    }
    return true;
  }

  #hasAnswered({ answeredBoot, answeredVersion }: TreeReport): boolean {
    return answeredBoot === this.#options.boot && answeredVersion === this.#version;
  }

  /** The present demands; a new version if they have changed. */
  #demandsNow(): Demands {
    const { localRoot } = this.#bridge;
    const root: ReportedRoot | undefined = localRoot && {
      path: localRoot.path,
      portId: localRoot.port.portId,
      port: localRoot.port.number,
      times: localRoot.port.portTimes,
    };
    const demands = { ...this.#own, root, syncs: this.#syncs, reRoots: this.#reRoots };
    if (this.#demands === undefined || !isSame(this.#demands, demands)) {
      this.#demands = demands;
      this.#version = next(this.#version);
    }
    return demands;
  }

  #stateOf(demands: Demands): Omit<TreeReport, 'answeredBoot' | 'answeredVersion'> {
    const bridge = this.#bridge;
    let isReRooted = true;
    for (const port of bridge.ports.values()) if (port.rrWhile !== 0) isReRooted = false;
    return {
      ...demands,
      boot: this.#options.boot,
      version: this.#version,
      changes: this.#changes,
      isSynced: isSyncedHere(bridge),
      isReRooted,
      selected: this.#selected,
    };
  }
}

function next(count: number): number {
  return (count + 1) >>> 0;
}

function isSame(one: Demands, other: Demands): boolean {
  return textOf(one) === textOf(other);
}

function textOf({ bridgeId, bridgeTimes, root, syncs, reRoots }: Demands): string {
  const ofRoot = root === undefined ? [] : valuesOf(root);
  return [bridgeId, ...listOf(bridgeTimes), syncs, reRoots, ...ofRoot].join(' ');
}

function valuesOf({ path, portId, port, times }: ReportedRoot): readonly (bigint | number)[] {
  return [path.rootId, path.rootPathCost, path.bridgeId, path.portId, portId, port, ...listOf(times)];
}

function listOf({ messageAge, maxAge, helloTime, forwardDelay }: Times): readonly number[] {
  return [messageAge, maxAge, helloTime, forwardDelay];
}
