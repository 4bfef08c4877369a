import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventQueue } from '../../../test/support/event-queue.ts';
import { MemoryPort } from '../../ports/memory-port.ts';
import { bridgeIdOf } from '../../wire/bpdu/bridge-id.ts';
import { encodeBpdu } from '../../wire/bpdu/encode.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { Bridge } from '../bridge.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { Port } from '../port.ts';
import { DEFAULT_SETTINGS } from '../port-settings.ts';
import { BridgeTree } from './bridge-tree.ts';
import { AllPortNumbers } from './port-numbers.ts';
import { DEFAULT_ADMIN_SETTINGS } from './settings.ts';

const BROADCAST = 'ffffffffffff';
const DELAY_MS = 1;

/** Bridges with memory ports on a virtual clock. */
class Lab {
  nowMs = 0;
  readonly switches: { readonly bridge: Bridge; readonly tree: BridgeTree }[] = [];
  readonly #queue = new EventQueue();

  addSwitch(number: number): void {
    const bridge = new Bridge();
    const tree = new BridgeTree(bridge, { address: (0x0200_0000_0000 + number * 0x1000) as MacAddress });
    this.switches.push({ bridge, tree });
    const tick = () => {
      tree.tick(this.nowMs);
      this.#queue.add(this.nowMs + 1000, tick);
    };
    this.#queue.add(number * 37, tick);
  }

  /** @param onFrames what is at the far end of the port */
  plug(at: number, onFrames: (frames: Buffer[]) => void): { bridgePort: BridgePort; memory: MemoryPort } {
    const { bridge, tree } = this.switches[at] as (typeof this.switches)[number];
    const memory = new MemoryPort({ onFrames });
    const bridgePort = bridge.attach(memory);
    tree.portAdded(bridgePort);
    memory.open({
      receive: (batch) => bridge.receive(bridgePort, batch, this.nowMs),
      linkChanged: (state, reason) => {
        bridge.setLink(bridgePort, state, reason);
        tree.portChanged(bridgePort);
      },
      discarded: () => undefined,
    });
    tree.portChanged(bridgePort);
    return { bridgePort, memory };
  }

  /** Connects two switches by a cable. @returns its two ends */
  cable(one: number, other: number): readonly MemoryPort[] {
    const ends: MemoryPort[] = [];
    const carry = (to: number) => (frames: Buffer[]) =>
      void this.#queue.add(this.nowMs + DELAY_MS, () => ends[to]?.deliver(...frames));
    ends.push(this.plug(one, carry(1)).memory, this.plug(other, carry(0)).memory);
    return ends;
  }

  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (let next = this.#queue.takeUntil(endMs); next !== undefined; next = this.#queue.takeUntil(endMs)) {
      this.nowMs = next.atMs;
      next.action();
    }
    this.nowMs = endMs;
  }
}

/** A station that broadcasts numbered frames, and counts those that it hears. */
class Station {
  readonly heard = new Map<number, number>();
  readonly memory: MemoryPort;
  readonly bridgePort: BridgePort;
  readonly #source: string;

  constructor(lab: Lab, at: number) {
    this.#source = `0200000001${at.toString(16).padStart(2, '0')}`;
    const { memory, bridgePort } = lab.plug(at, (frames) => {
      for (const frame of frames) {
        if (frame.readUInt16BE(12) !== 0x88b5) continue;
        const number = frame.readUInt32BE(14);
        this.heard.set(number, (this.heard.get(number) ?? 0) + 1);
      }
    });
    this.memory = memory;
    this.bridgePort = bridgePort;
  }

  send(number: number): void {
    const head = `${BROADCAST}${this.#source}88b5${number.toString(16).padStart(8, '0')}`;
    this.memory.deliver(Buffer.from(head.padEnd(120, '0'), 'hex'));
  }
}

function openRing(count: number) {
  const lab = new Lab();
  for (let number = 0; number < count; number++) lab.addSwitch(number + 1);
  const cables = lab.switches.map((_each, at) => lab.cable(at, (at + 1) % count));
  const stations = lab.switches.map((_each, at) => new Station(lab, at));
  return { lab, cables, stations };
}

