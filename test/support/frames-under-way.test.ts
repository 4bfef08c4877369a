import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FramesUnderWay } from './frames-under-way.ts';

const sent = (one: number, two: number): ReadonlyMap<string, number> =>
  new Map([
    ['1', one],
    ['2', two],
  ]);

test('only frames that were sent around a change may come twice, and none three times', () => {
  const frames = new FramesUnderWay(5);
  assert.deepEqual(frames.faults([['1', 100]]), ['1 100'], 'nothing has changed');
  frames.changed(sent(100, 200), sent(110, 210));
  frames.changed(sent(300, 400), sent(300, 400));
  assert.deepEqual(
    frames.faults([
      ['1', 96],
      ['1', 100],
      ['1/broadcast', 115],
      ['1/multicast', 115],
      ['2', 205],
      ['2', 405],
    ]),
    [],
  );
  for (const [sender, number] of [
    ['1', 95],
    ['1', 116],
    ['1', 205],
    ['2', 110],
    ['2/multicast', 216],
    ['2', 395],
    ['3', 100],
  ] as const) {
    assert.deepEqual(frames.faults([[sender, number]]), [`${sender} ${number}`]);
  }
  const round = Array.from({ length: 20 }, () => ['1', 105] as const);
  assert.deepEqual(frames.faults(round), ['1 105'], 'in a loop a frame comes again and again');
});
