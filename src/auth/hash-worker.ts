import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { keepYoungGenerationSmall } from '../runtime/young-generation.ts';
import type { HashAnswer, HashQuestion } from './hash-verifier.ts';
import { verifyPassword } from './verify-password.ts';

/** The lowest priority (nice value). Linux has one for each thread. */
const LOWEST_PRIORITY = 19;

/** With too few processors, a flood of logins would otherwise take half of the time of the data path's thread. */
function lowerPriority(): void {
  try {
    const thread = Number(/\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1]);
    if (thread > 0 && thread !== process.pid) setPriority(thread, LOWEST_PRIORITY);
  } catch {
    // Without /proc both threads have the same priority.
  }
}

lowerPriority();
// V8 resets this flag when it creates a thread.
keepYoungGenerationSmall();

parentPort?.on('message', ({ password, hash }: HashQuestion) => {
  const answer: HashAnswer = { isMatch: verifyPassword(password, hash) };
  parentPort?.postMessage(answer);
});
