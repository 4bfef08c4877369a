import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { FairTaskQueue } from '../runtime/fair-task-queue.ts';
import type { Authenticator, Credentials, Verdict } from './authenticator.ts';
import { LoginGuard, type LoginGuardOptions } from './login-guard.ts';

const BASIC = 'Basic YTpi';

/** Admits the password `right`, and counts questions. */
class Inner implements Authenticator {
  readonly challenge = 'Basic realm=etherws';
  asked = 0;
  isClosed = false;

  authenticate({ authorization, clientChain }: Credentials): Promise<Verdict> {
    this.asked++;
    if (authorization === undefined && clientChain?.[0]?.subject === 'CN=valid') {
      return Promise.resolve({ isAllowed: true, user: 'valid' });
    }
    if (authorization === undefined) return Promise.resolve({ isAllowed: false, reason: 'missing' });
    const isRight = authorization.endsWith('right');
    return Promise.resolve(isRight ? { isAllowed: true, user: 'ada' } : { isAllowed: false, reason: 'wrong' });
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

/** A tasks that needs no timer, since those of a test stand still. */
function restless(): FairTaskQueue {
  return new FairTaskQueue({
    now: () => 0,
    schedule: (turn, settled) => {
      setImmediate(turn);
      setImmediate(settled);
    },
  });
}

function setUp(
  t: TestContext,
  options: LoginGuardOptions = {},
): {
  guard: LoginGuard;
  inner: Inner;
  ask: (address: string, header?: string) => Promise<Verdict>;
  tick: (ms: number) => void;
} {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  const inner = new Inner();
  const guard = new LoginGuard(inner, { now: () => nowMs, random: () => 0.5, tasks: restless(), ...options });
  return {
    guard,
    inner,
    ask: (remoteAddress, authorization = BASIC) => guard.authenticate({ authorization, remoteAddress }),
    tick: (ms) => {
      nowMs += ms;
      t.mock.timers.tick(ms);
    },
  };
}

/** Whether a promise is settled once everything that can happen now has happened. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  return settled;
}

describe('a guard of logins', () => {
  test('each failure of an address is answered later than the one before, up to a bound', async (t) => {
    const { ask, tick, guard } = setUp(t, { forgetMs: 1e9 });
    for (const delayMs of [300, 600, 1200, 2000, 2000]) {
      const answer = ask('192.0.2.1');
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      tick(delayMs - 1);
      assert.equal(await isSettled(answer), false, `before ${delayMs} ms`);
      tick(1);
      assert.deepEqual(await answer, { isAllowed: false, reason: 'wrong' });
    }
    assert.equal(guard.counters.failedLogins, 5);
  });

  test('what failed together is not answered together', async (t) => {
    const drawn = [0, 0.999];
    const { ask, tick } = setUp(t, { random: () => drawn.shift() ?? 0 });
    const answers = ['192.0.2.1', '192.0.2.2'].map((address) => ask(address));
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    tick(150);
    assert.equal((await answers[0])?.isAllowed, false);
    tick(298);
    assert.equal(await isSettled(answers[1] ?? Promise.resolve()), false);
    tick(2);
    assert.equal((await answers[1])?.isAllowed, false);
  });

  test('a right password does not wait, and no password is no failure', async (t) => {
    const { ask, guard } = setUp(t);
    assert.deepEqual(await ask('192.0.2.1', 'Basic right'), { isAllowed: true, user: 'ada' });
    const nothing = guard.authenticate({ authorization: undefined, remoteAddress: '192.0.2.1' });
    assert.deepEqual(await nothing, { isAllowed: false, reason: 'missing' });
    assert.equal(guard.counters.failedLogins, 0);
  });

  test('beyond the bound an address is not looked at until a failure is forgotten; others are', async (t) => {
    const { ask, tick, inner, guard } = setUp(t, { failuresPerAddress: 3, forgetMs: 5000 });
    const answers = [ask('192.0.2.1'), ask('192.0.2.1'), ask('192.0.2.1')];
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    tick(1200);
    await Promise.all(answers);
    assert.equal(inner.asked, 3);
    assert.deepEqual(await ask('192.0.2.1', 'Basic right'), { isAllowed: false, reason: 'throttled' });
    assert.deepEqual(await ask('::ffff:192.0.2.1', 'Basic right'), { isAllowed: false, reason: 'throttled' });
    assert.equal(inner.asked, 3);
    assert.equal(guard.counters.throttledLogins, 2);
    assert.equal((await ask('192.0.2.2', 'Basic right')).isAllowed, true);
    assert.equal((await ask('192.0.2.1', 'Bearer right')).isAllowed, true, 'a token cannot be guessed');
    tick(5000);
    assert.equal((await ask('192.0.2.1', 'Basic right')).isAllowed, true);
  });

  test('what it remembers has a bound', async (t) => {
    const { ask, tick } = setUp(t, { failuresPerAddress: 1, maxAddresses: 2, forgetMs: 1e9 });
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      const answer = ask(address);
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      tick(2000);
      await answer;
    }
    assert.equal((await ask('192.0.2.1', 'Basic right')).isAllowed, true, 'the oldest was forgotten');
    assert.equal((await ask('192.0.2.3', 'Basic right')).isAllowed, false);
  });

  test('closing it answers what waits, and closes what is behind it', async (t) => {
    const { ask, guard, inner } = setUp(t);
    const answer = ask('192.0.2.1');
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    await guard.close();
    assert.deepEqual(await answer, { isAllowed: false, reason: 'wrong' });
    assert.ok(inner.isClosed);
  });

  test('beyond the bound a certificate is looked at, and the password beside it is not', async (t) => {
    const { guard, ask } = setUp(t, { failuresPerAddress: 1 });
    const failed = ask('192.0.2.1');
    await new Promise(setImmediate);
    t.mock.timers.tick(10_000);
    assert.equal((await failed).isAllowed, false);
    const withCertificate = (subject: string): Promise<Verdict> =>
      guard.authenticate({
        authorization: 'Basic right',
        remoteAddress: '192.0.2.1',
        clientChain: [{ subject } as X509Certificate],
      });
    assert.deepEqual(await withCertificate('CN=valid'), { isAllowed: true, user: 'valid' });
    assert.deepEqual(await withCertificate('CN=expired'), { isAllowed: false, reason: 'throttled' });
  });
});
