import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPort } from '../../ports/memory-port.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { UNTAGGED } from '../../wire/ethernet/vid.ts';
import { encodeMeshFrame, MESH_ADDRESS } from '../../wire/mesh/mesh-frame.ts';
import { decodeNames, decodeRecords, encodeRecords, STATION_KINDS } from '../../wire/mesh/station-records.ts';
import { Bridge } from '../bridge.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { StationStore } from './mesh-station.ts';
import { StationExchange } from './station-exchange.ts';

const BROADCAST = 0xffff_ffff_ffff;
const [ADA, BEN, CEM] = [0x0200_0000_0001, 0x0200_0000_0002, 0x0200_0000_0003] as MacAddress[] as [
  MacAddress,
  MacAddress,
  MacAddress,
];
const SILENT = { receive: () => undefined, linkChanged: () => undefined, discarded: () => undefined };

class FlowPort extends MemoryPort {
  readonly flowSource = {};
  readonly flowTarget = {};
  readonly meshNode: string | undefined;

  constructor(meshNode?: string) {
    super();
    this.meshNode = meshNode;
    this.open(SILENT);
  }
}

/** A bridge with two ports of stations, and one to node `b`; node `c` is reached by no port. */
class Bench {
  nowMs = 0;
  flows = 0;
  invalidations = 0;
  readonly bridge = new Bridge({
    ageingTimeMs: 10_000,
    fdbCapacity: 100,
    flowTable: { install: () => void this.flows++, invalidate: () => void this.invalidations++ },
  });
  readonly one = this.bridge.attach(new FlowPort());
  readonly two = this.bridge.attach(new FlowPort());
  readonly toB = this.bridge.attach(new FlowPort('b'));
  readonly exchange: StationExchange;
  store: StationStore | undefined;
  #sent: string[] = [];

  constructor() {
    this.exchange = this.bridge.mesh.watch(
      (store) => {
        this.store = store;
        return new StationExchange({
          store,
          self: () => 'a',
          now: () => this.nowMs,
          send: (node, kind, payload) => this.#send(node, kind, payload),
          wakeBy: () => undefined,
        });
      },
      (node) => (node === 'b' ? this.toB : undefined),
    );
    this.exchange.linkUp('b', 0);
    this.exchange.received('b', STATION_KINDS.wholeBegin, new Uint8Array(), 0);
    this.exchange.received('b', STATION_KINDS.wholeEnd, new Uint8Array(12), 0);
    this.sent();
  }

  /** The own stations that node `b` was told of, and that were withdrawn, since the last call. */
  sent(): string[] {
    this.nowMs += 5;
    this.exchange.tick(this.nowMs);
    return this.#sent.splice(0);
  }

  speak(port: BridgePort, from: number, to: number = BROADCAST): void {
    const frame = Buffer.alloc(60);
    frame.writeUIntBE(to, 0, 6);
    frame.writeUIntBE(from, 6, 6);
    frame.writeUInt16BE(0x0800, 12);
    this.bridge.receive(port, batchOf(frame), this.nowMs);
  }

  announce(node: string, mac: MacAddress, isIsolated = false): void {
    const record = { vid: UNTAGGED, mac, sequence: 0, isHeld: false, isIsolated, ageMs: 0 };
    this.exchange.received(node, STATION_KINDS.announce, encodeRecords([record]), this.nowMs);
  }

  /** Installs a flow between two stations. @returns whether `act` ends it */
  endsFlow(from: BridgePort, source: MacAddress, destination: MacAddress, act: () => void): boolean {
    this.flows = 0;
    this.speak(from, source, destination);
    assert.equal(this.flows, 1);
    this.invalidations = 0;
    act();
    return this.invalidations > 0;
  }

  #send(node: string, kind: number, payload: Uint8Array): boolean {
    if (node !== 'b') return false;
    if (kind === STATION_KINDS.announce) {
      for (const { mac, isIsolated } of decodeRecords(payload) ?? [])
        this.#sent.push(`${mac & 15}${isIsolated ? ' isolated' : ''}`);
    } else if (kind === STATION_KINDS.withdraw) {
      for (const { mac } of decodeNames(payload) ?? []) this.#sent.push(`no ${mac & 15}`);
    }
    return true;
  }
}

