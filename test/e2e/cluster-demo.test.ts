import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CLIENT_COMMAND, nodeCommand, STATUS_COMMAND } from '../../demo/cluster-commands.ts';
import { NATS_TOOLS } from '../support/cluster/nats.ts';
import { openTapLab } from '../support/lab-test.ts';
import { Process } from '../support/process.ts';

const DEMO = [process.execPath, fileURLToPath(new URL('../../demo/cluster.js', import.meta.url))];

test('the demo of a cluster kills a node, and ends by itself without a terminal', async (t) => {
  if ((await openTapLab(t, 'ping', 'nft', ...NATS_TOOLS)) === undefined) return;
  const mark = `ETHERWS_CLUSTER_DEMO_TEST_${process.pid}`;
  const demo = new Process(DEMO, { env: { [mark]: '1' } });
  t.after(() => demo.end());
  const { status, stdout, stderr } = await demo.exited;
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /✔ the laptop is at another node: [\d.]+ s between two answers at most\n/);
  assert.match(stdout, /✔ r1 answers the laptop again\n/);
  assert.deepEqual(processesWith(mark), [], 'no process of the demo is left');
});

test('the demo of a cluster cleans up on SIGINT', async (t) => {
  if ((await openTapLab(t, 'ping', 'nft', ...NATS_TOOLS)) === undefined) return;
  const mark = `ETHERWS_CLUSTER_DEMO_SIGINT_${process.pid}`;
  const demo = new Process(DEMO, { env: { [mark]: '1' } });
  t.after(() => demo.end());
  await demo.output(/--node r1/);
  assert.notDeepEqual(processesWith(mark), []);
  demo.signal('SIGINT');
  const outcome = await demo.exited;
  assert.equal(outcome.status, 130, outcome.stdout + outcome.stderr);
  assert.deepEqual(processesWith(mark), [], 'no process of the demo is left');
});

test('what the demo types stands in the README, word for word', () => {
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/^```sh\n([\s\S]*?)^```/gm)];
  const lines = blocks
    .map(([, code = '']) => code.replaceAll(/ *\\\n */g, ' '))
    .join('')
    .split('\n');
  for (const line of [nodeCommand('r1'), CLIENT_COMMAND, STATUS_COMMAND]) {
    assert.ok(lines.includes(line), `README.md shows \`${line}\` in a code block`);
  }
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
