import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPort } from '../../ports/memory-port.ts';
import { encodeLoopProbe, type LoopProbe } from '../../wire/ethernet/loop-probe.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { TPID_C_TAG } from '../../wire/ethernet/tag.ts';
import { UNTAGGED, type Vid } from '../../wire/ethernet/vid.ts';
import { VidSet } from '../../wire/ethernet/vid-set.ts';
import { withTag } from '../../wire/ethernet/vid-tag.ts';
import { Bridge } from '../bridge.ts';
import type { BridgePort } from '../bridge-port.ts';
import { PortVlans } from '../port-vlans.ts';
import { LoopDetection, type LoopDetectionMode, type LoopDetectionParts } from './loop-detection.ts';

const ADDRESS = 0x0200_0000_00ff as MacAddress;
const SEQUENCE_AT = 30;

interface Sent {
  readonly port: number;
  readonly vid: Vid;
  readonly frame: Uint8Array;
}

/** Loop detection alone: the test hands each frame and each tick to it. */
class Rules {
  readonly bridge = new Bridge();
  readonly detection: LoopDetection;
  /** What was asked of the bridge: `protect 2`, `unprotect 2`. */
  readonly asked: string[] = [];
  readonly #sent: Sent[] = [];
  #nonces = 0;

  constructor(mode: LoopDetectionMode, parts: Partial<LoopDetectionParts> = {}) {
    this.detection = new LoopDetection(mode, {
      address: ADDRESS,
      randomBytes: (length) => new Uint8Array(length).fill(++this.#nonces),
      transmit: ({ number }, vid, frame) => void this.#sent.push({ port: number, vid, frame }),
      protect: (port, reason) => {
        this.asked.push(`protect ${port.number}`);
        this.bridge.protect(port, { cause: 'loop', reason });
      },
      unprotect: (port) => {
        this.asked.push(`unprotect ${port.number}`);
        this.bridge.protect(port, undefined);
      },
      ...parts,
    });
  }

  port(vlans?: string): BridgePort {
    const port = this.bridge.attach(new MemoryPort());
    if (vlans === undefined) return port;
    const set = VidSet.parse(vlans) as VidSet;
    const member = PortVlans.of({ mode: 'trunk', pvid: 1 as Vid, vlans: set, tpid: TPID_C_TAG });
    this.bridge.setSettings(port, { ...port.settings, vlans: member });
    return port;
  }

  meshPort(): BridgePort {
    return this.bridge.attach(Object.assign(new MemoryPort(), { meshNode: 'other' }));
  }

  /** @returns the probes that were sent at this time */
  tick(nowMs: number): Sent[] {
    this.detection.tick(this.bridge.eachPort(), nowMs);
    return this.#sent.splice(0);
  }

  /** The first probe that the port sends at this time. */
  probeOf(port: BridgePort, nowMs: number): Uint8Array {
    const sent = this.tick(nowMs).find((each) => each.port === port.number);
    assert.notEqual(sent, undefined, `port ${port.number} has sent no probe`);
    return (sent as Sent).frame;
  }

  hear(by: BridgePort, frame: Uint8Array, nowMs: number): boolean {
    return this.detection.received(by, frame, 0, frame.length, nowMs);
  }
}

/** A probe of another node of the cluster. */
function foreign(vid: number): Uint8Array {
  const probe: LoopProbe = {
    source: ADDRESS,
    instance: new Uint8Array(8).fill(0xaa),
    port: 1,
    sequence: 1,
    nonce: new Uint8Array(16).fill(0xbb),
    vid: vid as Vid,
  };
  const frame = encodeLoopProbe(probe);
  return vid === UNTAGGED ? frame : withTag(frame, TPID_C_TAG, vid as Vid);
}

const vidsOf = (sent: readonly Sent[]): number[] => sent.map(({ vid }) => vid);
const portsOf = (sent: readonly Sent[]): number[] => sent.map(({ port }) => port);

test('a suspicion in mode off, or before it, is of no effect later', () => {
  const rules = new Rules('off');
  const port = rules.port();
  rules.detection.suspect(port, [], 0);
  assert.deepEqual(rules.tick(0), []);
  rules.detection.setMode('auto');
  assert.deepEqual(rules.tick(0), []);
  rules.detection.suspect(port, [], 0);
  rules.detection.setMode('off');
  rules.detection.setMode('auto');
  assert.deepEqual(rules.tick(0), []);
});

test('only mode off opens the ports that were shut, and no port that was shut for another cause', () => {
  const rules = new Rules('on');
  const [one, two, limited] = [rules.port(), rules.port(), rules.port()];
  rules.hear(two, rules.probeOf(one, 0), 0);
  rules.bridge.protect(limited, { cause: 'macLimit', reason: 'frames from more than 1 address' });
  rules.detection.setMode('auto');
  assert.equal(two.protection?.reason, 'a loop with port 1; tried again after 30 s without it');
  rules.detection.setMode('off');
  assert.deepEqual(rules.asked, ['protect 2', 'unprotect 2']);
  assert.equal(limited.protection?.cause, 'macLimit');
});

test('a port of the mesh sends no probes, whatever comes by it', () => {
  for (const mode of ['on', 'auto'] as const) {
    const rules = new Rules(mode);
    const [mesh, port] = [rules.meshPort(), rules.port()];
    for (const each of [mesh, port]) rules.detection.suspect(each, [], 0);
    assert.deepEqual(portsOf(rules.tick(0)), [port.number], mode);
  }
});

test('a probe that comes by the mesh shuts no port: an own one is taken, one of another node is relayed', () => {
  const asked: number[] = [];
  const rules = new Rules('on', { onForeignProbe: (_, by) => asked.push(by.number) > 0 });
  const [port, mesh] = [rules.port(), rules.meshPort()];
  const own = rules.probeOf(port, 0);
  assert.equal(rules.hear(mesh, own, 0), true);
  assert.equal(rules.hear(mesh, foreign(UNTAGGED), 0), false);
  assert.deepEqual([rules.asked, asked], [[], []]);
  assert.equal(rules.hear(port, foreign(UNTAGGED), 0), true);
  assert.deepEqual([rules.asked, asked], [[], [port.number]]);
});

test('where a probe of another node comes in, its VLAN is probed each time; in mode off nothing is', () => {
  for (const [mode, isOfNode, first] of [
    ['on', true, 3000],
    ['on', false, 1],
    ['off', true, 1],
  ] as const) {
    const rules = new Rules(mode, { onForeignProbe: () => isOfNode });
    const port = rules.port('all');
    assert.equal(rules.hear(port, foreign(3000), 0), isOfNode);
    assert.deepEqual(rules.tick(0).length, mode === 'on' ? 16 : 0);
    rules.detection.setMode('on');
    for (const nowMs of [5000, 10_000]) {
      const [vid] = vidsOf(rules.tick(nowMs));
      assert.equal(vid === 3000, first === 3000, `${mode} ${isOfNode} ${nowMs}`);
    }
  }
});

test('a frame that is no probe, and a probe that is not of the cluster, are not taken', () => {
  const rules = new Rules('on');
  const port = rules.port();
  const own = rules.probeOf(port, 0);
  assert.equal(rules.hear(port, own.subarray(0, 40), 0), false);
  assert.equal(rules.hear(port, foreign(UNTAGGED), 0), false);
  assert.deepEqual(rules.asked, []);
});

test('a probe that names a VLAN in which it was not sent is none of this bridge', () => {
  const rules = new Rules('on');
  const [one, two] = [rules.port(), rules.port()];
  const forged = rules.probeOf(one, 0);
  new DataView(forged.buffer).setUint16(50, 77);
  assert.equal(rules.hear(two, withTag(forged, TPID_C_TAG, 77 as Vid), 0), false);
  assert.deepEqual(rules.asked, []);
});

test('the younger port is shut, whichever of the two has sent the probe', () => {
  const rules = new Rules('on');
  const [one, two] = [rules.port(), rules.port()];
  assert.equal(rules.hear(one, rules.probeOf(two, 0), 0), true);
  assert.deepEqual(rules.asked, ['protect 2']);
  assert.match(two.protection?.reason ?? '', /^a loop with port 1;/);
});

test('a port that another protection has shut is no part of a loop, on either side', () => {
  for (const at of [0, 1]) {
    const rules = new Rules('on');
    const ports = [rules.port(), rules.port()] as const;
    const probe = rules.probeOf(ports[0], 0);
    rules.bridge.protect(ports[at] as BridgePort, { cause: 'macLimit', reason: 'frames from more than 1 address' });
    assert.equal(rules.hear(ports[1], probe, 0), true);
    assert.deepEqual(rules.asked, [], `port ${at}`);
  }
});

test('a port is open again 30 s after the last probe that came back, and not before', () => {
  const rules = new Rules('on');
  const [one, two] = [rules.port(), rules.port()];
  rules.hear(two, rules.probeOf(one, 0), 100);
  rules.tick(30_099);
  assert.deepEqual(rules.asked, ['protect 2']);
  rules.tick(30_100);
  assert.deepEqual(rules.asked, ['protect 2', 'unprotect 2']);
  assert.equal(two.isForwarding, true);
});

test('a port sends its next probes after 5 s, or half a second before, and none while the operator has shut it', () => {
  const rules = new Rules('on');
  const port = rules.port();
  const sentAt = [0, 4499, 4500, 8999, 9000].filter((nowMs) => rules.tick(nowMs).length > 0);
  assert.deepEqual(sentAt, [0, 4500, 9000]);
  rules.bridge.setShut(port, true);
  assert.deepEqual(rules.tick(20_000), []);
});

test('probes are numbered, and known for 5 s while they are of the last two times', () => {
  const rules = new Rules('auto');
  const [one, two] = [rules.port('10,20'), rules.port('10,20')];
  rules.detection.suspect(one, [], 0);
  const times = [0, 1000, 2000].map((nowMs) => rules.tick(nowMs));
  const numbers = times.map((sent) => sent.map(({ frame }) => Buffer.from(frame).readUInt32BE(SEQUENCE_AT)));
  assert.deepEqual(numbers, [
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const [first, second] = times.map(([sent]) => withTag((sent as Sent).frame, TPID_C_TAG, 10 as Vid));
  assert.equal(rules.hear(two, first as Uint8Array, 2000), false);
  assert.deepEqual(rules.asked, []);
  assert.equal(rules.hear(two, second as Uint8Array, 2000), true);
  assert.deepEqual(rules.asked, ['protect 2']);
});

test('the port that has sent a nonce is found for less than 5 s', () => {
  const rules = new Rules('on');
  const port = rules.port();
  const nonce = rules.probeOf(port, 0).slice(34, 50);
  const found = (number: number, asked: Uint8Array, nowMs: number): boolean =>
    rules.detection.proberOf(number, asked, nowMs) === port;
  assert.deepEqual(
    [0, 4999, 5000].map((nowMs) => found(port.number, nonce, nowMs)),
    [true, true, false],
  );
  assert.equal(found(port.number + 1, nonce, 0), false);
  nonce[15] = (nonce[15] as number) ^ 1;
  assert.equal(found(port.number, nonce, 0), false);
});

test('a port is shut for a loop with another node once, and held 30 s from the last time', () => {
  const rules = new Rules('on');
  const port = rules.port();
  assert.equal(rules.detection.shutFor(port, '4 of b', 0), true);
  assert.equal(port.protection?.reason, 'a loop with port 4 of b; tried again after 30 s without it');
  assert.equal(rules.detection.isHeld(port), true);
  assert.equal(rules.detection.shutFor(port, '4 of b', 5000), false);
  rules.tick(34_999);
  assert.deepEqual(rules.asked, [`protect ${port.number}`]);
  rules.tick(35_000);
  assert.deepEqual(rules.asked, [`protect ${port.number}`, `unprotect ${port.number}`]);
  assert.equal(rules.detection.isHeld(port), false);
});

test('no port is shut for another node in mode off, or if another protection has shut it', () => {
  const rules = new Rules('off');
  const port = rules.port();
  assert.equal(rules.detection.shutFor(port, '4 of b', 0), false);
  rules.detection.setMode('on');
  rules.bridge.protect(port, { cause: 'macLimit', reason: 'frames from more than 1 address' });
  assert.equal(rules.detection.shutFor(port, '4 of b', 0), false);
  assert.deepEqual(rules.asked, []);
  assert.equal(port.protection?.cause, 'macLimit');
});