test('a flow ends when a node tells that its station is isolated now, that it is gone, or is reached no longer', () => {
  const bench = new Bench();
  const { one } = bench;
  bench.speak(one, ADA);
  bench.announce('b', BEN);
  const ends = (act: () => void): boolean => bench.endsFlow(one, ADA, BEN, act);
  assert.equal(
    ends(() => bench.announce('b', BEN)),
    false,
    'nothing has changed',
  );
  assert.equal(
    ends(() => bench.announce('b', CEM, true)),
    false,
    'another station is new',
  );
  assert.ok(ends(() => bench.announce('b', BEN, true)));
  assert.ok(ends(() => bench.announce('b', BEN, false)));
  const withdraw = (mac: MacAddress): void => {
    const station = bench.bridge.entries.find(UNTAGGED, mac);
    assert.ok(station);
    bench.store?.forget(station, bench.nowMs);
    assert.equal(bench.bridge.entries.find(UNTAGGED, mac), undefined);
    bench.store?.forget(station, bench.nowMs);
  };
  assert.equal(
    ends(() => withdraw(CEM)),
    false,
    'no flow goes there',
  );
  assert.ok(ends(() => withdraw(BEN)));
  bench.announce('b', BEN);
  assert.ok(ends(() => bench.exchange.linkDown('b')));
  assert.equal(bench.bridge.entries.find(UNTAGGED, BEN), undefined);
});

test('a node without a port tells nothing, and takes nothing with it', () => {
  const bench = new Bench();
  bench.announce('b', BEN);
  bench.exchange.linkUp('c', 0);
  bench.announce('c', ADA);
  bench.announce('c', ADA, true);
  assert.equal(bench.bridge.entries.find(UNTAGGED, ADA), undefined);
  assert.deepEqual([...(bench.store?.toldBy('c') ?? [])], []);
  assert.deepEqual(
    [...(bench.store?.toldBy('b') ?? [])].map(({ mac }) => mac),
    [BEN],
  );
  bench.store?.forgetNode('c');
  assert.equal(bench.bridge.entries.find(UNTAGGED, BEN)?.kind, 'told');
});

test('a station that has expired is unknown, and the others are told so', () => {
  const bench = new Bench();
  bench.speak(bench.one, ADA);
  assert.deepEqual(bench.sent(), ['1']);
  const name = { vid: UNTAGGED, mac: ADA };
  const seenMs = bench.bridge.entries.find(UNTAGGED, ADA)?.seenMs ?? 0;
  assert.equal(bench.store?.find(name, seenMs + 9999)?.mac, ADA);
  assert.equal(bench.store?.find({ ...name, mac: BEN }, seenMs + 9999), undefined);
  assert.equal(bench.bridge.fdbSize, 1);
  assert.equal(bench.store?.find(name, seenMs + 10_000), undefined);
  assert.equal(bench.bridge.fdbSize, 0);
  assert.deepEqual(bench.sent(), ['no 1']);
  bench.speak(bench.one, ADA);
  bench.sent();
  bench.announce('b', BEN);
  bench.nowMs = 1_000_000;
  assert.equal(bench.store?.find({ ...name, mac: BEN }, bench.nowMs)?.mac, BEN, 'what a node has told does not expire');
});

test('the room is what the filtering database takes before it displaces', () => {
  const bench = new Bench();
  assert.equal(bench.store?.room, 100);
  bench.speak(bench.one, ADA);
  bench.announce('b', BEN);
  assert.equal(bench.store?.room, 98);
});

test('stations of ports of this node are told, with the isolation of their port; the switch itself is not', () => {
  const bench = new Bench();
  const { bridge, one, two, toB } = bench;
  const internal = bridge.attachInternal(new FlowPort());
  bench.speak(internal, CEM);
  bench.speak(one, ADA);
  bench.speak(toB, 0x0200_0000_0009);
  assert.deepEqual(bench.sent(), ['1']);
  const own = (): number[] => [...(bench.store?.own() ?? [])].map(({ mac }) => mac & 15);
  assert.deepEqual(own(), [1]);
  const set = (port: BridgePort, isIsolated: boolean): void =>
    bridge.setSettings(port, { ...port.settings, isIsolated });
  set(two, true);
  assert.deepEqual(bench.sent(), [], 'it has no stations');
  set(one, true);
  assert.deepEqual(bench.sent(), ['1 isolated']);
  bridge.mesh.isolationChanged(toB);
  bridge.mesh.isolationChanged(internal);
  assert.deepEqual(bench.sent(), []);
  set(one, false);
  assert.deepEqual(bench.sent(), ['1']);
  bench.speak(two, ADA);
  assert.deepEqual(bench.sent(), ['1 isolated'], 'it has moved');
});

