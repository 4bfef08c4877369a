import { parentPort } from 'node:worker_threads';
import type { HashAnswer, HashQuestion } from './hash-verifier.ts';
import { verifyPassword } from './verify-password.ts';

/** The worker's whole life: a question in, an answer out, one at a time. */
parentPort?.on('message', ({ password, hash }: HashQuestion) => {
  const answer: HashAnswer = { isMatch: verifyPassword(password, hash) };
  parentPort?.postMessage(answer);
});
