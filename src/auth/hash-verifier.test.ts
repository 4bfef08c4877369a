import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../../test/support/etherws.ts';
import { SILENT } from '../observability/logger.ts';
import { HashVerifier } from './hash-verifier.ts';
import type { PasswordHash } from './password-hash.ts';

/** bcrypt of `U*U` */
const HASH: PasswordHash = { kind: 'bcrypt', text: '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW' };

/** Dies on the password `die`, is silent on `hang`, denies `wrong`, and agrees to everything else. */
const STAND_IN = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ password }) => {
      if (password === 'die') process.exit(7);
      if (password === 'throw') throw new Error('worker is unwell');
      if (password !== 'hang') parentPort.postMessage({ isMatch: password !== 'wrong' });
    });
  `)}`,
);

test('the real worker: match, mismatch, and the event loop turns meanwhile', async (t) => {
  const verifier = new HashVerifier();
  t.after(() => verifier.close());
  assert.equal(await verifier.verify('U*U', HASH), 'match');
  assert.equal(await verifier.verify('U*V', HASH), 'mismatch');
  assert.equal(await verifier.verify('x', { kind: 'bcrypt', text: 'malformed' }), 'mismatch');

  // Cost 10 is a tenth of a second of pure computing. Were it done here, no turn would fit in between.
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await verifier.verify('U*U', { kind: 'bcrypt', text: HASH.text.replace('$05$', '$10$') });
  isDone = true;
  assert.ok(turns > 20, `${turns} turns`);
});

test('answers come in the order of the questions', async (t) => {
  const verifier = new HashVerifier({ workerUrl: STAND_IN });
  t.after(() => verifier.close());
  const answered: number[] = [];
  const questions = [0, 1, 2, 3].map((index) => verifier.verify('x', HASH).then(() => answered.push(index)));
  await Promise.all(questions);
  assert.deepEqual(answered, [0, 1, 2, 3]);
});

test('beyond the bound a question is busy, and close answers all that wait', async () => {
  const verifier = new HashVerifier({ workerUrl: STAND_IN, maxWaiting: 3 });
  const questions = [1, 2, 3, 4].map(() => verifier.verify('hang', HASH));
  assert.equal(await verifier.verify('x', HASH), 'busy');
  await verifier.close();
  assert.deepEqual(await Promise.all(questions), ['busy', 'busy', 'busy', 'busy']);
  assert.equal(await verifier.verify('x', HASH), 'busy');
  await verifier.close();
});

test('behind a wrong password the thread rests, behind a right one it does not', async (t) => {
  const restMs = 300;
  const computed: number[] = [];
  let restsSinceMs = 0;
  const verifier = new HashVerifier({
    workerUrl: STAND_IN,
    restMs: (computedMs) => {
      computed.push(computedMs);
      restsSinceMs = performance.now();
      return restMs;
    },
  });
  t.after(() => verifier.close());
  await verifier.verify('x', HASH);
  assert.equal(await verifier.verify('wrong', HASH), 'mismatch');
  assert.equal(computed.length, 1, 'only the wrong one asked for a rest');
  assert.equal(await verifier.verify('x', HASH), 'match');
  // A timer may fire a millisecond early.
  assert.ok(performance.now() - restsSinceMs >= restMs - 2);
});

test('a question that waits for the end of a rest is answered when the verifier closes', async () => {
  const verifier = new HashVerifier({ workerUrl: STAND_IN, restMs: () => 3_600_000 });
  assert.equal(await verifier.verify('wrong', HASH), 'mismatch');
  const question = verifier.verify('x', HASH);
  await verifier.close();
  assert.equal(await question, 'busy');
});

test('64 wait by default', async () => {
  const verifier = new HashVerifier({ workerUrl: STAND_IN });
  const questions = Array.from({ length: 66 }, () => verifier.verify('hang', HASH));
  assert.equal(await questions.at(-1), 'busy');
  const first = await Promise.race([...questions.slice(0, 65), Promise.resolve('all of them wait')]);
  assert.equal(first, 'all of them wait');
  await verifier.close();
});

for (const way of ['die', 'throw']) {
  test(`a worker that ends by itself (${way}) makes what waits busy, is logged once, and is started again`, async (t) => {
    const errors: string[] = [];
    const silent = (): void => undefined;
    const logger = {
      debug: silent,
      info: silent,
      warn: silent,
      error: (_fields: object, message: string) => errors.push(message),
      isLevelEnabled: () => true,
    };
    const verifier = new HashVerifier({ workerUrl: STAND_IN, restartDelayMs: 0, logger });
    t.after(() => verifier.close());
    const verdicts = await Promise.all([way, 'x', 'x'].map((password) => verifier.verify(password, HASH)));
    assert.deepEqual(verdicts, ['busy', 'busy', 'busy']);
    assert.equal(await verifier.verify('x', HASH), 'match');
    assert.equal(errors.length, 1);
  });
}

test('a worker that keeps dying is not started at every question', async (t) => {
  const verifier = new HashVerifier({ workerUrl: STAND_IN, restartDelayMs: 3_600_000 });
  t.after(() => verifier.close());
  assert.equal(await verifier.verify('die', HASH), 'busy');
  assert.equal(await verifier.verify('x', HASH), 'busy');
});

test('a program that cannot be loaded is busy, not a crash', async (t) => {
  const verifier = new HashVerifier({ workerUrl: new URL('file:///nonexistent/worker.js') });
  t.after(() => verifier.close());
  assert.equal(await verifier.verify('x', HASH), 'busy');
});

test('an idle worker ends, and the next question starts another', { skip: process.platform !== 'linux' }, async (t) => {
  const threads = async (): Promise<number> => readdirSync('/proc/self/task').length;
  const verifier = new HashVerifier({ workerUrl: STAND_IN, keepIdleMs: 20 });
  t.after(() => verifier.close());
  // Node starts threads of its own for the first worker, and keeps them.
  const first = new HashVerifier({ workerUrl: STAND_IN, keepIdleMs: 60_000 });
  assert.equal(await first.verify('x', HASH), 'match');
  const withWorker = await threads();
  await first.close();
  for (let round = 0; round < 3; round++) {
    assert.equal(await verifier.verify('x', HASH), 'match');
    await eventually(threads, (count) => count < withWorker);
  }
  const hanging = verifier.verify('hang', HASH);
  await eventually(threads, (count) => count === withWorker);
  await verifier.close();
  assert.equal(await hanging, 'busy');
});

test('where no thread can be had questions are busy, and it is tried again and said', async (t) => {
  const said: object[] = [];
  const logger = { ...SILENT, error: (fields: object) => said.push(fields) };
  // The constructor throws for this URL, as it does where the system grants no thread.
  const workerUrl = new URL('https://127.0.0.1/worker.js');
  const verifier = new HashVerifier({ logger, workerUrl, restartDelayMs: 20 });
  t.after(() => verifier.close());
  assert.equal(await verifier.verify('x', HASH), 'busy');
  assert.equal(said.length, 1);
  await eventually(
    () => verifier.verify('x', HASH),
    (verdict) => verdict === 'busy' && said.length > 1,
  );
});
