import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshLab, type MeshNode, stationFrame } from '../../../test/support/mesh-lab.ts';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import type { BridgePort } from '../../bridge/bridge-port.ts';
import type { FilteringEntry } from '../../bridge/filtering-entry.ts';
import { supersedes } from '../../bridge/mesh/mesh-station.ts';
import { DEFAULT_SETTINGS } from '../../bridge/port-settings.ts';
import { MemoryPort } from '../../ports/memory-port.ts';
import { isGroupAddress, type MacAddress } from '../../wire/ethernet/mac-address.ts';
import { UNTAGGED } from '../../wire/ethernet/vid.ts';
import { MESH_ADDRESS } from '../../wire/mesh/mesh-frame.ts';

const BROADCAST = 0xffff_ffff_ffff;
const [ADA, BEN, CEM] = [0x0200_0000_0001, 0x0200_0000_0002, 0x0200_0000_0003] as MacAddress[] as [
  MacAddress,
  MacAddress,
  MacAddress,
];

/** Nodes with one port of stations each, whose exchange is finished. */
function open(names: string, options: ConstructorParameters<typeof MeshLab>[1] = undefined): MeshLab {
  const lab = new MeshLab(names, options);
  for (const node of lab.nodes) node.addStations();
  lab.pass(100);
  return lab;
}

function speak(lab: MeshLab, name: string, from: number, to: number = BROADCAST): void {
  lab.node(name).stations[0]?.memory.deliver(stationFrame(to, from));
}

const entryOf = ({ bridge }: MeshNode, mac: MacAddress): FilteringEntry | undefined =>
  bridge.entries.find(UNTAGGED, mac);

/** Kind, place and sequence number of a station at each node. */
function knownOf(lab: MeshLab, mac: MacAddress): string[] {
  return lab.nodes.map((node) => {
    const entry = entryOf(node, mac);
    return entry === undefined ? '-' : `${entry.kind} ${entry.port.meshNode ?? 'here'} ${entry.sequence}`;
  });
}

/** How many frames of stations each port of a node has sent since the last call. */
function countHeard(lab: MeshLab): number[] {
  return lab.nodes.map(({ stations }) => stations.reduce((sum, { heard }) => sum + heard.splice(0).length, 0));
}

/** How many frames of stations each node has got from other ones, since the call. */
function watchMesh(lab: MeshLab): number[] {
  const counts = lab.nodes.map(() => 0);
  for (const { ways, ends } of lab.links) {
    for (const [way, { to }] of ways.entries()) {
      const deliver = to.deliver.bind(to);
      const at = lab.nodes.indexOf(ends[1 - way] as MeshNode);
      to.deliver = (...frames) => {
        const ofStations = frames.filter((frame) => Buffer.from(frame).readUIntBE(0, 6) !== MESH_ADDRESS);
        counts[at] = (counts[at] as number) + ofStations.length;
        deliver(...frames);
      };
    }
  }
  return counts;
}

test('a station is told before its first frame arrives, and frames to it go to its node only', () => {
  const lab = open('abcd');
  const meshed = watchMesh(lab);
  speak(lab, 'a', ADA);
  lab.pass(10);
  assert.deepEqual(knownOf(lab, ADA), ['learned here 0', 'told a 0', 'told a 0', 'told a 0']);
  assert.deepEqual(countHeard(lab), [0, 1, 1, 1]);
  assert.deepEqual(meshed.splice(0, 4, 0, 0, 0, 0), [0, 1, 1, 1]);
  speak(lab, 'c', CEM, ADA);
  lab.pass(10);
  assert.deepEqual(countHeard(lab), [1, 0, 0, 0]);
  assert.deepEqual(meshed, [1, 0, 0, 0], 'no flood');
});

