import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DISCARD_REASONS, type Port } from '../src/bridge/port.ts';
import { HEADER_BYTES } from '../src/wire/ethernet/ethernet-frame.ts';
import { batchOf } from '../src/wire/ethernet/frame-batch.ts';
import { type FarEnd, numberOf, PortRecorder, testFrame } from './support/port-recorder.ts';

/** A port of one kind with its far end, for one test. */
export interface PortFixture {
  /** ready, and not opened */
  readonly port: Port;
  /** Puts frames onto the wire at the far end, in order. */
  inject(frames: readonly Buffer[]): void;
  /** What reaches the far end is told to this one. */
  readonly farEnd: FarEnd;
  /** The longest frame that the far end can inject; default what the port takes. */
  readonly maxInjectedBytes?: number;
  /** Keeps the far end from reading. Absent where nothing can. */
  stall?(isStalled: boolean): void;
  /** Whether a frame below 14 octets can be injected at all. */
  readonly hasRunts?: boolean;
  /** Ends the link from the far end. Absent where nothing can. */
  breakLink?(): void;
  /** Puts the far end away; the port was closed before. */
  dispose(): Promise<void>;
}

/**
 * The contract of src/bridge/port.ts as tests: every kind of port runs them.
 * @param create makes a fixture; what it made before it failed is its to undo
 * @param options `skip` says why this kind cannot be tested here
 */
export function portContract(
  kind: string,
  create: () => Promise<PortFixture>,
  options: { skip?: string | false } = {},
): void {
  describe(`the port contract, kept by ${kind}`, { skip: options.skip ?? false }, () => {
    let resourcesBefore: string[];
    let fixture: PortFixture;
    let port: Port;
    let events: PortRecorder;

    beforeEach(async () => {
      resourcesBefore = activeResources();
      fixture = await create();
      port = fixture.port;
      events = new PortRecorder();
    });
    afterEach(async () => {
      await port.close();
      await fixture.dispose();
      for (let turns = 0; turns < 1000 && added(resourcesBefore).length > 0; turns++) await turn();
      assert.deepEqual(added(resourcesBefore), [], 'a handle or a timer was left behind');
    });

    function sendAll(frames: readonly Buffer[]): void {
      const batch = batchOf(...frames);
      for (let index = 0; index < batch.count; index++) assert.equal(port.send(batch, index), undefined);
      port.flush(false);
      batch.bytes.fill(0xee);
    }

    test('frames from the far end arrive whole and in order', async () => {
      port.open(events);
      const frames = framesOfManySizes(300, fixture.maxInjectedBytes ?? port.maxFrameBytes);
      fixture.inject(frames);
      assertFrames(await events.take(frames.length), frames);
    });

    test('what arrived before open is delivered behind it, or was dropped, in order', async () => {
      const early = [testFrame(0, 100), testFrame(1, 100)];
      fixture.inject(early);
      for (let turns = 0; turns < 10; turns++) await turn();
      port.open(events);
      const late = testFrame(2, 100);
      fixture.inject([late]);
      const arrived = await events.takeUntil(2);
      assert.deepEqual(arrived.map(numberOf), [0, 1, 2].slice(-arrived.length));
    });

    test('frames leave whole and in order, and their bytes are free behind the flush', async () => {
      port.open(events);
      const frames = framesOfManySizes(300, port.maxFrameBytes);
      for (let start = 0; start < frames.length; start += 7) {
        sendAll(frames.slice(start, start + 7));
        await fixture.farEnd.settled(Math.min(start + 7, frames.length));
      }
      assertFrames(fixture.farEnd.frames, frames);
      assert.equal(events.discards.size, 0);
    });

    test('frames of several batches may precede one flush', async () => {
      port.open(events);
      const batches = [batchOf(testFrame(0, 60), testFrame(1, 900)), batchOf(testFrame(2, 61), testFrame(3, 70))];
      for (const batch of batches) for (let i = 0; i < batch.count; i++) assert.equal(port.send(batch, i), undefined);
      port.flush(false);
      await fixture.farEnd.settled(4);
      assert.deepEqual(fixture.farEnd.frames.map(numberOf), [0, 1, 2, 3]);
    });

    test('a flush of nothing sends nothing', async () => {
      port.open(events);
      port.flush(true);
      sendAll([testFrame(0, 60)]);
      port.flush(false);
      port.flush(true);
      await fixture.farEnd.settled(1);
      assert.equal(fixture.farEnd.frames.length, 1);
    });

    test('the longest frame passes, a longer one is dropped with its reason, the rest of the batch is not', async () => {
      port.open(events);
      const longest = testFrame(1, port.maxFrameBytes);
      const batch = batchOf(testFrame(0, 60), Buffer.alloc(port.maxFrameBytes + 1), longest);
      assert.equal(port.send(batch, 0), undefined);
      assert.equal(port.send(batch, 1), 'tooLong');
      assert.equal(port.send(batch, 2), undefined);
      port.flush(false);
      await fixture.farEnd.settled(2);
      assertFrames(fixture.farEnd.frames, [testFrame(0, 60), longest]);
    });

    test('a runt from the far end is a discard, and those around it arrive', async (t) => {
      if (fixture.hasRunts !== true) {
        t.diagnostic(`${kind} carries no runts`);
        return;
      }
      port.open(events);
      fixture.inject([testFrame(0, 60), Buffer.alloc(HEADER_BYTES - 1, 1), testFrame(1, HEADER_BYTES + 4)]);
      assert.deepEqual((await events.take(2)).map(numberOf), [0, 1]);
      await events.settledDiscards(1);
      assert.deepEqual(Object.fromEntries(events.discards), { 'rx runt': 1 });
    });

    test('before open, and after close, send drops and says so', async () => {
      const batch = batchOf(testFrame(0, 60));
      assert.ok(isReason(port.send(batch, 0)), 'before open');
      port.flush(false);
      port.open(events);
      const [first, second] = [port.close('removed'), port.close('removed')];
      assert.ok(isReason(port.send(batch, 0)), 'while closing');
      port.flush(false);
      await Promise.all([first, second]);
      await port.close('shutdown');
      assert.ok(isReason(port.send(batch, 0)), 'after close');
      port.flush(false);
      assert.equal(events.discards.size, 0, 'reported twice');
    });

    test('a port that was never opened can be closed', async () => {
      await port.close('removed');
      await port.close('removed');
    });

    test('once close was called no event comes', async () => {
      port.open(events);
      fixture.inject([testFrame(0, 60)]);
      await events.take(1);
      fixture.inject([testFrame(1, 60), testFrame(2, 60)]);
      const seen = events.count;
      await port.close('removed');
      for (let turns = 0; turns < 20; turns++) await turn();
      assert.equal(events.count, seen);
    });

    test('a far end that does not read makes the port drop at its bound, and every frame is accounted for', async (t) => {
      if (fixture.stall === undefined) {
        t.diagnostic(`${kind} cannot be stalled`);
        return;
      }
      port.open(events);
      fixture.stall(true);
      let next = 0;
      const taken: number[] = [];
      let refusal: string | undefined;
      const lost = (): number => events.discardsOf('tx');
      while (refusal === undefined && lost() === 0) {
        assert.ok(next < 200_000, 'the port takes without bound');
        const batch = batchOf(...Array.from({ length: 16 }, () => testFrame(next++, 1400)));
        for (let index = 0; index < batch.count; index++) {
          const reason = port.send(batch, index);
          if (reason === undefined) taken.push(next - 16 + index);
          else refusal = reason;
        }
        port.flush(false);
        if (next % 512 === 0) await turn();
      }
      assert.ok(refusal === undefined || refusal === 'queueFull' || refusal === 'queueDelay', refusal);
      fixture.stall(false);
      await fixture.farEnd.settled(() => taken.length - lost());
      const reached = fixture.farEnd.frames.map(numberOf);
      assert.equal(reached.length + lost(), taken.length, 'taken = reached + reported as lost');
      if (lost() === 0) assert.deepEqual(reached, taken);
      else
        assert.deepEqual(
          reached,
          [...reached].sort((a, b) => a - b),
        );
      const another = testFrame(next, 60);
      sendAll([another]);
      await fixture.farEnd.settled(() => taken.length - lost() + 1);
      assertFrames(fixture.farEnd.frames.slice(-1), [another]);
    });

    test('a link that ends is told once, with its reason, and frames are then dropped', async (t) => {
      if (fixture.breakLink === undefined) {
        t.diagnostic(`the link of ${kind} cannot be ended from the far end`);
        return;
      }
      port.open(events);
      fixture.inject([testFrame(0, 60)]);
      await events.take(1);
      fixture.breakLink();
      const { state, reason } = await events.linkChange();
      assert.notEqual(state, 'up');
      assert.ok(reason !== undefined && reason.length > 0 && !reason.includes('\n'), `reason: ${reason}`);
      assert.equal(port.send(batchOf(testFrame(1, 60)), 0), 'linkDown');
      port.flush(false);
      for (let turns = 0; turns < 20; turns++) await turn();
      assert.equal(events.linkChanges.length, 1);
    });
  });
}

