import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { htpasswdLine } from '../../test/support/htpasswd-tool.ts';
import { missingTools } from '../../test/support/tools.ts';
import type { Logger } from '../observability/logger.ts';
import type { Verdict } from './authenticator.ts';
import type { HashVerdict, PasswordVerifier } from './hash-verifier.ts';
import { HtpasswdAuthenticator, type HtpasswdOptions } from './htpasswd.ts';
import type { PasswordHash } from './password-hash.ts';
import { verifyPassword } from './verify-password.ts';

/** {SHA} of `secret`, bcrypt of `U*U`, and a second {SHA}, of `other` */
const SHA_SECRET = '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=';
const BCRYPT = '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
const SHA_OTHER = `{SHA}${createHash('sha1').update('other').digest('base64')}`;

const WRONG: Verdict = { isAllowed: false, reason: 'wrong' };
const BUSY: Verdict = { isAllowed: false, reason: 'busy' };

/** Verifies at once and notes what it was asked: the test counts hashes, not milliseconds. */
class CountingVerifier implements PasswordVerifier {
  readonly asked: PasswordHash[] = [];
  verdict: HashVerdict | undefined;
  isClosed = false;

  verify(password: string, hash: PasswordHash): Promise<HashVerdict> {
    this.asked.push(hash);
    return Promise.resolve(this.verdict ?? (verifyPassword(password, hash) ? 'match' : 'mismatch'));
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

interface Fixture {
  readonly path: string;
  readonly verifier: CountingVerifier;
  readonly authenticator: HtpasswdAuthenticator;
  ask(user: string, password: string): Promise<Verdict>;
}

function temporaryPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-auth-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'htpasswd');
}

async function fixture(t: TestContext, content: string, options: Partial<HtpasswdOptions> = {}): Promise<Fixture> {
  const path = temporaryPath(t);
  writeFileSync(path, content);
  const verifier = new CountingVerifier();
  const settings = { realm: 'etherws', verifier, recheckMs: 0, ...options };
  const authenticator = await HtpasswdAuthenticator.open(path, settings);
  t.after(() => authenticator.close());
  return { path, verifier, authenticator, ask: (user, password) => ask(authenticator, user, password) };
}

function ask(authenticator: HtpasswdAuthenticator, user: string, password: string): Promise<Verdict> {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return authenticator.authenticate({ authorization, remoteAddress: '192.0.2.1' });
}

test('the challenge has the octets of 1.x', async (t) => {
  assert.equal((await fixture(t, `ada:${SHA_SECRET}`)).authenticator.challenge, 'Basic realm=etherws');
  const quoted = await fixture(t, `ada:${SHA_SECRET}`, { realm: 'a "b"' });
  assert.equal(quoted.authenticator.challenge, 'Basic realm="a \\"b\\""');
});

test('right, wrong, missing, unreadable, and of another scheme', async (t) => {
  const { authenticator, ask } = await fixture(t, `ada:${SHA_SECRET}\nbob:${BCRYPT}\n`);
  assert.deepEqual(await ask('ada', 'secret'), { isAllowed: true, user: 'ada' });
  assert.deepEqual(await ask('bob', 'U*U'), { isAllowed: true, user: 'bob' });
  assert.deepEqual(await ask('ada', 'U*U'), WRONG);
  assert.deepEqual(await ask('eve', 'secret'), WRONG);
  assert.deepEqual(await ask('', ''), WRONG);
  const remoteAddress = '192.0.2.1';
  const answer = (authorization?: string): Promise<Verdict> =>
    authenticator.authenticate({ authorization, remoteAddress });
  const missing: Verdict = { isAllowed: false, reason: 'missing' };
  for (const header of [undefined, 'Bearer abc', 'Digest x']) assert.deepEqual(await answer(header), missing);
  for (const header of ['', 'Basic', 'Basic !']) assert.deepEqual(await answer(header), WRONG);
});

test('names of objects are not users', async (t) => {
  const { ask } = await fixture(t, `ada:${SHA_SECRET}`);
  for (const name of ['__proto__', 'constructor', 'toString']) assert.deepEqual(await ask(name, 'secret'), WRONG);
});

test('an unknown user costs one hash of a kind that stands in the file, the same kind each time', async (t) => {
  const { ask, verifier } = await fixture(t, `ada:${SHA_SECRET}\nbob:${BCRYPT}\n`);
  const kinds = new Set<string>();
  for (let index = 0; index < 40; index++) {
    verifier.asked.length = 0;
    await ask(`nobody${index}`, 'a');
    await ask(`nobody${index}`, 'b');
    assert.equal(verifier.asked.length, 2);
    assert.equal(verifier.asked[0], verifier.asked[1]);
    kinds.add(verifier.asked[0]?.kind ?? '');
  }
  assert.deepEqual([...kinds].sort(), ['bcrypt', 'sha1']);
});

test('an unknown user is wrong even with the password of the entry that stands in', async (t) => {
  const { ask, verifier } = await fixture(t, `ada:${SHA_SECRET}\n`);
  assert.deepEqual(await ask('nobody', 'secret'), WRONG);
  assert.deepEqual(await ask('nobody', 'secret'), WRONG);
  assert.equal(verifier.asked.length, 2);
});

