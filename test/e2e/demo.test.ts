import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTapLab } from '../support/lab-test.ts';
import { Process } from '../support/process.ts';

const DEMO = [process.execPath, fileURLToPath(new URL('../../demo/demo.js', import.meta.url))];

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`the demo cleans up on ${signal}`, async (t) => {
    // The demo itself needs a laboratory, too.
    if ((await openTapLab(t)) === undefined) return;
    const mark = `ETHERWS_DEMO_TEST_${signal}_${process.pid}`;
    const demo = new Process(DEMO, { env: { [mark]: '1' } });
    t.after(() => demo.end());
    await demo.output(/addport tap/);
    assert.notDeepEqual(processesWith(mark), []);
    demo.signal(signal);
    const outcome = await demo.exited;
    assert.equal(outcome.status, status, outcome.stdout + outcome.stderr);
    assert.deepEqual(processesWith(mark), [], 'no process of the demo is left');
  });
}

test('where no hosts can be made the demo says why, and verifies the same in memory', async () => {
  const demo = new Process(DEMO, { env: { PATH: '/nonexistent' } });
  const { status, stdout, stderr } = await demo.exited;
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^ {2}No hosts can be made here: needs \S+.*In memory:$/im);
  assert.match(stdout, /✔ the checksums are equal/);
});

/** The processes that have this variable in their environment. */
function processesWith(variable: string): string[] {
  return readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/environ`, 'utf8').includes(variable);
    } catch {
      return false; // it has ended, or belongs to another user
    }
  });
}