function framesOfManySizes(count: number, maxBytes: number): Buffer[] {
  const sizes = [60, 61, 64, 128, 590, 1514].filter((size) => size <= maxBytes);
  return Array.from({ length: count }, (_, index) =>
    testFrame(index, index === count - 1 ? maxBytes : (sizes[index % sizes.length] as number)),
  );
}

/** Equal but for zeros behind, up to the 60 octets to which a wire may pad. */
function assertFrames(got: readonly Buffer[], wanted: readonly Buffer[]): void {
  assert.deepEqual(got.map(numberOf), wanted.map(numberOf));
  for (const [index, frame] of wanted.entries()) {
    const actual = got[index] as Buffer;
    assert.equal(Buffer.compare(actual.subarray(0, frame.length), frame), 0, `frame ${index} was changed`);
    assert.equal(actual.length, Math.max(frame.length, Math.min(actual.length, 60)), `length of frame ${index}`);
  }
}

function isReason(reason: string | undefined): boolean {
  return (DISCARD_REASONS as readonly (string | undefined)[]).includes(reason);
}

/** What keeps the event loop busy: one name for each handle, timer and request. */
function activeResources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => !/^(TTYWrap|PipeWrap|Immediate|FSReq.*|CloseReq)$/.test(name));
}

/** What has come since. */
function added(before: readonly string[]): string[] {
  const rest = [...before];
  return activeResources().filter((name) => {
    const index = rest.indexOf(name);
    if (index >= 0) rest.splice(index, 1);
    return index < 0;
  });
}
