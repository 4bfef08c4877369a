import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { batchWithHeaders, superFrameOf } from '../../test/support/frames.ts';
import { ADA, BOB, BROADCAST, CEM, GROUP, MemoryLan, plain, refusals } from '../../test/support/memory-lan.ts';
import { dataFrame, joinFrame, queryFrame } from '../../test/support/multicast-frames.ts';
import { MulticastLan } from '../../test/support/multicast-lan.ts';
import { ProbingLan, probes } from '../../test/support/probing-lan.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import { TPID_C_TAG } from '../wire/ethernet/tag.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import { VidSet } from '../wire/ethernet/vid-set.ts';
import type { VlanMode } from '../wire/ethernet/vlan-mode.ts';
import { MESH_ADDRESS } from '../wire/mesh/mesh-frame.ts';
import type { BridgePort } from './bridge-port.ts';
import { PortVlans } from './port-vlans.ts';
import type { ProtocolEntity } from './protocol-entity.ts';

/* Which frames the relay hands to whom, what it counts, and what one frame of a batch means for the next. */

const BPDU = '0180c2000000';
const LLDP = '0180c200000e';
const MESH = MESH_ADDRESS.toString(16).padStart(12, '0');
const PROBE = '034557530001';

const vlans = (mode: VlanMode, pvid: number): PortVlans | undefined =>
  PortVlans.of({ mode, pvid: pvid as Vid, vlans: VidSet.parse('10,20') as VidSet, tpid: TPID_C_TAG });
const received = ({ rx }: BridgePort): [frames: number, octets: number] => [rx.frames, rx.octets];

/** An entity that takes all frames to 01-80-C2-00-00-0E, and has noted their lengths. */
function lldp(): ProtocolEntity & { readonly heard: number[] } {
  const heard: number[] = [];
  return { addresses: 1 << 14, heard, received: (_port, { length }) => heard.push(length) > 0 };
}

/** A port to a node of a cluster, of a bridge whose mesh has a receiver. */
function withMesh() {
  const lan = new MemoryLan();
  const heard: string[] = [];
  lan.bridge.mesh.receiver = ({ number }, { length }) => void heard.push(`${length} by ${number}`);
  const station = lan.join();
  const memory = Object.assign(new MemoryPort(), { meshNode: 'b' });
  const node = lan.bridge.attach(memory);
  memory.open({ receive: () => undefined, linkChanged: () => undefined, discarded: () => undefined });
  const fromNode = (...frames: string[]): void =>
    void lan.bridge.receive(node, batchOf(...frames.map((each) => Buffer.from(each, 'hex'))), 0);
  return { lan, heard, station, node, fromNode };
}

describe('frames of own protocols', () => {
  test('a probe that comes back is received, and not relayed', () => {
    const lan = new ProbingLan();
    const [one, two] = [lan.join(), lan.join()];
    lan.seconds(1);
    const [probe = ''] = probes(one.take());
    two.take();
    const before = received(one.port);
    one.send(probe, plain(BROADCAST, ADA));
    assert.deepEqual(received(one.port), [before[0] + 2, before[1] + 120]);
    assert.deepEqual([lan.said, two.take()], [['1 by 1: shut 1'], [plain(BROADCAST, ADA)]]);
  });

  test('without loop detection probes are relayed, and so are frames of the mesh without one', () => {
    const lan = new MemoryLan();
    const [one, two] = [lan.join(), lan.join()];
    const frames = [plain(PROBE, ADA), plain(MESH, ADA)];
    one.send(...frames);
    assert.deepEqual(two.take(), frames);
  });

  test('a frame of the mesh is heard from a node, and is a discard from a station', () => {
    const { heard, station, node, fromNode } = withMesh();
    fromNode(plain(MESH, ADA), plain(MESH, ADA));
    station.send(plain(MESH, BOB));
    assert.deepEqual([heard, received(node), refusals(station)], [['60 by 2', '60 by 2'], [2, 120], { reserved: 1 }]);
    assert.deepEqual(station.take(), []);
  });
});

describe('a port that discards by the spanning tree', () => {
  test('hears frames of the mesh from a node, as short as they may be, and counts all others', () => {
    const { lan, heard, station, node, fromNode } = withMesh();
    for (const port of [node, station.port]) lan.bridge.setStpState(port, 'discarding');
    const shortest = `${MESH}${ADA}88b5`;
    fromNode(plain(BROADCAST, ADA), shortest, shortest.slice(0, 26), plain(MESH, ADA), plain(BROADCAST, ADA));
    station.send(plain(MESH, BOB));
    assert.deepEqual(heard, ['14 by 2', '60 by 2']);
    assert.deepEqual([received(node), node.rx.discards.discarding], [[2, 74], 3]);
    assert.deepEqual(refusals(station), { discarding: 1 });
  });

  test('hears frames to the addresses of protocols, as short as they may be, and counts them', () => {
    const lan = new MemoryLan();
    const one = lan.join();
    const entity = lldp();
    lan.bridge.addProtocol(entity);
    lan.bridge.setStpState(one.port, 'discarding');
    const shortest = `${LLDP}${ADA}88cc`;
    one.send(plain(LLDP, ADA), plain(BPDU, ADA), shortest, shortest.slice(0, 26), plain(BROADCAST, ADA));
    assert.deepEqual(
      [entity.heard, received(one.port)],
      [
        [60, 14],
        [2, 74],
      ],
    );
    assert.deepEqual(refusals(one), { discarding: 3 });
  });
});

