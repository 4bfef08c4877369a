import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bridge } from '../../src/bridge/bridge.ts';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { HEADER_BYTES, MAX_SUPER_FRAME_BYTES } from '../../src/wire/ethernet/ethernet-frame.ts';
import { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { isGroupAddress } from '../../src/wire/ethernet/mac-address.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';

const CASES = fuzzCases(100_000);
const FDB_CAPACITY = 64;
/** Few addresses, so that they meet; some are group addresses, some move between ports. */
const ADDRESSES = 24;

interface Member {
  readonly bridgePort: BridgePort;
  readonly memory: MemoryPort;
  readonly sent: Buffer[];
}

test(`${CASES} batches of hostile frames through a bridge whose ports come and go`, () => {
  const random = new Random(fuzzSeed());
  const addresses = Array.from({ length: ADDRESSES }, () => random.bytes(6));
  addresses.push(Buffer.alloc(6), Buffer.from('0180c200000e', 'hex'), Buffer.from('0180c2000010', 'hex'));
  const bridge = new Bridge({ fdbCapacity: FDB_CAPACITY, ageingTimeMs: 1000 });
  const members: Member[] = [];
  let highestNumber = 0;
  let nowMs = 0;

  function plug(): void {
    const sent: Buffer[] = [];
    const memory = new MemoryPort({
      maxFrameBytes: random.pick([60, 1514, MAX_SUPER_FRAME_BYTES]),
      onFrames: (frames) => void sent.push(...frames),
    });
    const bridgePort = bridge.attach(memory);
    assert.ok(bridgePort.number > highestNumber, 'a port number is never used again');
    highestNumber = bridgePort.number;
    memory.open({
      receive: (batch) => bridge.receive(bridgePort, batch, nowMs),
      linkChanged: (state, reason) => bridge.setLink(bridgePort, state, reason),
      discarded: (direction, reason, frames) => bridgePort[direction].discard(reason, frames),
    });
    members.push({ bridgePort, memory, sent });
  }

  function disturb(): void {
    const { bridgePort, memory } = random.pick(members);
    switch (random.below(5)) {
      case 0:
        bridge.setShut(bridgePort, random.once(2));
        break;
      case 1:
        memory.setLink(random.once(2) ? 'down' : 'up');
        break;
      case 2:
        if (members.length > 2) {
          bridge.detach(bridgePort);
          void memory.close();
          members.splice(
            members.findIndex((member) => member.bridgePort === bridgePort),
            1,
          );
        }
        break;
      case 3:
        if (members.length < 8) plug();
        break;
      default:
        bridge.age(nowMs);
    }
  }

  for (let count = 0; count < 3; count++) plug();
  for (let number = 0; number < CASES; number++) {
    nowMs += random.below(20);
    if (random.once(10)) disturb();
    const ingress = random.pick(members);
    const batch = hostileBatch(random, addresses);
    const before = handled(ingress.bridgePort);
    const context = `case ${number} of seed ${random.seed}`;

    ingress.memory.deliverBatch(batch);

    assert.equal(handled(ingress.bridgePort) - before, batch.count, `${context}: every frame is counted once`);
    for (const member of members) {
      const { bridgePort, memory, sent } = member;
      if (sent.length === 0) continue;
      assert.notEqual(member, ingress, `${context}: never back out of its ingress port`);
      assert.ok(bridgePort.isForwarding, `${context}: nothing leaves by a port that is shut or down`);
      assert.ok(sent.length <= batch.count, `${context}: no frame twice`);
      for (const frame of sent) {
        assert.ok(isPossible(frame), `${context}: what no station can have sent is not forwarded`);
        assert.ok(frame.length >= HEADER_BYTES && frame.length <= memory.maxFrameBytes, `${context}: length fits`);
      }
      sent.length = 0;
    }
    assert.ok(bridge.fdbSize <= FDB_CAPACITY, `${context}: the filtering database keeps its bound`);
  }
  for (const { mac, vid, port } of bridge.fdbEntries(nowMs)) {
    assert.ok(mac !== 0 && !isGroupAddress(mac), 'an impossible source is never learned');
    assert.notEqual(vid, 4095, 'nothing is learned of the reserved VID');
    assert.ok(bridge.ports.has(port.number), 'what was learned goes with its port');
  }
});

/** Everything that entered by a port: as a frame, or as a discard. Of the former `filtered` and `reserved` go nowhere. */
function handled({ rx }: BridgePort): number {
  const { filtered, reserved, ...lost } = rx.discards;
  assert.ok(filtered + reserved <= rx.frames);
  return rx.frames + Object.values(lost).reduce((sum, frames) => sum + frames, 0);
}

/** Whether a bridge may relay it: a source that is a station's, a VID that may be, no reserved destination. */
function isPossible(frame: Buffer): boolean {
  const source = frame.subarray(6, 12);
  const isSource = ((source[0] as number) & 1) === 0 && source.some((octet) => octet !== 0);
  const isTagged = frame.length >= 16 && frame.readUInt16BE(12) === 0x8100;
  const isVid = !isTagged || (frame.readUInt16BE(14) & 0xfff) !== 4095;
  return isSource && isVid && frame.toString('hex', 0, 6).slice(0, 11) !== '0180c200000';
}

/** Frames of every length, tags cut in two among them, wherever they happen to lie in the slab. */
function hostileBatch(random: Random, addresses: readonly Buffer[]): FrameBatch {
  const slab = Buffer.alloc(random.once(500) ? 70_000 : 2048, random.next());
  const batch = new FrameBatch(slab, random.between(1, 4));
  for (let frames = random.below(7); frames > 0; frames--) {
    const length = random.once(3) ? random.below(HEADER_BYTES + 5) : random.below(slab.length + 1);
    const start = random.below(slab.length - length + 1);
    if (length >= HEADER_BYTES) {
      random.pick(addresses).copy(slab, start);
      random.pick(addresses).copy(slab, start + 6);
      slab.writeUInt16BE(random.pick([0x8100, 0x88a8, 0x0800, 0x86dd, 0xffff, 0]), start + 12);
      if (length >= HEADER_BYTES + 2) slab.writeUInt16BE(random.pick([0, 1, 4095, 0xffff]), start + 14);
    }
    batch.push(start, length);
  }
  return batch;
}
