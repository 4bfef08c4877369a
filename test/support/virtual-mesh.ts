import type { PortNumbers } from '../../src/bridge/spanning-tree/port-numbers.ts';
import type { SpanningTreeOptions } from '../../src/bridge/spanning-tree/spanning-tree.ts';
import { VirtualBridge, type VirtualLan } from './virtual-lan.ts';

/** How long a node does not notice that another one is gone, in milliseconds. */
const NOTICE_MS = 1500;
const PORTS_PER_NODE = 256;

/** What a mesh does to its messages. */
export interface MeshConditions {
  /** One of so many messages is lost; 0: none. */
  lossOneIn: number;
  /** The longest delay of a message. Messages of one node to another keep their order. */
  maxDelayMs: number;
}

interface Link {
  isUp: boolean;
  /** Raised by each change, so that messages of a former link are lost. */
  life: number;
  lastArrivalMs: number;
}

/** One bridge of a virtual LAN that several nodes are together: each pair has a link. */
export class VirtualMesh {
  readonly lan: VirtualLan;
  readonly nodes: VirtualNode[] = [];
  readonly conditions: MeshConditions = { lossOneIn: 0, maxDelayMs: 5 };
  /** Those from a node to another one. */
  readonly #links = new Map<string, Link>();

  constructor(lan: VirtualLan, options: SpanningTreeOptions, count: number) {
    this.lan = lan;
    for (let index = 0; index < count; index++) {
      const node = new VirtualNode(this, index, options);
      this.nodes.push(node);
      lan.bridges.push(node);
    }
    for (const one of this.nodes) for (const other of this.nodes) if (one !== other) this.#connect(one, other);
  }

  linkOf(one: VirtualNode, other: VirtualNode): Link {
    const key = `${one.name} ${other.name}`;
    const link = this.#links.get(key) ?? { isUp: true, life: 0, lastArrivalMs: 0 };
    this.#links.set(key, link);
    return link;
  }

  /** Cuts the link between two nodes, which both notice later, or mends it. */
  setLink(one: VirtualNode, other: VirtualNode, isUp: boolean): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const link = this.linkOf(from, to);
      if (link.isUp === isUp) continue;
      link.isUp = isUp;
      link.life++;
      if (isUp) this.#connect(from, to);
      else this.#lose(from, to);
    }
  }

  /** Mends all links. */
  mend(): void {
    for (const one of this.nodes) for (const other of this.nodes) if (one !== other) this.setLink(one, other, true);
  }

  /** The node has stopped. */
  stopped(node: VirtualNode): void {
    if (!this.nodes.includes(node)) return;
    for (const other of this.nodes) {
      if (other === node) continue;
      this.linkOf(node, other).life++;
      this.linkOf(other, node).life++;
      this.#lose(other, node);
    }
  }

  started(node: VirtualNode): void {
    for (const other of this.nodes) {
      if (other === node) continue;
      // The dial of the new life ends what is left of the former one.
      this.linkOf(node, other).life++;
      this.linkOf(other, node).life++;
      if (other.isOn) other.lost(node);
      this.#connect(node, other);
      this.#connect(other, node);
    }
  }

  send(from: VirtualNode, to: VirtualNode, report: Uint8Array): void {
    const link = this.linkOf(from, to);
    const { life } = link;
    const { lossOneIn, maxDelayMs } = this.conditions;
    const { lan } = this;
    if (lossOneIn > 0 && lan.random.once(lossOneIn)) return;
    link.lastArrivalMs = Math.max(link.lastArrivalMs, lan.nowMs + lan.random.below(maxDelayMs + 1));
    lan.after(link.lastArrivalMs - lan.nowMs, () => {
      if (link.isUp && link.life === life && to.isOn) to.heard(from, report);
    });
  }

  #connect(from: VirtualNode, to: VirtualNode): void {
    const link = this.linkOf(from, to);
    const { life } = link;
    this.lan.after(this.lan.random.below(20), () => {
      if (link.life === life && link.isUp && from.isOn && to.isOn) from.tree.nodeUp(to.name);
    });
  }

  #lose(from: VirtualNode, to: VirtualNode): void {
    const link = this.linkOf(from, to);
    const { life } = link;
    this.lan.after(this.lan.random.below(NOTICE_MS), () => {
      if (link.life === life && from.isOn) from.lost(to);
    });
  }
}

/** A node of a virtual mesh: a bridge with its own ports, and the spanning tree of all. */
export class VirtualNode extends VirtualBridge {
  readonly mesh: VirtualMesh;
  readonly name: string;
  override readonly portBase: number;
  /** The nodes whose frames may pass. */
  readonly #open = new Set<string>();
  #startShared: () => SpanningTreeOptions;

  constructor(mesh: VirtualMesh, index: number, options: SpanningTreeOptions) {
    super(mesh.lan, options);
    this.mesh = mesh;
    this.name = `r${index + 1}`;
    this.portBase = PORTS_PER_NODE * index;
    this.#startShared = () => ({
      ...options,
      portNumbers: new NodePortNumbers(this.portBase),
      shared: {
        node: this.name,
        boot: mesh.lan.random.next() >>> 0,
        send: (name, report) => mesh.send(this, this.#called(name), report),
        joined: (name, isJoined) => {
          if (isJoined) this.#open.add(name);
          else this.#open.delete(name);
          mesh.lan.stateChanged();
        },
      },
    });
    // What the base has started has no mesh; only members of the mesh are told of.
    super.restart();
  }

  override stop(): void {
    super.stop();
    this.#open.clear();
    this.mesh.stopped(this);
  }

  override restart(): void {
    super.restart();
    this.mesh.started(this);
  }

  heard(from: VirtualNode, report: Uint8Array): void {
    this.tree.reportReceived(from.name, report);
    if (this.lan.conditions.mustSettle && this.tree.runAll()) throw new Error('a machine had more to do');
  }

  lost(node: VirtualNode): void {
    this.tree.nodeDown(node.name);
  }

  override *openNodes(): Iterable<VirtualNode> {
    if (!this.isOn) return;
    for (const name of this.#open) {
      const other = this.#called(name);
      if (other.isOn && other.#open.has(this.name) && this.mesh.linkOf(this, other).isUp) yield other;
    }
  }

  protected override startOptions(): SpanningTreeOptions {
    return #startShared in this ? this.#startShared() : super.startOptions();
  }

  #called(name: string): VirtualNode {
    return this.mesh.nodes.find((node) => node.name === name) as VirtualNode;
  }
}

class NodePortNumbers implements PortNumbers {
  readonly #base: number;

  constructor(base: number) {
    this.#base = base;
  }

  take(preferred: number): number {
    return this.#base + preferred;
  }

  free(): void {}
}