test('in a ring of switches no frame is duplicated, and after each cut it is whole in less than a second', () => {
  const { lab, cables, stations } = openRing(5);
  let number = 0;
  /** Each station sends a frame each 10 ms. */
  const traffic = (durationMs: number) => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 10) {
      for (const station of stations) station.send(++number);
      lab.run(10);
    }
  };
  const assertOnce = () => {
    for (const { heard } of stations) for (const [frame, times] of heard) assert.equal(times, 1, `frame ${frame}`);
  };
  const assertWhole = () => {
    const from = number;
    traffic(1000);
    for (const [at, { heard }] of stations.entries()) {
      for (let frame = from + 1; frame <= number - stations.length; frame++) {
        const isOwn = (frame - 1) % stations.length === at;
        assert.equal(heard.get(frame), isOwn ? undefined : 1, `station ${at}, frame ${frame}`);
      }
    }
  };
  traffic(5000);
  assertWhole();
  for (const cable of cables) {
    for (const end of cable) end.setLink('down');
    traffic(990);
    assertWhole();
    assertOnce();
    for (const end of cable) end.setLink('up');
    // A frame that is on its way around the ring, against the way of the agreements, may come twice: RSTP trades that for
    // its speed. Here none is on its way.
    lab.run(20);
    traffic(5000);
    assertWhole();
    assertOnce();
  }
});

test('a unicast flow follows the tree at once, since addresses are flushed', () => {
  const { lab, cables, stations } = openRing(3);
  lab.run(5000);
  stations.forEach((station, at) => void station.send(at));
  lab.run(10);
  const [first, , third] = stations as [Station, Station, Station];
  const toThird = () => {
    const head = '020000000102' + '020000000100' + '88b5' + '0000ffff';
    first.memory.deliver(Buffer.from(head.padEnd(120, '0'), 'hex'));
    lab.run(10);
    const times = third.heard.get(0xffff) ?? 0;
    third.heard.delete(0xffff);
    return times;
  };
  assert.equal(toThird(), 1);
  for (const end of cables[2] ?? []) end.setLink('down');
  lab.run(100);
  assert.equal(toThird(), 1);
});

test('settings and shut of a port reach the tree; an end of it lets all ports forward', () => {
  const lab = new Lab();
  lab.addSwitch(1);
  const { bridge, tree } = lab.switches[0] as (typeof lab.switches)[number];
  const { bridgePort } = lab.plug(0, () => undefined);
  assert.equal(bridgePort.stpState, 'discarding');
  assert.equal(tree.tree.ports.get(1)?.portPathCost, 2000);
  bridge.setSettings(bridgePort, {
    ...DEFAULT_SETTINGS,
    spanningTree: { ...DEFAULT_ADMIN_SETTINGS, pathCost: 5, edge: 'on', hasBpduFilter: true },
  });
  tree.portChanged(bridgePort);
  assert.equal(bridgePort.stpState, 'forwarding');
  assert.equal(tree.tree.ports.get(1)?.portPathCost, 5);
  bridge.setShut(bridgePort, true);
  tree.portChanged(bridgePort);
  assert.equal(tree.tree.ports.get(1)?.role, 'disabled');
  tree.end();
  assert.equal(bridgePort.stpState, 'forwarding');
  assert.equal(bridge.ports.get(bridgePort.number)?.stpState, 'forwarding');
});

test('a late timer is made up for, and a pause of the process is not', () => {
  const lab = new Lab();
  lab.addSwitch(1);
  const { tree } = lab.switches[0] as (typeof lab.switches)[number];
  lab.plug(0, () => undefined);
  tree.tick(1000);
  const port = tree.tree.ports.get(1);
  assert.equal(port?.edgeDelayWhile, 2);
  tree.tick(1999);
  assert.equal(port?.edgeDelayWhile, 2);
  tree.tick(3100);
  assert.equal(port?.edgeDelayWhile, 0);
  assert.equal(port?.operEdge, true);
  tree.tick(3900);
  tree.tick(4000);
  const hello = port?.helloWhen;
  tree.tick(400_000);
  assert.ok(hello !== undefined);
  assert.ok((port?.transmitted.rst ?? 0) < 6);
});