test('a user whose line was refused costs a hash as well', async (t) => {
  const { ask, verifier } = await fixture(t, `ada:${SHA_SECRET}\nbob:plain\n`);
  assert.deepEqual(await ask('bob', 'plain'), WRONG);
  assert.equal(verifier.asked.length, 1);
});

test('a success is remembered, a failure is not', async (t) => {
  const { ask, verifier } = await fixture(t, `ada:${SHA_SECRET}\n`);
  for (let index = 0; index < 5; index++) await ask('ada', 'secret');
  assert.equal(verifier.asked.length, 1);
  for (let index = 0; index < 5; index++) await ask('ada', 'wrong');
  assert.equal(verifier.asked.length, 6);
});

test('a thousand clients that come back at once with the same credentials cost one hash', async (t) => {
  const { ask, verifier } = await fixture(t, `ada:${SHA_SECRET}\n`);
  const verdicts = await Promise.all(Array.from({ length: 1000 }, () => ask('ada', 'secret')));
  assert.ok(verdicts.every((verdict) => verdict.isAllowed));
  assert.equal(verifier.asked.length, 1);
});

test('busy is passed on and not remembered', async (t) => {
  const { ask, verifier } = await fixture(t, `ada:${SHA_SECRET}\n`);
  verifier.verdict = 'busy';
  assert.deepEqual(await ask('ada', 'secret'), BUSY);
  verifier.verdict = undefined;
  assert.deepEqual(await ask('ada', 'secret'), { isAllowed: true, user: 'ada' });
});

test('a changed password and a removed user count at once, in spite of the memory', async (t) => {
  const { ask, path } = await fixture(t, `ada:${SHA_SECRET}\nbob:${BCRYPT}\n`);
  assert.equal((await ask('ada', 'secret')).isAllowed, true);
  assert.equal((await ask('bob', 'U*U')).isAllowed, true);
  writeFileSync(`${path}.new`, `ada:${SHA_OTHER}\n`);
  renameSync(`${path}.new`, path);
  assert.deepEqual(await ask('ada', 'secret'), WRONG);
  assert.deepEqual(await ask('ada', 'other'), { isAllowed: true, user: 'ada' });
  assert.deepEqual(await ask('bob', 'U*U'), WRONG);
});

test('a file that became invalid keeps the old entries in force', async (t) => {
  const { ask, path } = await fixture(t, `ada:${SHA_SECRET}\n`);
  writeFileSync(path, 'ada:plain\n');
  assert.equal((await ask('ada', 'secret')).isAllowed, true);
  writeFileSync(path, `ada:${SHA_OTHER}\n`);
  assert.equal((await ask('ada', 'secret')).isAllowed, false);
});

test('a file that admits no user is refused with its first problem and what to do', async (t) => {
  const path = temporaryPath(t);
  for (const [content, problem] of [
    ['', /admits no user: it holds no entry/],
    ['# empty\n', /admits no user: it holds no entry/],
    ['\nada:hunter2\n', /:2: user ada: plain text/],
  ] as const) {
    writeFileSync(path, content);
    const opening = HtpasswdAuthenticator.open(path, { realm: 'etherws' });
    await assert.rejects(opening, {
      code: 'HTPASSWD_INVALID',
      message: problem,
      hint: `Add a user with: etherws passwd ${path} USER`,
    });
  }
});

test('refused lines are logged with file and line, ten of them, and no hash', async (t) => {
  const lines: string[] = [];
  const log = (_fields: object, message: string): void => {
    lines.push(message);
  };
  const logger: Logger = { debug: log, info: log, warn: log, error: log, isLevelEnabled: () => true };
  const bad = Array.from({ length: 15 }, (_, index) => `user${index}:hunter2`).join('\n');
  const { path } = await fixture(t, `ada:${SHA_SECRET}\n${bad}\n`, { logger });
  assert.equal(lines.length, 11);
  assert.match(lines[0] ?? '', new RegExp(`^${path}:2: user user0: plain text`));
  assert.match(lines[10] ?? '', /5 more lines/);
  assert.ok(!lines.join().includes('hunter2'));
});

test('close: no user is admitted any more, and a shared verifier stays open', async (t) => {
  const { ask, authenticator, verifier } = await fixture(t, `ada:${SHA_SECRET}\n`);
  assert.equal((await ask('ada', 'secret')).isAllowed, true);
  await authenticator.close();
  assert.deepEqual(await ask('ada', 'secret'), BUSY);
  assert.equal(verifier.isClosed, false);
});

test('a file that htpasswd wrote, in every format, through the real worker', {
  skip: missingTools('htpasswd'),
}, async (t) => {
  const formats = { sha: '-s', bcrypt: '-B', apr1: '-m', sha256: '-2', sha512: '-5' };
  const path = temporaryPath(t);
  const users = Object.entries(formats);
  writeFileSync(path, users.map(([user, flag]) => htpasswdLine([flag], user, `pass:${user} ü`)).join('\n'));
  const authenticator = await HtpasswdAuthenticator.open(path, { realm: 'etherws' });
  t.after(() => authenticator.close());
  for (const [user] of users) {
    assert.deepEqual(await ask(authenticator, user, `pass:${user} ü`), { isAllowed: true, user });
    assert.deepEqual(await ask(authenticator, user, `pass:${user} u`), WRONG);
  }
});