test('an address that moves between the switch itself and a port is told while it is at the port', () => {
  const bench = new Bench();
  const { bridge, one } = bench;
  const internal = bridge.attachInternal(new FlowPort());
  bench.speak(internal, CEM);
  bench.speak(one, CEM);
  assert.deepEqual(bench.sent(), ['3']);
  bench.speak(internal, CEM);
  assert.deepEqual(bench.sent(), ['no 3']);
  bench.announce('b', BEN, true);
  bench.speak(internal, BEN);
  assert.equal(bridge.mesh.knowsAllOf('b'), false, 'until it has agreed that its isolated station is elsewhere');
  bench.exchange.received('b', STATION_KINDS.digest, new Uint8Array(12), bench.nowMs);
  assert.ok(bridge.mesh.knowsAllOf('b'));
  bridge.entries.flush();
  assert.deepEqual([bench.sent(), bench.exchange.announced, bench.exchange.waiting], [[], 0, 0]);
});

test('the address of the switch itself that a node has claimed is counted once when it comes to a port', () => {
  const bench = new Bench();
  const { bridge, one, exchange } = bench;
  const internal = bridge.attachInternal(new FlowPort());
  bench.nowMs = 20_000;
  bench.speak(internal, CEM);
  const claim = { vid: UNTAGGED, mac: CEM, sequence: 3, isHeld: false, isIsolated: false, ageMs: 9000 };
  exchange.received('b', STATION_KINDS.announce, encodeRecords([claim]), bench.nowMs);
  bench.sent();
  bench.speak(one, CEM);
  bench.sent();
  assert.deepEqual([exchange.announced, exchange.waiting], [1, 0]);
  bridge.entries.flush();
  assert.deepEqual([bench.sent(), exchange.announced], [['no 3'], 0]);
});

test('what a bridge without a mesh knows of nodes, and with one', () => {
  const plain = new Bridge();
  assert.equal(plain.mesh.knowsAllOf('b'), false);
  const port = plain.attach(new FlowPort());
  plain.entries.set(UNTAGGED, ADA, port, 'static', 0);
  const entry = plain.entries.find(UNTAGGED, ADA);
  assert.ok(entry);
  assert.equal(plain.mesh.hasTold(entry, 'b'), false);
  plain.setSettings(port, { ...port.settings, isIsolated: true });
  const { bridge, exchange } = new Bench();
  assert.deepEqual([bridge.mesh.knowsAllOf('b'), bridge.mesh.knowsAllOf('c')], [true, false]);
  exchange.linkDown('b');
  assert.equal(bridge.mesh.knowsAllOf('b'), false);
});

test('frames of the mesh go to its receiver; where there is none they are relayed like others', () => {
  const octets = encodeMeshFrame(0x0200_0000_0007 as MacAddress, { kind: 5, payload: new Uint8Array(3) });
  const bridge = new Bridge();
  const heard: Buffer[] = [];
  const other = new MemoryPort({ onFrames: (frames) => heard.push(...frames) });
  const [fromStation, fromNode] = [bridge.attach(new FlowPort()), bridge.attach(new FlowPort('b'))];
  bridge.attach(other);
  other.open(SILENT);
  const receive = (port: BridgePort): void => void bridge.receive(port, batchOf(Buffer.from(octets)), 7);
  receive(fromStation);
  assert.equal(heard.splice(0).length, 1);
  const received: unknown[] = [];
  bridge.mesh.receiver = (port, frame, nowMs) => received.push([port, Buffer.from(frame).toString('hex'), nowMs]);
  receive(fromStation);
  assert.deepEqual([received, fromStation.rx.discards.reserved], [[], 1]);
  receive(fromNode);
  assert.deepEqual(received, [[fromNode, Buffer.from(octets).toString('hex'), 7]]);
  assert.equal(heard.length, 0);
  assert.equal(bridge.entries.find(UNTAGGED, MESH_ADDRESS), undefined);
});
