import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { htpasswdLine } from '../../test/support/htpasswd-tool.ts';
import { openssl } from '../../test/support/openssl.ts';
import { missingTools } from '../../test/support/tools.ts';
import { type HashKind, type PasswordHash, readPasswordHash } from './password-hash.ts';
import { verifyPassword } from './verify-password.ts';

function read(text: string): PasswordHash {
  const reading = readPasswordHash(text);
  assert.ok('kind' in reading, `${text} was refused: ${'problem' in reading ? reading.problem : ''}`);
  return reading;
}

/** The lengths around which the algorithms change their ways: blocks of 16, 32 and 64 octets, and bcrypt's 72. */
const LENGTHS = [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 71, 72, 73, 96, 128, 200];

describe("what Apache's htpasswd writes", { skip: missingTools('htpasswd') }, () => {
  const formats: readonly (readonly [HashKind, readonly string[]])[] = [
    ['sha1', ['-s']],
    ['bcrypt', ['-B', '-C', '4']],
    ['apr1', ['-m']],
    ['sha256-crypt', ['-2']],
    ['sha256-crypt', ['-2', '-r', '1000']],
    ['sha512-crypt', ['-5']],
    ['sha512-crypt', ['-5', '-r', '10000']],
  ];
  for (const [kind, flags] of formats) {
    test(`${flags.join(' ')} is ${kind}: right and wrong passwords, colons and UTF-8`, () => {
      for (const password of ['secret', 'with:colon:s', 'Grüße, 世界', ' spaces inside and around ', 'x'.repeat(64)]) {
        const hash = read(htpasswdLine(flags, 'ada', password).slice('ada:'.length));
        assert.equal(hash.kind, kind);
        assert.ok(verifyPassword(password, hash), password);
        assert.ok(!verifyPassword(`${password.slice(0, -1)}~`, hash));
        assert.ok(!verifyPassword('', hash));
      }
    });
  }

  for (const flags of ['-d', '-p']) {
    test(`${flags} is refused and the text is not repeated`, () => {
      const text = htpasswdLine([flags], 'ada', 'secret').slice('ada:'.length);
      const reading = readPasswordHash(text);
      assert.ok('problem' in reading);
      assert.match(reading.problem, /htpasswd -B/);
      assert.ok(!reading.problem.includes(text));
    });
  }
});

describe('what openssl passwd writes', { skip: missingTools('openssl') }, () => {
  for (const flag of ['-apr1', '-5', '-6']) {
    test(`${flag}: passwords of every length at which the algorithm turns`, () => {
      const passwords = LENGTHS.map((length) => 'correct horse battery staple '.repeat(8).slice(0, length));
      for (const salt of ['a', 'saltsalt']) {
        const hashes = openssl(['passwd', flag, '-salt', salt, '-stdin'], `${passwords.join('\n')}\n`)
          .trim()
          .split('\n');
        assert.equal(hashes.length, passwords.length);
        for (const [index, password] of passwords.entries()) {
          assert.ok(verifyPassword(password, read(hashes[index] ?? '')), `${flag} ${password.length}`);
        }
      }
    });
  }
});

test('published test vectors of SHA-crypt', () => {
  // Drepper's specification, the vectors whose salt is in its final form.
  const vectors = [
    ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
    [
      'Hello world!',
      '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
    ],
  ] as const;
  for (const [password, text] of vectors) {
    assert.ok(verifyPassword(password, read(text)), text);
  }
});

test('bcrypt with each prefix, and with a salt whose unused bits are set', () => {
  // OpenBSD's vector for the password U*U; the last character of the salt carries four unused bits.
  const tail = 'CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
  for (const prefix of ['$2a$05$', '$2b$05$', '$2y$05$']) {
    assert.ok(verifyPassword('U*U', read(prefix + tail)));
    assert.ok(!verifyPassword('U*V', read(prefix + tail)));
  }
  assert.ok(verifyPassword('U*U', read(`$2y$05$${tail.replace('C.E5', 'C/E5')}`)));
});

test('a hash that its algorithm cannot take matches nothing', () => {
  for (const kind of ['sha1', 'bcrypt', 'apr1', 'sha256-crypt', 'sha512-crypt'] as const) {
    for (const text of ['', '$', '$2y$99$', '$2y$10$short', '{SHA}', '$apr1$', '$5$', '$6$rounds=x$']) {
      assert.equal(verifyPassword('secret', { kind, text }), false);
    }
  }
});
