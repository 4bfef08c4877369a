import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import WebSocket from 'ws';
import { startFakeControl } from '../../test/support/fake-switch.ts';
import { once, until } from '../../test/support/waits.ts';
import { ALLOW_ALL, type Authenticator, type Verdict } from '../auth/authenticator.ts';

/** The reasons for which the switch ends a WebSocket of the control API. The test drives the clock of its checks. */

const PING_INTERVAL_MS = 30_000;
const HOUR_MS = 3_600_000;

interface Kept {
  readonly webSocket: WebSocket;
  readonly closed: Promise<unknown[]>;
  /** Resolves after that many pings of the switch, when the switch has read the pong. */
  pinged(count: number): Promise<void>;
}

/** @param method the method of its first call */
async function open(
  t: TestContext,
  options: Parameters<typeof startFakeControl>[0],
  { method = 'subscribe', answersPings = true } = {},
): Promise<Kept> {
  const control = await startFakeControl(options);
  t.after(() => control.close());
  const webSocket = new WebSocket(control.url.replace('http', 'ws'), { autoPong: answersPings });
  t.after(() => webSocket.terminate());
  let pings = 0;
  webSocket.on('ping', () => {
    pings++;
  });
  await once(webSocket, 'open');
  const call = async (name: string): Promise<void> => {
    const answered = once(webSocket, 'message');
    webSocket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: `etherws.control.${name}`, params: {} }));
    await answered;
  };
  await call(method);
  const closed = once(webSocket, 'close').then(([code, reason]) => [code, String(reason)]);
  // Without a handler, a rejection before a test awaits it would be unhandled.
  closed.catch(() => undefined);
  const pinged = async (count: number): Promise<void> => {
    await until(() => pings === count || webSocket.readyState !== WebSocket.OPEN);
    assert.equal(webSocket.readyState, WebSocket.OPEN);
    await call('listFdb');
  };
  return { webSocket, closed, pinged };
}

/** Advances the switch's clock by 30 s. */
function pass(t: TestContext): void {
  t.mock.timers.tick(PING_INTERVAL_MS);
}

/** @param verdicts of the first check and of later ones; the last one is repeated */
function authenticator(...verdicts: readonly Verdict[]): Authenticator & { readonly checks: () => number } {
  let checks = 0;
  return {
    ...ALLOW_ALL,
    authenticate: () => Promise.resolve(verdicts[Math.min(checks++, verdicts.length - 1)] as Verdict),
    checks: () => checks,
  };
}

const ANN: Verdict = { isAllowed: true, user: 'ann' };

test('a token that expires during the subscription', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const untilMs = Date.now() + HOUR_MS;
  const { closed, pinged } = await open(t, { authenticator: authenticator({ ...ANN, untilMs }) });
  pass(t);
  await pinged(1);
  t.mock.method(Date, 'now', () => untilMs + 1);
  pass(t);
  assert.deepEqual(await closed, [1008, 'the token has expired']);
});

test('a call behind the end of its token', async (t) => {
  const untilMs = Date.now() + HOUR_MS;
  const { closed, webSocket } = await open(t, { authenticator: authenticator({ ...ANN, untilMs }) });
  t.mock.method(Date, 'now', () => untilMs + 1);
  const answers: unknown[] = [];
  webSocket.on('message', (answer) => answers.push(answer));
  webSocket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'etherws.control.listPort', params: {} }));
  assert.deepEqual(await closed, [1008, 'the token has expired']);
  assert.deepEqual(answers, []);
});

test('a policy that changes, for what the connection does', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let allowed = ['subscribe', 'listPort'];
  const mayCall = (_user: string | null, method: string): boolean => allowed.includes(method);
  const subscribed = await open(t, { mayCall });
  const other = await open(t, { mayCall }, { method: 'listPort' });
  allowed = ['subscribe'];
  pass(t);
  await Promise.all([subscribed.pinged(1), other.pinged(1)]);
  allowed = [];
  pass(t);
  assert.deepEqual(await subscribed.closed, [1008, 'the policy has changed']);
  // This connection is not subscribed to events.
  await other.pinged(2);
});

test('a user that is deleted; one whose password cannot be checked at the moment stays', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const checked = authenticator(
    ANN,
    ANN,
    { isAllowed: false, reason: 'busy' },
    { isAllowed: false, reason: 'busy' },
    { isAllowed: false, reason: 'wrong' },
  );
  const { closed, pinged } = await open(t, { authenticator: checked });
  for (const count of [1, 2, 3]) {
    pass(t);
    await pinged(count);
    assert.equal(checked.checks(), count + 1);
  }
  pass(t);
  assert.deepEqual(await closed, [1008, 'the credentials are not valid any more']);
});

test('a name that is now another user’s', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const checked = authenticator(ANN, { isAllowed: true, user: 'bob' });
  const { closed } = await open(t, { authenticator: checked });
  pass(t);
  assert.deepEqual(await closed, [1008, 'the credentials are not valid any more']);
});

test('a peer that answers no ping', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { closed, pinged } = await open(t, {}, { answersPings: false });
  const lively = await open(t, {});
  pass(t);
  await Promise.all([pinged(1), lively.pinged(1)]);
  pass(t);
  assert.deepEqual(await closed, [1006, '']);
  for (const count of [2, 3]) {
    await lively.pinged(count);
    pass(t);
  }
});
