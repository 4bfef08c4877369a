import assert from 'node:assert/strict';
import { Bridge } from '../../src/bridge/bridge.ts';
import type { BridgeOptions } from '../../src/bridge/bridge-options.ts';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import { MeshEntity } from '../../src/networks/mesh/mesh-entity.ts';
import { SILENT } from '../../src/observability/logger.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';

/** More frames between nodes within one call of `pass` are a loop. */
const MOST_FRAMES = 100_000;

/** A port of stations, and what has left by it. */
export interface StationPort {
  readonly memory: MemoryPort;
  readonly port: BridgePort;
  readonly heard: Buffer[];
}

/** A node of a cluster in a test: the bridge of one network, and its mesh. */
export class MeshNode {
  readonly name: string;
  readonly bridge: Bridge;
  readonly mesh: MeshEntity;
  readonly stations: StationPort[] = [];
  readonly #lab: MeshLab;
  #wakeMs = Number.POSITIVE_INFINITY;

  constructor(lab: MeshLab, name: string, options: BridgeOptions) {
    this.#lab = lab;
    this.name = name;
    this.bridge = new Bridge(options);
    this.mesh = new MeshEntity({
      network: 'lab',
      address: (0x02ff_0000_0000 + name.charCodeAt(0)) as MacAddress,
      bridge: this.bridge,
      logger: SILENT,
      nowMs: () => lab.nowMs,
      labelsOf: () => ({}),
      portCalled: () => undefined,
      wakeBy: (atMs) => this.wakeBy(atMs),
      publish: () => undefined,
      portChanged: () => undefined,
    });
    this.mesh.setSelf(name);
  }

  /** Asks for a tick, as EntityHost does. */
  wakeBy(atMs: number): void {
    this.#wakeMs = Math.min(this.#wakeMs, atMs);
  }

  /** When the entity wants a tick. */
  get wakeMs(): number {
    return this.#wakeMs;
  }