test('a station that moves to another node is there for all, with the next sequence number', () => {
  const lab = open('abc');
  for (const [name, sequence] of [
    ['a', 0],
    ['b', 1],
    ['c', 2],
    ['a', 3],
  ] as const) {
    speak(lab, name, ADA);
    lab.pass(10);
    for (const [at, known] of knownOf(lab, ADA).entries()) {
      const isHere = lab.nodes[at]?.name === name;
      assert.equal(known, isHere ? `learned here ${sequence}` : `told ${name} ${sequence}`);
    }
  }
  assert.deepEqual(
    lab.nodes.flatMap(({ bridge }) => bridge.moveReports(lab.nowMs)),
    [],
  );
});

test('a frame by the mesh moves neither an own station nor one that another node has told', () => {
  const lab = open('abc');
  speak(lab, 'a', ADA);
  speak(lab, 'b', BEN);
  lab.pass(10);
  // As if a node relayed a frame that is late.
  const late = lab.link('a', 'c').ways[1].to;
  late.deliver(stationFrame(BROADCAST, ADA), stationFrame(BROADCAST, BEN), stationFrame(BROADCAST, CEM));
  assert.deepEqual(
    [ADA, BEN, CEM].map((mac) => knownOf(lab, mac)[0]),
    ['learned here 0', 'told b 0', 'learned c 0'],
  );
});

test('a station that ages, is flushed or whose port is removed is withdrawn', async () => {
  const lab = open('ab', () => ({ ageingTimeMs: 10_000 }));
  const [a] = lab.nodes as [MeshNode];
  speak(lab, 'a', ADA);
  lab.pass(9000);
  assert.equal(knownOf(lab, ADA)[1], 'told a 0');
  lab.pass(3000);
  assert.deepEqual(knownOf(lab, ADA), ['-', '-']);
  speak(lab, 'a', ADA);
  lab.pass(20);
  a.bridge.entries.flush();
  lab.pass(20);
  assert.deepEqual(knownOf(lab, ADA), ['-', '-']);
  speak(lab, 'a', ADA);
  speak(lab, 'a', BEN);
  lab.pass(20);
  const { memory, port } = a.stations.pop() ?? a.addStations();
  await a.remove(memory, port);
  lab.pass(20);
  assert.deepEqual([...knownOf(lab, ADA), ...knownOf(lab, BEN)], ['-', '-', '-', '-']);
});

test('what a node has told does not age while the link is up, is not flushed, and is gone with the link', () => {
  const lab = open('ab', (name) => ({ ageingTimeMs: name === 'b' ? 1000 : 300_000 }));
  speak(lab, 'a', ADA);
  lab.pass(60_000);
  const b = lab.node('b');
  assert.equal(b.bridge.entries.flush(), 0);
  assert.deepEqual(knownOf(lab, ADA), ['learned here 0', 'told a 0']);
  assert.equal(b.bridge.lookup(UNTAGGED, ADA, lab.nowMs), lab.link('a', 'b').ports[1]);
  assert.equal(b.bridge.entries.flush({ port: lab.link('a', 'b').ports[1] }), 1, 'but with the port to its node');
  assert.equal(knownOf(lab, ADA)[1], '-');
  lab.pass(61_000);
  assert.equal(knownOf(lab, ADA)[1], 'told a 0', 'a digest has told that it is missing');
  lab.link('a', 'b').cut();
  assert.deepEqual(knownOf(lab, ADA), ['learned here 0', '-']);
  lab.link('a', 'b').join();
  lab.pass(100);
  assert.deepEqual(knownOf(lab, ADA), ['learned here 0', 'told a 0']);
});

test('stations that the operator has set do not move to another node', () => {
  const lab = open('ab');
  const { bridge, stations } = lab.node('a');
  const port = stations[0]?.port;
  assert.ok(port);
  bridge.setSettings(port, { ...DEFAULT_SETTINGS, staticEntries: [{ vid: UNTAGGED, mac: ADA }] });
  bridge.entries.set(UNTAGGED, BEN, port, 'sticky', lab.nowMs);
  lab.pass(20);
  for (const mac of [ADA, BEN]) speak(lab, 'b', mac);
  lab.pass(20);
  assert.deepEqual(knownOf(lab, ADA), ['static here 0', 'told a 0']);
  assert.deepEqual(knownOf(lab, BEN), ['sticky here 0', 'told a 0']);
});

