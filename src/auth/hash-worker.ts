import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { keepYoungGenerationSmall } from '../runtime/young-generation.ts';
import type { HashAnswer, HashQuestion } from './hash-verifier.ts';
import { verifyPassword } from './verify-password.ts';

/** The last of all threads of this user; only Linux has priorities by thread. */
const LOWEST_PRIORITY = 19;

/**
 * Gives the processor to frames first: where there are fewer cores than threads
 * that want one, a flood of logins would take turns with the thread of the frames.
 */
function stepBack(): void {
  try {
    const thread = Number(/\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1]);
    if (thread > 0 && thread !== process.pid) setPriority(thread, LOWEST_PRIORITY);
  } catch {
    // Without /proc the two are equals.
  }
}

stepBack();
// V8 forgot it when it made this thread.
keepYoungGenerationSmall();

/** The worker's whole life: a question in, an answer out, one at a time. */
parentPort?.on('message', ({ password, hash }: HashQuestion) => {
  const answer: HashAnswer = { isMatch: verifyPassword(password, hash) };
  parentPort?.postMessage(answer);
});
