import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isUserName, parseHtpasswd } from './htpasswd-file.ts';
import { readPasswordHash } from './password-hash.ts';

const SHA_SECRET = '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=';
const BCRYPT = '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
const APR1 = '$apr1$saltsalt$7kVXLCZIRlPZB0mVLd2Ml0';
const SHA512 = `$6$saltsalt$${'a'.repeat(86)}`;

function messages(text: string): string[] {
  return parseHtpasswd(text).problems.map(({ line, message }) => `${line}: ${message}`);
}

test('comments, blank lines, CRLF, a byte order mark and a third field are no obstacle', () => {
  const text = `\uFEFF# people\r\n\r\n  ada:${SHA_SECRET}\r\n\t# more\nbob:${BCRYPT}:Bob\n\n  eve:${APR1}  `;
  const { entries, problems } = parseHtpasswd(text);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    [...entries].map(([user, hash]) => [user, hash.kind, hash.text]),
    [
      ['ada', 'sha1', SHA_SECRET],
      ['bob', 'bcrypt', BCRYPT],
      ['eve', 'apr1', APR1],
    ],
  );
});

test('the first line with a name counts, also when it is refused', () => {
  const { entries } = parseHtpasswd(`ada:${BCRYPT}\nada:${APR1}\nbob:plain\nbob:${APR1}\n`);
  assert.deepEqual([...entries.keys()], ['ada']);
  assert.equal(entries.get('ada')?.kind, 'bcrypt');
  assert.deepEqual(messages(`ada:${BCRYPT}\n\nada:${APR1}`), [
    '3: user ada stands in line 1 already, and the first line counts',
  ]);
});

test('a refused line is reported with its number, never with its text, and locks out no other user', () => {
  const text = `secret-without-colon\nada:hunter2\n:${BCRYPT}\na\tb:${BCRYPT}\nbob:\neve:${SHA512}`;
  assert.deepEqual([...parseHtpasswd(text).entries.keys()], ['eve']);
  assert.deepEqual(messages(text), [
    '1: there is no colon between a user name and a hash',
    '2: user ada: plain text and DES crypt are not accepted; make a hash with etherws passwd, or htpasswd -B',
    '3: the user name is empty, is not UTF-8, or holds control characters',
    '4: the user name is empty, is not UTF-8, or holds control characters',
    '5: user bob: there is no hash behind the user name',
  ]);
  assert.ok(!messages(text).join().includes('hunter2'));
  assert.ok(!messages(text).join().includes('secret-without'));
});

test('a cost that would hold the worker for minutes is refused', () => {
  const sha = (rounds: string): string => `$5$${rounds}saltsalt$${'a'.repeat(43)}`;
  const cases: readonly (readonly [string, RegExp | undefined])[] = [
    [BCRYPT.replace('$05$', '$17$'), undefined],
    [BCRYPT.replace('$05$', '$18$'), /cost 18 is outside 4\.\.17/],
    [BCRYPT.replace('$05$', '$03$'), /cost 3 is outside/],
    [sha(''), undefined],
    [sha('rounds=1000$'), undefined],
    [sha('rounds=5000000$'), undefined],
    [sha('rounds=5000001$'), /rounds=5000001 is outside 1000\.\.5000000/],
    [sha('rounds=999$'), /rounds=999 is outside/],
  ];
  for (const [text, problem] of cases) {
    const reading = readPasswordHash(text);
    if (problem === undefined) assert.ok('kind' in reading, text);
    else assert.match('problem' in reading ? reading.problem : '', problem);
  }
});

test('each refusal says what it is about', () => {
  const refusal = (text: string): string => {
    const reading = readPasswordHash(text);
    return 'problem' in reading ? reading.problem : '';
  };
  assert.match(refusal('$1$salt$hash'), /kind \$1\$ are not supported/);
  assert.match(refusal('$argon2id$v=19$x'), /kind \$argon2id\$ are not supported/);
  assert.match(refusal(BCRYPT.slice(0, -1)), /cut off/);
  assert.match(refusal('{SHA}abc'), /cut off/);
  assert.match(refusal('$ecret$tuff$'), /plain text/);
});

/** Pieces of real files in any order, so that the cases come close to valid. */
const pieces = fc.constantFrom(
  ...['ada', 'bob', ':', '::', '#', '\n', '\r\n', '\r', ' ', '\t', '\uFEFF', '\uFFFD', '\0', '$', 'rounds='],
  ...[SHA_SECRET, BCRYPT, APR1, SHA512, `ada:${APR1}\n`, '$2y$', '$apr1$', '$6$', '{SHA}', '99999999999', '__proto__'],
);
const texts = fc.oneof(
  fc
    .array(fc.oneof(pieces, fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 24 })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

test('whatever the file holds, parsing answers; what it accepts is well-formed', () => {
  const property = fc.property(texts, (text) => {
    const { entries, problems } = parseHtpasswd(text);
    const lineCount = text.split('\n').length;
    assert.ok(entries.size + problems.length <= lineCount);
    for (const { line } of problems) assert.ok(line >= 1 && line <= lineCount);
    for (const [user, hash] of entries) {
      assert.ok(isUserName(user));
      assert.deepEqual(readPasswordHash(hash.text), hash);
    }
  });
  fc.assert(property, { seed: 20_240_601, numRuns: 25_000 });
});

test('users with good lines get in, whatever stands around them', () => {
  const user = fc.stringMatching(/^[a-z]{1,8}$/);
  const noise = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll(/[\r\n]/g, ''));
  const property = fc.property(
    fc.uniqueArray(user, { maxLength: 6 }),
    fc.array(noise, { maxLength: 6 }),
    (users, lines) => {
      const mixed = users.flatMap((name, index) => [`${name}:${BCRYPT}`, `Z${lines[index] ?? ''}`]);
      const { entries } = parseHtpasswd(mixed.join('\n'));
      for (const name of users) assert.equal(entries.get(name)?.text, BCRYPT);
    },
  );
  fc.assert(property, { seed: 20_240_602, numRuns: 5_000 });
});