test('a station that the operator sets at a second node is there for the others', () => {
  const lab = open('abc');
  const set = (name: string, kind: 'static' | 'sticky'): void => {
    const { bridge, stations } = lab.node(name);
    bridge.entries.set(UNTAGGED, ADA, stations[0]?.port as BridgePort, kind, lab.nowMs);
    lab.pass(20);
  };
  set('a', 'static');
  assert.deepEqual(knownOf(lab, ADA), ['static here 0', 'told a 0', 'told a 0']);
  set('b', 'static');
  assert.deepEqual(knownOf(lab, ADA), ['told b 1', 'static here 1', 'told b 1']);
  const { bridge, stations } = lab.node('a');
  assert.deepEqual([bridge.fdbSizeAt(stations[0]?.port as BridgePort), bridge.fdbSize], [0, 1]);
  set('b', 'sticky');
  assert.deepEqual(knownOf(lab, ADA), ['told b 1', 'sticky here 1', 'told b 1']);
});

test('the address of the switch itself is told to no node', () => {
  const lab = open('ab');
  const a = lab.node('a');
  lab.link('a', 'b').cut();
  const internal = new MemoryPort();
  const port = a.bridge.attachInternal(internal);
  internal.open({
    receive: (batch) => a.bridge.receive(port, batch, lab.nowMs),
    linkChanged: () => undefined,
    discarded: () => undefined,
  });
  internal.deliver(stationFrame(BROADCAST, ADA));
  speak(lab, 'a', BEN);
  lab.link('a', 'b').join();
  lab.pass(100);
  assert.deepEqual([knownOf(lab, ADA)[1], knownOf(lab, BEN)[1]], ['-', 'told a 0']);
});

test('a station that has moved while the nodes were apart is where it was seen last', () => {
  const lab = open('abc');
  for (const name of ['c', 'b', 'c', 'a']) {
    speak(lab, name, ADA);
    lab.pass(10);
  }
  lab.link('a', 'b').cut();
  lab.link('a', 'c').cut();
  lab.pass(20_000);
  speak(lab, 'c', ADA);
  lab.pass(100);
  assert.deepEqual(knownOf(lab, ADA), ['learned here 3', 'told c 0', 'learned here 0']);
  lab.link('a', 'b').join();
  lab.link('a', 'c').join();
  lab.pass(500);
  assert.deepEqual(knownOf(lab, ADA), ['told c 4', 'told c 4', 'learned here 4']);
});

test('announcements that are lost cost floods, until the digest finds it', () => {
  const lab = open('ab');
  lab.isLost = (frame) => frame.readUIntBE(0, 6) === MESH_ADDRESS;
  for (let number = 0; number < 300; number++) speak(lab, 'a', 0x0200_0001_0000 + number);
  speak(lab, 'a', ADA);
  lab.pass(100);
  assert.equal(entryOf(lab.node('b'), ADA)?.kind, 'learned', 'its frame was not lost');
  lab.isLost = () => false;
  lab.pass(61_000);
  assert.equal(entryOf(lab.node('b'), ADA)?.kind, 'told');
  assert.equal(lab.node('b').bridge.fdbSize, 301);
  // The same for withdrawals.
  lab.isLost = (frame) => frame.readUIntBE(0, 6) === MESH_ADDRESS;
  lab.node('a').bridge.entries.flush();
  lab.pass(900);
  assert.equal(lab.node('b').bridge.fdbSize, 301);
  lab.isLost = () => false;
  lab.pass(61_000);
  assert.equal(lab.node('b').bridge.fdbSize, 0);
});

