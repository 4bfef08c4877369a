import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { EchoMemory } from './echo-memory.ts';

test('what was sent within the last second is known, octet by octet', () => {
  for (const length of [14, 42, 59, 60, 61, 62, 63, 64, 1514]) {
    const memory = new EchoMemory();
    const frame = randomBytes(length);
    memory.add(frame, 0, length, 5000);
    const padded = Buffer.concat([Buffer.alloc(3), frame, Buffer.alloc(Math.max(0, 60 - length))]);
    assert.ok(memory.has(padded, 3, padded.length - 3, 6000), `${length} octets`);
    assert.ok(!memory.has(padded, 3, padded.length - 3, 6000.1), 'after more than a second');
    for (let at = 3; at < padded.length; at++) {
      padded[at] = (padded[at] as number) ^ 0x10;
      assert.ok(!memory.has(padded, 3, padded.length - 3, 5000), `octet ${at - 3} of ${length} is another one`);
      padded[at] = (padded[at] as number) ^ 0x10;
    }
    const longer = Buffer.concat([padded, Buffer.alloc(1)]);
    assert.ok(!memory.has(longer, 3, longer.length - 3, 5000), 'one octet more');
  }
});

test('a thousand frames in a second are all known, and a flood forgets the oldest first', () => {
  const memory = new EchoMemory();
  const frames = Array.from({ length: 1000 }, () => randomBytes(60));
  for (const frame of frames) memory.add(frame, 0, 60, 0);
  // Four frames fit where, on average, one is.
  const known = frames.filter((frame) => memory.has(frame, 0, 60, 500)).length;
  assert.ok(known >= 980, `${known} of 1000`);
  for (let n = 0; n < 100_000; n++) memory.add(randomBytes(60), 0, 60, 600);
  assert.ok(frames.filter((frame) => memory.has(frame, 0, 60, 700)).length <= 20);
  const last = randomBytes(60);
  memory.add(last, 0, 60, 700);
  assert.ok(memory.has(last, 0, 60, 700));
});
