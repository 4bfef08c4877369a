import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LldpTransmitter } from './lldp-transmitter.ts';

/** A transmitter on a virtual clock, which is polled each 100 ms. */
class Timeline {
  readonly transmitter: LldpTransmitter;
  /** Whether something changes before each poll. */
  isChanging = false;
  #nowMs = 0;

  constructor(spread = 0) {
    this.transmitter = new LldpTransmitter(spread);
  }

  /** Polls up to this time, and not at it. @returns the times of its LLDPDUs, in seconds */
  until(seconds: number): number[] {
    const sent: number[] = [];
    for (; this.#nowMs < seconds * 1000; this.#nowMs += 100) {
      if (this.isChanging) this.transmitter.localChange();
      if (this.transmitter.poll(this.#nowMs)) sent.push(this.#nowMs / 1000);
    }
    return sent;
  }

  enable(isEnabled: boolean): boolean {
    return this.transmitter.enable(isEnabled, this.#nowMs);
  }

  newNeighbor(): void {
    this.transmitter.newNeighbor(this.#nowMs);
  }
}

test('the first interval is a half to a whole one, as the spread says; further ones are 30 s', () => {
  for (const [spread, times] of [
    [0, [0, 15, 45, 75]],
    [0.5, [0, 22.5, 52.5]],
  ] as const) {
    const timeline = new Timeline(spread);
    timeline.enable(true);
    assert.deepEqual(timeline.until(80), times);
  }
});

test('after five LLDPDUs in a row there is one each second from the start on', () => {
  const timeline = new Timeline();
  timeline.until(5.5);
  timeline.enable(true);
  timeline.isChanging = true;
  assert.deepEqual(timeline.until(8), [5.5, 5.6, 5.7, 5.8, 5.9, 6.5, 7.5]);
  timeline.isChanging = false;
  timeline.until(20);
  timeline.isChanging = true;
  assert.deepEqual(timeline.until(22), [20, 20.1, 20.2, 20.3, 20.4, 20.5, 21.5], 'and the credit does not exceed five');
});

test('a poll of a time before the last one takes no credit', () => {
  const transmitter = new LldpTransmitter(0);
  transmitter.enable(true, 0);
  const send = (nowMs: number): boolean => {
    transmitter.localChange();
    return transmitter.poll(nowMs);
  };
  for (let count = 0; count < 5; count++) assert.ok(send(1000));
  assert.deepEqual([send(999), send(1000), send(1999), send(2000), send(2000)], [false, false, false, true, false]);
});

test('a restart is 2 s later, with a whole credit, and as if it were the first', () => {
  const timeline = new Timeline();
  timeline.enable(true);
  timeline.until(10);
  timeline.newNeighbor();
  timeline.isChanging = true;
  assert.deepEqual(timeline.until(11), [10, 10.1, 10.2, 10.3, 10.4]);
  timeline.isChanging = false;
  assert.deepEqual([timeline.enable(false), timeline.enable(false), timeline.enable(true)], [true, false, false]);
  assert.deepEqual(timeline.until(50), [13, 28]);
  timeline.enable(true);
  assert.deepEqual(timeline.until(60), [58], 'one that runs is not started again');
  timeline.enable(false);
  assert.deepEqual(timeline.until(65), []);
  timeline.enable(true);
  assert.deepEqual(timeline.until(70), [65], 'after a longer pause it starts at once');
});

test('a new neighbour is told at once and at most four times, however many come meanwhile', () => {
  const timeline = new Timeline();
  timeline.newNeighbor();
  timeline.enable(true);
  assert.deepEqual(timeline.until(5), [0], 'one that came before the start gets the first LLDPDU');
  timeline.newNeighbor();
  assert.deepEqual(timeline.until(6.5), [5, 6]);
  timeline.newNeighbor();
  assert.deepEqual(timeline.until(40), [6.5, 7.5, 37.5]);
});
