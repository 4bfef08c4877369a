import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canBeUser, hasEntry, removeEntry, setEntry } from './htpasswd-edit.ts';
import { parseHtpasswd } from './htpasswd-file.ts';

const HASH = '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

test('a known user keeps the line, its third field and its line end; the others are untouched', () => {
  const text = '# people\r\nada:old:Ada\r\n\r\nbob:plain\r\nada:older';
  assert.equal(setEntry(text, 'ada', HASH), `# people\r\nada:${HASH}:Ada\r\n\r\nbob:plain\r\nada:older`);
  assert.equal(setEntry(text, 'bob', '$&$1'), '# people\r\nada:old:Ada\r\n\r\nbob:$&$1\r\nada:older');
});

test('a new user comes last, on a line of its own, with the line end of the file', () => {
  assert.equal(setEntry('', 'ada', HASH), `ada:${HASH}\n`);
  assert.equal(setEntry('bob:x', 'ada', HASH), `bob:x\nada:${HASH}\n`);
  assert.equal(setEntry('bob:x\r\n', 'ada', HASH), `bob:x\r\nada:${HASH}\r\n`);
});

test('every line of a removed user goes', () => {
  assert.equal(removeEntry('ada:x\n#ada:c\nbob:y\n ada:z', 'ada'), '#ada:c\nbob:y\n');
});

test('names', () => {
  for (const user of ['ada', 'ada@example.org', 'Ada Lovelace', 'ü', '__proto__']) assert.ok(canBeUser(user), user);
  for (const user of ['', ' ada', 'ada ', '#ada', 'a:b', 'a\nb', 'a\0', 'x'.repeat(256)])
    assert.ok(!canBeUser(user), user);
});

test('what is set is what the switch reads, and every other entry is as before', () => {
  const line = fc.oneof(
    fc.constantFrom('', '# note', `ada:${HASH}`, `bob:${HASH}`, 'ada:plain', 'eve', ':x', `bob:${HASH}:third`),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  const file = fc
    .tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n'))
    .map(([lines, end]) => lines.join(end));
  const property = fc.property(file, fc.constantFrom('ada', 'carl'), (text, user) => {
    const before = parseHtpasswd(text).entries;
    const changed = setEntry(text, user, HASH.replace('$05$', '$06$'));
    const after = parseHtpasswd(changed).entries;
    assert.equal(after.get(user)?.text, HASH.replace('$05$', '$06$'));
    for (const [other, hash] of before) if (other !== user) assert.deepEqual(after.get(other), hash);
    const removed = removeEntry(changed, user);
    assert.ok(!hasEntry(removed, user));
    assert.equal(parseHtpasswd(removed).entries.has(user), false);
  });
  fc.assert(property, { seed: 20_240_605, numRuns: 5_000 });
});
