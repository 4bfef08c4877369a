import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADA, BROADCAST, type LanPort, plain } from '../../../test/support/memory-lan.ts';
import { cable, ProbingLan, probes } from '../../../test/support/probing-lan.ts';
import { TPID_C_TAG } from '../../wire/ethernet/tag.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { VidSet } from '../../wire/ethernet/vid-set.ts';
import type { VlanMode } from '../../wire/ethernet/vlan-mode.ts';
import type { BridgePortSettings } from '../port-settings.ts';
import { PortVlans } from '../port-vlans.ts';
import { MOST_PROBES } from './probe-vids.ts';

function inVlans(mode: VlanMode, vlans: string, pvid = 1): Partial<BridgePortSettings> {
  const set = VidSet.parse(vlans) as VidSet;
  return { vlans: PortVlans.of({ mode, pvid: pvid as Vid, vlans: set, tpid: TPID_C_TAG }) };
}

const tagOf = (vid: number): string => `8100${vid.toString(16).padStart(4, '0')}`;

/** The VLANs of the tags of probes; 0: without a tag. */
function vidsOf(frames: readonly string[]): number[] {
  return probes(frames).map((frame) => (frame.slice(24, 28) === '8100' ? Number.parseInt(frame.slice(28, 32), 16) : 0));
}

/** A switch outside, with two ports, that forwards one VLAN only: a loop of that one. */
function onlyVlan(vid: number, [one, other]: readonly [LanPort, LanPort]): () => void {
  const passes = (frame: string): boolean => frame.slice(24, 32) === tagOf(vid);
  return () => {
    const [from, to] = [one.take(), other.take()];
    other.send(...from.filter(passes));
    one.send(...to.filter(passes));
  };
}

test('a loop of one VLAN of two trunks shuts the younger one, says the VLAN, and holds it while the loop is there', () => {
  const lan = new ProbingLan();
  const ports = [lan.join(inVlans('trunk', '10,20,30')), lan.join(inVlans('trunk', '20-40'))] as const;
  const wire = onlyVlan(20, ports);
  lan.seconds(1, wire);
  assert.deepEqual(lan.said, ['1 by 2: shut 2']);
  assert.equal(ports[1].port.protection?.reason, 'a loop with port 1 in VLAN 20; tried again after 30 s without it');
  lan.seconds(100, wire);
  assert.deepEqual(lan.said, ['1 by 2: shut 2']);
  lan.seconds(40);
  assert.deepEqual(lan.said, ['1 by 2: shut 2', 'open 2']);
});

test('native and access ports: probes of the PVID have no tag, and a loop of either kind is found', () => {
  const lan = new ProbingLan();
  const [native, access] = [lan.join(inVlans('native', '10', 5)), lan.join(inVlans('access', '1', 5))];
  lan.seconds(1);
  assert.deepEqual(vidsOf(native.take()), [0, 10]);
  assert.deepEqual(vidsOf(access.take()), [0]);
  lan.seconds(6, cable(native, access));
  assert.deepEqual(lan.said, ['1 by 2: shut 2']);
  assert.match(access.port.protection?.reason ?? '', /in VLAN 5;/);
});

test('a line that joins two VLANs is no loop; two of them are one, and it is found', () => {
  const lan = new ProbingLan();
  const [ten, twenty] = [lan.join(inVlans('access', '1', 10)), lan.join(inVlans('access', '1', 20))];
  lan.seconds(20, cable(ten, twenty));
  assert.deepEqual(lan.said, []);
  const [otherTen, otherTwenty] = [lan.join(inVlans('access', '1', 10)), lan.join(inVlans('access', '1', 20))];
  const [first, second] = [cable(ten, twenty), cable(otherTen, otherTwenty)];
  lan.seconds(6, () => {
    for (let turn = 0; turn < 3; turn++) for (const line of [first, second]) line();
  });
  assert.equal(lan.said.length > 0, true);
  assert.equal([ten, twenty, otherTen, otherTwenty].filter(({ port }) => !port.isForwarding).length >= 1, true);
});

test('a trunk of all VLANs sends 16 probes at a time, and each VLAN has its turn', () => {
  const lan = new ProbingLan();
  const trunk = lan.join(inVlans('trunk', 'all'));
  lan.seconds(1);
  assert.deepEqual(
    vidsOf(trunk.take()),
    Array.from({ length: MOST_PROBES }, (_, at) => at + 1),
  );
  const seen = new Set<number>();
  for (let round = 0; round < Math.ceil(4094 / MOST_PROBES); round++) {
    lan.seconds(5);
    for (const vid of vidsOf(trunk.take())) seen.add(vid);
  }
  assert.equal(seen.size, 4094);
});

test('in mode auto the VLAN of a storm is probed first, at a transparent port, too', () => {
  for (const settings of [inVlans('trunk', 'all'), {}]) {
    const lan = new ProbingLan('auto');
    const ports = [lan.join(settings), lan.join(settings)] as const;
    const wire = onlyVlan(3000, ports);
    lan.set(ports[0].port, { storm: { broadcast: 1 } });
    const [{ port }] = ports;
    ports[0].send(...Array.from({ length: 5 }, () => plain(BROADCAST, ADA, tagOf(3000))));
    assert.equal(port.storm?.refusedVid, 3000);
    for (const each of ports) each.take();
    lan.detection.suspect(port, [port.storm?.refusedVid as Vid], lan.nowMs);
    lan.seconds(1, wire);
    assert.deepEqual(lan.said, ['1 by 2: shut 2']);
    lan.seconds(60, wire);
    assert.deepEqual(lan.said, ['1 by 2: shut 2'], 'its probes have this VLAN each time while it is shut');
  }
});

test('the VLANs of a trunk wait for their turn no longer because one of them is suspected', () => {
  const lan = new ProbingLan();
  const trunk = lan.join(inVlans('trunk', '1-40'));
  lan.detection.suspect(trunk.port, [33 as Vid, 4000 as Vid], lan.nowMs);
  const sent: number[][] = [];
  for (let round = 0; round < 3; round++) {
    lan.seconds(1);
    sent.push(vidsOf(trunk.take()));
  }
  assert.deepEqual(
    sent.map((vids) => [vids[0], vids.length]),
    [33, 33, 33].map((vid) => [vid, MOST_PROBES]),
  );
  assert.equal(new Set(sent.flat()).size, 40);
});

test('a loop is found if a probe of another VLAN comes in front of each probe that has gone round it, in one batch', () => {
  const lan = new ProbingLan();
  const ports = [10, 20, 20].map((pvid) => lan.join(inVlans('access', '1', pvid)));
  // A hub. What it has from the first port, whose VLAN is another one, it sends first.
  lan.seconds(1, () => {
    const sent = ports.map((each) => each.take());
    for (const [at, each] of ports.entries()) each.send(...sent.filter((_, from) => from !== at).flat());
  });
  assert.deepEqual(lan.said, ['3 by 2: shut 3']);
});
