import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { wakePromptly } from './prompt-waking.ts';

const skip = process.platform === 'linux' ? false : 'needs Linux';

/** In nanoseconds; undefined where the kernel has none by thread, before 6.12, or does not show it. */
function sliceOf(thread: string): number | undefined {
  const [, slice] = /^se\.slice\s*:\s*(\d+)/m.exec(readFileSync(`/proc/${thread}/sched`, 'utf8')) ?? [];
  return slice === undefined ? undefined : Number(slice);
}

/** The slice of a thread that is started now. */
async function sliceOfNewThread(): Promise<number | undefined> {
  const program = `
    const { parentPort } = require('node:worker_threads');
    parentPort.postMessage(require('node:fs').readlinkSync('/proc/thread-self'));
    parentPort.once('message', () => undefined);
  `;
  const worker = new Worker(program, { eval: true });
  const [thread] = (await once(worker, 'message')) as [string];
  const slice = sliceOf(thread);
  worker.postMessage('end');
  await once(worker, 'exit');
  return slice;
}

test('the thread of the frames has short slices, and those that it starts have not', { skip }, async () => {
  const own = readlinkSync('/proc/thread-self');
  const before = sliceOf(own);
  const priority = getPriority();
  wakePromptly();
  assert.equal(getPriority(), priority);
  if (before === undefined) return;
  assert.equal(sliceOf(own), 100_000);
  assert.equal(await sliceOfNewThread(), before);
});