const MESH_ADDRESS = 0x0200_0000_1000 as MacAddress;

/** A bridge that is one with other nodes, and its tree. */
function openMesh() {
  const bridge = new Bridge();
  const mesh = { node: 'one', boot: 1, send: () => undefined, portNumbers: new AllPortNumbers() };
  const tree = new BridgeTree(bridge, { address: MESH_ADDRESS, mesh });
  const attach = (meshNode?: string): BridgePort => {
    const bridgePort = bridge.attach(Object.assign(new MemoryPort(), { meshNode }) as Port);
    tree.portAdded(bridgePort);
    return bridgePort;
  };
  return { bridge, tree, attach };
}

test('ports of the mesh are no ports of the tree, and forward while the node at the other end is joined', () => {
  const { tree, attach } = openMesh();
  const [two, three, own] = [attach('two'), attach('three'), attach()];
  const states = () => [two, three, own].map(({ stpState }) => stpState);
  assert.deepEqual([...tree.tree.ports.keys()], [own.number]);
  assert.deepEqual(states(), ['discarding', 'discarding', 'discarding']);
  tree.portChanged(two);
  assert.deepEqual([...tree.tree.ports.keys()], [own.number]);
  for (const node of ['two', 'three']) tree.tree.nodeUp(node);
  tree.tree.nodeWithoutTree('two');
  assert.deepEqual(states(), ['forwarding', 'discarding', 'discarding']);
  assert.equal(attach('two').stpState, 'forwarding', 'a further port to the same node');
  assert.equal(attach('three').stpState, 'discarding');
  tree.tree.nodeDown('two');
  assert.deepEqual(states(), ['discarding', 'discarding', 'discarding']);
  tree.tree.nodeUp('two');
  assert.equal(attach('two').stpState, 'discarding', 'it may have a tree by now');
});

/** A BPDU of a bridge that is better than all. */
const BPDU = encodeBpdu(
  {
    ...{ type: 'rst', flags: 0x3c, rootId: bridgeIdOf(0, MESH_ADDRESS), rootPathCost: 0 },
    ...{ bridgeId: bridgeIdOf(0, 0x0200_0000_9000 as MacAddress), portId: 0x8001 },
    ...{ messageAge: 0, maxAge: 20, helloTime: 2, forwardDelay: 15 },
  },
  0x0200_0000_9001 as MacAddress,
);

test('BPDUs are taken, those of the mesh for nothing, and other reserved frames are left', () => {
  const { tree, attach } = openMesh();
  const [own, two] = [attach(), attach('two')];
  tree.portChanged(own);
  assert.equal(tree.received(own, BPDU, 0), true);
  assert.equal(tree.received(two, BPDU, 0), true);
  assert.deepEqual(
    [...tree.tree.ports.values()].map(({ received }) => received.rst),
    [1],
  );
  const other = Buffer.from(BPDU);
  other[5] = 0x0e;
  assert.equal(tree.received(own, other, 0), false);
  assert.equal(tree.tree.ports.get(own.number)?.discarded, 0);
});