  /** What it is called for once a second, and when it is due. As in a network, the tick of a second ends no other timer. */
  tick(): void {
    if (this.#wakeMs <= this.#lab.nowMs) this.#wakeMs = Number.POSITIVE_INFINITY;
    this.mesh.tick(this.#lab.nowMs);
  }

  addStations(): StationPort {
    const heard: Buffer[] = [];
    const memory = new MemoryPort({ onFrames: (frames) => heard.push(...frames) });
    const station = { memory, port: this.attach(memory), heard };
    this.stations.push(station);
    return station;
  }

  attach(memory: MemoryPort): BridgePort {
    const port = this.bridge.attach(memory);
    this.mesh.portAdded(port);
    memory.open({
      receive: (batch) => this.bridge.receive(port, batch, this.#lab.nowMs),
      linkChanged: (state, reason) => {
        this.bridge.setLink(port, state, reason);
        this.mesh.portChanged(port);
      },
      discarded: (direction, reason, frames) => port.discard(direction, reason, frames),
    });
    this.mesh.portChanged(port);
    return port;
  }

  async remove(memory: MemoryPort, port: BridgePort): Promise<void> {
    this.bridge.detach(port);
    this.mesh.portRemoved(port);
    await memory.close();
  }
}

/** One direction of a tunnel between two nodes: frames arrive in order, later. */
class Way {
  readonly frames: { readonly dueMs: number; readonly octets: Buffer }[] = [];
  readonly memory: MemoryPort;
  readonly to: MemoryPort;

  constructor(lab: MeshLab, memory: MemoryPort, to: MemoryPort) {
    this.memory = memory;
    this.to = to;
    memory.onFrames((frames) => {
      for (const octets of frames) {
        if (lab.isLost(octets)) continue;
        const before = this.frames.at(-1)?.dueMs ?? 0;
        this.frames.push({ dueMs: Math.max(before, lab.nowMs + lab.latencyMs()), octets });
      }
    });
  }
}

/** A tunnel between two nodes. */
export class MeshLink {
  readonly ends: readonly [MeshNode, MeshNode];
  readonly ways: readonly [Way, Way];
  readonly ports: readonly [BridgePort, BridgePort];

  constructor(lab: MeshLab, one: MeshNode, other: MeshNode) {
    const [there, back] = [new MemoryPort(), new MemoryPort()];
    this.ends = [one, other];
    this.ways = [new Way(lab, there, back), new Way(lab, back, there)];
    this.ports = [
      one.attach(Object.assign(there, { meshNode: other.name })),
      other.attach(Object.assign(back, { meshNode: one.name })),
    ];
  }

  /** Cuts the tunnel: what is on its way is lost. The ends hear of it. */
  cut(): void {
    for (const { memory, frames } of this.ways) {
      frames.length = 0;
      memory.setLink('away', 'cut');
    }
  }

  join(): void {
    for (const { memory } of this.ways) memory.setLink('up');
  }
}

/** A full mesh of nodes on a virtual clock, in milliseconds. */
export class MeshLab {
  nowMs = 1_000_000;
  readonly nodes: MeshNode[] = [];
  readonly links: MeshLink[] = [];
  latencyMs: () => number = () => 1;
  /** Whether a frame between nodes is lost on its way. */
  isLost: (frame: Buffer) => boolean = () => false;
  #secondMs = this.nowMs;
  /** Frames between nodes since `pass` was called. */
  #passed = 0;

  constructor(names: string, options: (name: string) => BridgeOptions = () => ({})) {
    for (const name of names) this.add(name, options(name));
  }

  add(name: string, options: BridgeOptions = {}): MeshNode {
    const node = new MeshNode(this, name, options);
    for (const other of this.nodes) this.links.push(new MeshLink(this, other, node));
    this.nodes.push(node);
    return node;
  }

  node(name: string): MeshNode {
    return this.nodes.find((node) => node.name === name) as MeshNode;
  }

  link(one: string, other: string): MeshLink {
    const found = this.links.find(({ ends }) => ends.every(({ name }) => name === one || name === other));
    return found as MeshLink;
  }

  /** Lets time pass. Frames arrive and timers end in the order of their times. @throws AssertionError for a storm */
  pass(ms: number): void {
    this.#passed = 0;
    const endMs = this.nowMs + ms;
    for (let nextMs = this.#nextMs(); nextMs <= endMs; nextMs = this.#nextMs()) {
      this.nowMs = Math.max(this.nowMs, nextMs);
      this.#step();
    }
    this.nowMs = endMs;
  }

  #nextMs(): number {
    const frames = this.links.flatMap(({ ways }) =>
      ways.map((way) => way.frames[0]?.dueMs ?? Number.POSITIVE_INFINITY),
    );
    return Math.min(this.#secondMs + 1000, ...this.nodes.map(({ wakeMs }) => wakeMs), ...frames);
  }

  #step(): void {
    const { nowMs } = this;
    for (const { ways } of this.links) {
      for (const { frames, to } of ways) {
        while (frames[0] !== undefined && frames[0].dueMs <= nowMs) {
          assert.ok(++this.#passed < MOST_FRAMES, 'a storm between the nodes');
          to.deliver(frames.shift()?.octets as Buffer);
        }
      }
    }
    for (const node of this.nodes) if (node.wakeMs <= nowMs) node.tick();
    if (nowMs < this.#secondMs + 1000) return;
    this.#secondMs = nowMs;
    for (const node of this.nodes) {
      node.bridge.age(nowMs);
      node.tick();
    }
  }
}

/** A frame of a station, with its source repeated in the payload. */
export function stationFrame(to: number, from: number, note = 0): Buffer {
  const frame = Buffer.alloc(64);
  frame.writeUIntBE(to, 0, 6);
  frame.writeUIntBE(from, 6, 6);
  frame.writeUInt16BE(0x0800, 12);
  frame.writeUInt32BE(note, 40);
  return frame;
}
