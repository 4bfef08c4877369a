import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LoginCodes } from './login-codes.ts';

const PLACE = { url: 'http://localhost:7867/console/', controlPath: '/ctl' };

describe('LoginCodes', () => {
  test('a code is for its caller, once', async () => {
    const codes = new LoginCodes(() => PLACE);
    const caller = { user: 'ada' };
    const { code, ...others } = codes.create(caller);
    assert.deepEqual(others, { expiresSeconds: 60, ...PLACE });
    const [first, second] = await Promise.all([codes.redeem(code), codes.redeem(code)]);
    assert.equal(first, caller);
    assert.equal(second, undefined);
    assert.equal(await codes.redeem(''), undefined);
  });

  test('it expires after a minute', async () => {
    let nowMs = 0;
    const codes = new LoginCodes(
      () => PLACE,
      () => nowMs,
    );
    const [early, late] = [codes.create({ user: 'ada' }), codes.create({ user: 'ada' })];
    nowMs = 59_999;
    assert.equal((await codes.redeem(early.code))?.user, 'ada');
    nowMs = 60_000;
    assert.equal(await codes.redeem(late.code), undefined);
  });

  test('it is not valid longer than the credentials of its caller', async () => {
    const codes = new LoginCodes(() => PLACE);
    const deleted = codes.create({ user: 'ada', isStillValid: async () => false });
    const expired = codes.create({ user: 'ada', untilMs: Date.now() - 1 });
    assert.equal(await codes.redeem(deleted.code), undefined);
    assert.equal(await codes.redeem(expired.code), undefined);
  });

  test('of more than 8 unused ones of a user, or 1024 of all, the oldest is not valid any more', async () => {
    const codes = new LoginCodes(() => PLACE);
    const other = codes.create({ user: 'bob' }).code;
    const made = Array.from({ length: 9 }, () => codes.create({ user: 'ada' }).code);
    assert.equal(await codes.redeem(made[0] ?? ''), undefined);
    assert.equal((await codes.redeem(made[1] ?? ''))?.user, 'ada');
    assert.equal((await codes.redeem(other))?.user, 'bob', 'those of others stay');
    const many = Array.from({ length: 1025 }, (_, user) => codes.create({ user: String(user) }).code);
    assert.equal(await codes.redeem(many[0] ?? ''), undefined);
    assert.equal((await codes.redeem(many[1] ?? ''))?.user, '1');
  });
});