test('a tree that begins takes the ports that are there, tells of states and events, and one that has ended does nothing', () => {
  const bridge = new Bridge();
  const sent: number[] = [];
  const memory = new MemoryPort({ onFrames: (frames) => void sent.push(frames.length) });
  const bridgePort = bridge.attach(memory);
  memory.open({ receive: () => undefined, linkChanged: () => undefined, discarded: () => undefined });
  const told: string[] = [];
  const tree = new BridgeTree(
    bridge,
    { address: MESH_ADDRESS },
    {
      stateChanged: ({ number, stpState }) => void told.push(`${number} ${stpState}`),
      happened: ({ kind }) => void told.push(kind),
    },
  );
  assert.deepEqual(told, ['1 discarding']);
  tree.portChanged(bridgePort);
  for (let second = 1; second <= 40; second++) tree.tick(second * 1000);
  assert.deepEqual(told, ['1 discarding', '1 learning', '1 forwarding']);
  tree.received(bridgePort, BPDU, 0);
  assert.ok(told.includes('rootChanged'));
  const count = sent.length;
  assert.ok(count > 0);
  tree.end();
  told.length = 0;
  tree.tree.setUp(1, false);
  for (let second = 0; second < 5; second++) tree.tree.tick();
  tree.tree.setUp(1, true);
  assert.deepEqual([bridgePort.stpState, sent.length], ['forwarding', count]);
  assert.deepEqual(
    told.filter((line) => line.startsWith('1 ')),
    [],
  );
});

test('a port that is removed is no port of the tree', () => {
  const { tree, attach } = openMesh();
  const port = attach();
  tree.portChanged(port);
  tree.portRemoved(port);
  assert.equal(tree.tree.ports.size, 0);
  tree.portChanged(port);
  for (let second = 1; second <= 5; second++) tree.tick(second * 1000);
  assert.equal(port.stpState, 'discarding');
});

test('parallel tunnels are left to the tree while there is one', () => {
  const bridge = new Bridge();
  const attach = (rank: number) => {
    const peer = {
      instance: 'f'.repeat(22),
      tunnelId: `${rank}`,
      rank,
      isParallelAllowed: false,
      isDialled: false,
      user: null,
    };
    return bridge.attach(
      Object.assign(new MemoryPort(), { tunnel: { peer, announceLoss() {}, abandon() {} } }) as Port,
    );
  };
  const [one, two] = [attach(1), attach(2)];
  assert.equal(two.standsByFor, one);
  const tree = new BridgeTree(bridge, { address: MESH_ADDRESS });
  assert.deepEqual([one.standsByFor, two.standsByFor], [undefined, undefined]);
  tree.end();
  assert.equal(two.standsByFor, one);
});

test('each second the tree looks for another round trip of a tunnel, and for ports of mirrors', () => {
  const bridge = new Bridge();
  const tree = new BridgeTree(bridge, { address: MESH_ADDRESS });
  let roundTripMs = 8;
  const port = Object.assign(new MemoryPort(), {});
  Object.defineProperty(port, 'details', {
    get: () => ({ kind: 'tunnel', connection: { roundTripMs, peer: 'a:1' } }),
  });
  const bridgePort = bridge.attach(port);
  tree.portAdded(bridgePort);
  const cost = () => tree.tree.ports.get(1)?.portPathCost;
  assert.equal(cost(), 160_000, 'the round trip that it has already');
  tree.portChanged(bridgePort);
  tree.tick(1000);
  roundTripMs = 1;
  tree.tick(61_000);
  assert.equal(cost(), 20_000);
  assert.equal(tree.tree.ports.get(1)?.isUp, true);
  bridgePort.isMirrorOutput = true;
  tree.tick(62_000);
  assert.equal(tree.tree.ports.get(1)?.isUp, false);
  bridgePort.isMirrorOutput = false;
  tree.tick(63_000);
  assert.equal(tree.tree.ports.get(1)?.isUp, true);
});

test('the timers count whole seconds: what is left counts for the next one, and a pause for two at most', () => {
  const tree = new BridgeTree(new Bridge(), { address: MESH_ADDRESS });
  let ticks = 0;
  tree.tree.tick = () => void ticks++;
  for (const [nowMs, expected, what] of [
    [10_000, 1, 'the first call'],
    [10_999, 1, 'less than a second'],
    [11_700, 2, 'a second later, with 700 ms left'],
    [12_000, 3, 'which count'],
    [14_900, 5, 'two seconds, with 900 ms left'],
    [15_000, 6, 'which count'],
    [400_500, 8, 'a pause'],
    [401_400, 8, 'less than a second after it'],
    [401_500, 9, 'a second after it'],
  ] as const) {
    tree.tick(nowMs);
    assert.equal(ticks, expected, what);
  }
});
