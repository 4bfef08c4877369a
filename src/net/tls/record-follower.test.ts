import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecordFollower } from './record-follower.ts';

const record = fc
  .tuple(fc.constantFrom(20, 21, 22, 23), fc.uint8Array({ maxLength: 300 }))
  .map(([type, content]) => Buffer.from([type, 3, 3, content.length >> 8, content.length & 0xff, ...content]));

test('wherever a stream is cut, what is given ends where a record ends, and nothing is lost', () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 0, max: 4 }).map((length) => Buffer.from([23, 3, 3, 1]).subarray(0, length)),
      fc.array(fc.integer({ min: 1, max: 400 })),
      (records, beginning, cuts) => {
        const whole = Buffer.concat(records);
        const stream = Buffer.concat([whole, beginning]);
        const ends = new Set(records.map((_, index) => Buffer.concat(records.slice(0, index + 1)).length));
        const follower = new RecordFollower();
        let given: Buffer = Buffer.alloc(0);
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const end = Math.min(stream.length, at + (cuts[cut] ?? 50));
          given = Buffer.concat([given, follower.follow(stream.subarray(at, end))]);
          assert.ok(given.length === 0 || ends.has(given.length));
          at = end;
        }
        assert.ok(given.equals(whole));
        assert.ok(follower.last?.equals(records.at(-1) ?? whole));
        assert.ok(follower.partial.equals(beginning));
      },
    ),
  );
});

test('what is no stream of records passes, and nothing of it is kept', () => {
  const follower = new RecordFollower();
  assert.equal(follower.follow(Buffer.from([22, 3, 3])).length, 0);
  assert.equal(follower.follow(Buffer.from([0xff, 0xff])).length, 5);
  assert.equal(String(follower.follow(Buffer.from('x'))), 'x');
  assert.equal(follower.last, undefined);
  assert.equal(follower.partial.length, 0);
  assert.equal(String(new RecordFollower().follow(Buffer.from('GET'))), 'GET', 'a request without TLS waits');
});