test('protocols stand below the VLANs: a trunk takes their frames without a tag, and no others', () => {
  const lan = new MemoryLan();
  const trunk = lan.join({ vlans: vlans('trunk', 1) });
  const entity = lldp();
  lan.bridge.addProtocol(entity);
  trunk.send(plain(LLDP, ADA), plain(BPDU, ADA), plain(BROADCAST, ADA), plain(LLDP, ADA, '8100001e'));
  assert.deepEqual([entity.heard, received(trunk.port)], [[60], [1, 60]]);
  assert.deepEqual(refusals(trunk), { tagMissing: 2, vlanFiltered: 1 });
});

describe('a frame that is refused', () => {
  test('changes nothing of the frames before and behind it, which have another VLAN', () => {
    for (const station of [ADA, '000000000001']) {
      const lan = new MemoryLan();
      const [from, ten] = [lan.join({ macLimit: 1 }), lan.join({ vlans: vlans('access', 10) })];
      const sent = plain(BROADCAST, station, '8100000a');
      from.send(sent, plain(BROADCAST, BOB, '81000014'), sent);
      assert.deepEqual(ten.take(), [plain(BROADCAST, station), plain(BROADCAST, station)]);
      assert.deepEqual(refusals(from), { macLimit: 1 });
    }
  });

  test('and has its port shut ends the batch: each frame behind it is one discard, of its own', () => {
    const lan = new MemoryLan();
    const port = lan.join({ macLimit: 1, macLimitAction: 'shut' });
    const seen: string[] = [];
    lan.bridge.addTap(port.port, {
      received: () => undefined,
      sent: () => undefined,
      discarded: (_direction, reason, batch: FrameBatch, index) =>
        void seen.push(`${reason} ${batch.frame(index)[11]}`),
    });
    port.send(plain(BROADCAST, ADA));
    const beyond = superFrameOf({ payload: Buffer.alloc(2500), source: 7 }, 1000);
    const rest = [8, 9].map((source) => superFrameOf({ payload: Buffer.alloc(2500), source }, 1000));
    lan.bridge.receive(port.port, batchWithHeaders([beyond, ...rest]), 0);
    assert.deepEqual(refusals(port), { macLimit: 3, protected: 2 });
    assert.deepEqual(seen, ['macLimit 7', 'protected 8', 'protected 9']);
  });
});

describe('what a trace is told', () => {
  const told: string[] = [];
  const trace = {
    learned: () => undefined,
    aged: () => undefined,
    forwarded: (from: number, to: readonly number[], length: number) =>
      void told.push(`${length} from ${from} to ${[...to].sort().join(' ')}`),
  };

  test('of a group the members, of a node no other nodes', () => {
    told.length = 0;
    const lan = new MulticastLan(4);
    lan.send(4, queryFrame({ from: '192.0.2.254', station: 0xfe }));
    lan.pass(10_000);
    lan.send(2, joinFrame('239.1.2.3'));
    lan.bridge.trace = trace;
    const data = dataFrame('239.1.2.3');
    lan.send(1, data);
    assert.deepEqual(told, [`${data.length} from 1 to 2 4`]);
    told.length = 0;
    const { lan: other, fromNode } = withMesh();
    other.bridge.attach(Object.assign(new MemoryPort(), { meshNode: 'c' }));
    other.bridge.trace = trace;
    fromNode(plain(BROADCAST, ADA));
    assert.deepEqual(told, ['60 from 2 to 1']);
  });

  test('nothing of frames that go nowhere: of a reserved address, and broken messages of IGMP', () => {
    told.length = 0;
    const lan = new MulticastLan(2);
    lan.bridge.trace = trace;
    lan.send(1, Buffer.from(plain(BPDU, ADA), 'hex'), joinFrame('239.1.2.3').fill(1, 40));
    assert.deepEqual([told, lan.port(1).rx.discards.badMembership], [[], 1]);
  });
});

test('flooded frames beyond the limit of storm control are a discard, with the VLAN of the last one', () => {
  const lan = new MemoryLan();
  const [from, to] = [lan.join({ storm: { broadcast: 1 } }), lan.join()];
  from.send(...Array.from({ length: 50 }, () => plain(BROADCAST, ADA, '8100000a')), plain(GROUP, ADA));
  const { stormBroadcast } = from.port.rx.discards;
  assert.ok(stormBroadcast > 0);
  assert.deepEqual([to.take().length, from.port.storm?.refusedVid], [51 - stormBroadcast, 10]);
  to.send(plain(BROADCAST, CEM));
  assert.equal(from.take().length, 1);
});
