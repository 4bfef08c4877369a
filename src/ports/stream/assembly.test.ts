import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Assembly } from './assembly.ts';
import { BlockPool } from './block-pool.ts';
import { MAX_KEPT, READ_BYTES, ReceiveSlabs, type Slab } from './receive-slabs.ts';

const MIB = 1024 * 1024;
/** Any stream is a piece of this, so that no octet looks like its neighbour. */
const OCTETS = randomBytes(4 * MIB);

/** Slabs that know which of them are out, and how many there ever were. */
class CheckedSlabs extends ReceiveSlabs {
  readonly out: Set<Slab> = new Set();
  readonly made: Set<Slab> = new Set();

  override take(): Slab {
    const slab = super.take();
    assert.ok(!this.out.has(slab), 'one slab for two');
    this.out.add(slab);
    this.made.add(slab);
    return slab;
  }

  override release(slab: Slab): void {
    assert.ok(this.out.delete(slab), 'released twice');
    super.release(slab);
  }
}

class CheckedBlocks extends BlockPool {
  readonly out: Set<Buffer> = new Set();

  override take(bytes: number): Buffer {
    const block = super.take(bytes);
    assert.ok(!this.out.has(block), 'one block for two');
    this.out.add(block);
    return block;
  }

  override release(block: Buffer): void {
    assert.ok(this.out.delete(block), 'released twice');
    block.fill(0xdd);
    super.release(block);
  }
}

/** What all tunnels of a process share. */
class Process {
  readonly slabs: CheckedSlabs = new CheckedSlabs();
  readonly blocks: CheckedBlocks = new CheckedBlocks();
}

/** A receiver of messages of known lengths, which takes whole ones only and checks every octet that it is shown. */
class Tunnel {
  readonly assembly: Assembly;
  readonly #stream: Buffer;
  /** where each message ends in the stream */
  readonly #ends: readonly number[];
  #sent = 0;
  #read = 0;
  /** called from inside a delivery */
  onReceived: () => void = () => undefined;

  constructor({ slabs, blocks }: Process, lengths: readonly number[], offset = 0) {
    let end = 0;
    this.#ends = lengths.map((length) => (end += length));
    this.#stream = Buffer.concat(lengths.map((length, index) => octetsAt(offset + index * 77_777, length)));
    this.assembly = new Assembly(this, slabs, blocks);
  }

  received(bytes: Buffer, from: number, end: number): number {
    const shown = this.#stream.subarray(this.#read, this.#sent);
    assert.equal(end - from, shown.length, 'not all, or too much, was presented');
    assert.equal(Buffer.compare(bytes.subarray(from, end), shown), 0, 'octets were changed');
    const whole = this.#ends.findLast((at) => at <= this.#sent) ?? 0;
    const consumed = Math.max(whole, this.#read) - this.#read;
    // The receiver may do so; a later read of these octets then shows.
    bytes.fill(0xee, from, from + consumed);
    this.#read += consumed;
    this.onReceived();
    return from + consumed;
  }

  get isRead(): boolean {
    return this.#read === this.#stream.length;
  }

  get unreadBytes(): number {
    return this.#sent - this.#read;
  }

  /** The next octets arrive in foreign memory, as from Node's sockets. */
  take(count: number): void {
    const bytes = Buffer.from(this.#stream.subarray(this.#sent, this.#sent + count));
    for (let at = 0; at < bytes.length; at += READ_BYTES) {
      const part = bytes.subarray(at, at + READ_BYTES);
      this.#sent += part.length;
      this.assembly.take(part, part.length);
      part.fill(0xcc);
    }
  }

  /** The next octets are read to where the assembly wants them, as from a native socket. */
  readInto(count: number): void {
    const room = this.assembly.room();
    const length = Math.min(count, room.most - room.to, this.#stream.length - this.#sent);
    this.#stream.copy(room.slab.bytes, room.to, this.#sent, this.#sent + length);
    this.#sent += length;
    this.assembly.filled(room, length);
  }
}

function octetsAt(offset: number, length: number): Buffer {
  const at = offset % (OCTETS.length - 2 * MIB);
  return OCTETS.subarray(at, at + length);
}

const messageBytes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 2000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 200_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: MIB + 14 }) },
);
const cutBytes = fc.oneof(
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: 1000, max: 70_000 }),
  fc.integer({ min: 1, max: READ_BYTES }),
);

