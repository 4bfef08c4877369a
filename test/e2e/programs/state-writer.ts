import { StateFile } from '../../../src/runtime/state-file.ts';

/** Keeps one number after the other, with a filler that takes several writes, and prints each that was kept. */
const [, , path = ''] = process.argv;
/** It is killed long before. */
const MOST_LIFE_MS = 60_000;
const FILLER = 'x'.repeat(200_000);

const state = await StateFile.open(path);
let count = Number(state.read('count') ?? 0);
for (const startMs = Date.now(); Date.now() - startMs < MOST_LIFE_MS; ) {
  count++;
  // The second one is not waited for: it may or may not be there when the program is killed.
  const kept = state.keep('count', count);
  state.keep('filler', `${count} ${FILLER}`).catch(() => undefined);
  await kept;
  process.stdout.write(`${count}\n`);
}
