import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Caller } from '../control/caller-check.ts';
import { Sessions } from './sessions.ts';

const HOUR_MS = 60 * 60_000;

/** Sessions with a clock, and with callers whose WebSocket is open. */
function opened() {
  const state = { nowMs: 0, ended: [] as (string | null)[], inUse: new Set<Caller>() };
  const sessions = new Sessions({
    now: () => state.nowMs,
    isInUse: (caller) => state.inUse.has(caller),
    onEnd: ({ user }) => state.ended.push(user),
  });
  return { sessions, state };
}

describe('Sessions', () => {
  test('a session ends when nothing has used it for an hour', async () => {
    const { sessions, state } = opened();
    const id = sessions.open({ user: 'ada' });
    state.nowMs = HOUR_MS - 1;
    assert.equal((await sessions.callerOf(id))?.user, 'ada');
    state.nowMs = 2 * HOUR_MS - 2;
    assert.equal((await sessions.callerOf(id))?.user, 'ada', 'each use counts');
    state.nowMs = 3 * HOUR_MS;
    assert.equal(await sessions.callerOf(id), undefined);
    assert.deepEqual(state.ended, ['ada']);
    sessions.close();
  });

  test('a page that is open keeps it, for seven days at most', async () => {
    const { sessions, state } = opened();
    const id = sessions.open({ user: 'ada' });
    const caller = await sessions.callerOf(id);
    assert.ok(caller !== undefined);
    state.inUse.add(caller);
    assert.equal(caller.untilMs, 7 * 24 * HOUR_MS);
    state.nowMs = 7 * 24 * HOUR_MS - 1;
    assert.equal(await sessions.callerOf(id), caller);
    state.nowMs++;
    assert.equal(await sessions.callerOf(id), undefined);
    assert.equal(await caller.isStillValid?.(), false, 'so its WebSocket ends, too');
  });

  test('it ends with the token that it was opened by', async () => {
    const { sessions, state } = opened();
    const id = sessions.open({ user: 'ada', untilMs: 1000 });
    state.nowMs = 999;
    assert.equal((await sessions.callerOf(id))?.untilMs, 1000);
    state.nowMs = 1000;
    assert.equal(await sessions.callerOf(id), undefined);
  });

  test('it is for the user of this host that opened it', async () => {
    const { sessions } = opened();
    const id = sessions.open({ user: 'ada' }, 1000);
    assert.equal(await sessions.callerOf(id, 1001), undefined);
    assert.equal(await sessions.callerOf(id), undefined);
    assert.equal((await sessions.callerOf(id, 1000))?.user, 'ada');
    sessions.close();
  });

  test('a login that it makes outlives it, but not its time', async () => {
    const { sessions, state } = opened();
    const id = sessions.open({ user: 'ada', isStillValid: async () => true });
    const caller = await sessions.callerOf(id);
    assert.ok(caller !== undefined);
    const login = sessions.loginOf(caller);
    sessions.end(id);
    assert.equal(await caller.isStillValid?.(), false);
    assert.equal(await login.isStillValid?.(), true);
    state.nowMs = HOUR_MS;
    const second = sessions.open(login);
    assert.equal((await sessions.callerOf(second))?.untilMs, 7 * 24 * HOUR_MS);
    sessions.close();
  });

  test('of 1024 sessions the one that was idle longest ends for another, unless a page of it is open', async () => {
    const { sessions, state } = opened();
    const ids = Array.from({ length: 1024 }, (_, index) => sessions.open({ user: `u${index}` }));
    const [first = '', , third = ''] = ids;
    const caller = await sessions.callerOf(third);
    assert.ok(caller !== undefined);
    await sessions.callerOf(first);
    sessions.open({ user: 'new' });
    assert.deepEqual(state.ended, ['u1']);
    assert.equal(sessions.size, 1024);
    sessions.close();
  });
});