test('any messages, cut anywhere, of any tunnels in any order, arrive as they were sent', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(messageBytes, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 14 }),
      fc.array(fc.tuple(fc.nat(13), cutBytes, fc.boolean()), { maxLength: 60 }),
      (streams, cuts) => {
        const shared = new Process();
        const tunnels = streams.map((lengths, index) => new Tunnel(shared, lengths, index * 99_991));
        for (const [choice, count, isCopied] of cuts) {
          const tunnel = tunnels[choice % tunnels.length] as Tunnel;
          if (isCopied) tunnel.take(count);
          else tunnel.readInto(count);
          checkBounds(shared, tunnels);
        }
        for (const tunnel of tunnels) while (!tunnel.isRead) tunnel.readInto(READ_BYTES);
        assert.equal(shared.slabs.out.size, 0);
        assert.equal(shared.blocks.out.size, 0);
      },
    ),
    { numRuns: 60 },
  );
});

test('a tunnel that is in the middle of nothing owns nothing', () => {
  const shared = new Process();
  const tunnel = new Tunnel(shared, [1000, 100_000, 1000]);
  for (const count of [1000, 100_000]) {
    tunnel.readInto(count);
    assert.equal(shared.slabs.out.size + shared.blocks.out.size, 0);
  }
  tunnel.readInto(999);
  assert.equal(shared.slabs.out.size, 0);
  assert.equal(shared.blocks.out.size, 1);
});

test('more tunnels than slabs in the middle of long messages: the rest is copied, and all goes on', () => {
  const shared = new Process();
  for (let round = 0; round < 3; round++) {
    const tunnels = Array.from({ length: MAX_KEPT + 4 }, (_, index) => new Tunnel(shared, [MIB], index * 1009));
    for (const part of [20_000, 300_000, 1, 100]) {
      for (const tunnel of tunnels) tunnel.readInto(part);
      assert.equal(shared.slabs.out.size, MAX_KEPT);
      assert.equal(shared.blocks.out.size, 4);
    }
    for (const tunnel of tunnels.slice(0, 6)) while (!tunnel.isRead) tunnel.readInto(READ_BYTES);
    for (const tunnel of tunnels) tunnel.assembly.close();
    assert.equal(shared.slabs.out.size + shared.blocks.out.size, 0);
  }
  assert.ok(shared.slabs.made.size <= MAX_KEPT + 1, `${shared.slabs.made.size} slabs were made`);
});

test('two tunnels, of which one keeps a slab now and then, need two slabs for ever', () => {
  const shared = new Process();
  const lengths = Array.from({ length: 100 }, () => 50_000);
  const [long, short] = [new Tunnel(shared, lengths), new Tunnel(shared, lengths)];
  while (!long.isRead) {
    long.readInto(30_000);
    short.readInto(50_000);
    long.readInto(20_000);
  }
  assert.equal(shared.slabs.made.size, 2);
});

test('a tunnel that is closed, also from inside a delivery, leaves nothing and hears nothing more', () => {
  for (const [before, count] of [
    [0, 100],
    [0, 90_000],
    [10, 1000],
    [30_000, 60_000],
    [30_000, 70_000],
  ] as const) {
    for (const isInside of [true, false]) {
      const shared = new Process();
      const tunnel = new Tunnel(shared, [500, 99_500]);
      tunnel.readInto(before);
      let deliveries = 0;
      tunnel.onReceived = () => {
        deliveries++;
        if (isInside) tunnel.assembly.close();
      };
      tunnel.readInto(count);
      tunnel.assembly.close();
      tunnel.take(100);
      assert.equal(deliveries, 1);
      assert.equal(shared.slabs.out.size + shared.blocks.out.size, 0);
    }
  }
});

test('a read that brings nothing changes nothing', () => {
  for (const before of [0, 10, 40_000]) {
    const shared = new Process();
    const tunnel = new Tunnel(shared, [100_000]);
    tunnel.readInto(before);
    for (let times = 0; times < 3; times++) tunnel.readInto(0);
    tunnel.readInto(100_000 - before);
    assert.ok(tunnel.isRead);
  }
});

/** Slabs are bounded by their number, blocks by what the peers sent of unfinished messages. */
function checkBounds({ slabs, blocks }: Process, tunnels: readonly Tunnel[]): void {
  assert.ok(slabs.out.size <= MAX_KEPT);
  assert.ok(slabs.made.size <= MAX_KEPT + 1);
  let blockBytes = 0;
  for (const block of blocks.out) blockBytes += block.length;
  let unreadBytes = 0;
  for (const tunnel of tunnels) unreadBytes += Math.max(1024, 2 * tunnel.unreadBytes);
  assert.ok(blockBytes <= unreadBytes, `${blockBytes} octets of blocks for ${unreadBytes}`);
}