test('a flood of invented addresses is announced within the rate, and displaces neither others nor their announcements', () => {
  const lab = open('ab', () => ({ fdbCapacity: 4000 }));
  const a = lab.node('a');
  const other = a.addStations();
  speak(lab, 'b', BEN);
  lab.pass(10);
  let announced = 0;
  const message = lab.link('a', 'b').ways[0];
  const deliver = message.to.deliver.bind(message.to);
  message.to.deliver = (...frames) => {
    for (const frame of frames)
      if (frame[18] === 1) announced += (((frame[19] as number) << 8) | (frame[20] as number)) / 14;
    deliver(...frames);
  };
  for (let number = 0; number < 20_000; number++) {
    speak(lab, 'a', 0x0200_0001_0000 + number, BEN);
    if (number % 10 === 0) lab.pass(1);
  }
  assert.ok(announced > 2000 && announced < 7000, `${announced} were announced within 2 s`);
  other.memory.deliver(stationFrame(BROADCAST, ADA));
  lab.pass(10);
  assert.equal(knownOf(lab, ADA)[1], 'told a 0', 'the other port does not wait behind the flood');
  assert.deepEqual(knownOf(lab, BEN), ['told b 0', 'learned here 0']);
  lab.pass(70_000);
  assert.ok(lab.node('b').bridge.fdbSize <= 4000);
  assert.equal(knownOf(lab, BEN)[1], 'learned here 0');
});

test('a node that announces an outdated place is told so, and announces a later one', () => {
  const lab = open('abc');
  for (const name of ['b', 'c', 'a']) {
    speak(lab, name, ADA);
    lab.pass(10);
  }
  // The withdrawal reaches b, and not c; then b sees the station, which it takes for a new one.
  lab.link('a', 'c').cut();
  lab.link('a', 'c').join();
  lab.pass(100);
  const isOfMesh = (frame: Buffer): boolean => frame.readUIntBE(0, 6) === MESH_ADDRESS;
  const { frames } = lab.link('a', 'c').ways[0];
  lab.node('a').bridge.entries.flush();
  for (let at = frames.length - 1; at >= 0; at--) if (isOfMesh(frames[at]?.octets as Buffer)) frames.splice(at, 1);
  lab.pass(3);
  assert.deepEqual(knownOf(lab, ADA), ['-', '-', 'told a 2']);
  speak(lab, 'b', ADA);
  lab.pass(20);
  assert.deepEqual(knownOf(lab, ADA), ['told b 3', 'learned here 3', 'told b 3']);
});

test('any octets of another node leave a table within its bounds, with addresses of stations only', () => {
  const random = new Random(fuzzSeed());
  const lab = open('ab', () => ({ fdbCapacity: 50 }));
  const { mesh, bridge } = lab.node('a');
  for (let number = 0; number < fuzzCases(3000); number++) {
    mesh.exchange?.received(
      'b',
      random.below(12),
      random.bytes(random.pick([0, 8, 12, 14, 28, random.below(200)])),
      lab.nowMs,
    );
    if (random.once(20)) speak(lab, 'a', ADA + random.below(20));
    if (random.once(50)) lab.pass(random.below(2000));
    assert.ok(bridge.fdbSize <= 50);
  }
  for (const { mac } of bridge.fdbEntries(lab.nowMs)) assert.ok(mac !== 0 && !isGroupAddress(mac));
  lab.pass(200_000);
  speak(lab, 'b', BEN);
  lab.pass(20);
  assert.match(knownOf(lab, BEN)[0] ?? '', /^told b /);
});

test('of two claims of a station exactly one supersedes the other', () => {
  const claims = [true, false].flatMap((isHeld) =>
    [0, 1, 7].flatMap((sequence) => ['a', 'b', 'c'].map((node) => ({ isHeld, sequence, node }))),
  );
  for (const one of claims) {
    for (const other of claims) {
      if (one.node !== other.node) assert.notEqual(supersedes(one, other), supersedes(other, one));
    }
  }
});
