import { StateFile } from '../../../src/runtime/state-file.ts';

/** Keeps increasing numbers in a state file, with a filler that takes several writes, and prints each kept number. */
const [, , path = ''] = process.argv;
/** The test kills the program long before. */
const MOST_LIFE_MS = 60_000;
const FILLER = 'x'.repeat(200_000);

const state = await StateFile.open(path);
let count = Number(state.read('count') ?? 0);
for (const startMs = Date.now(); Date.now() - startMs < MOST_LIFE_MS; ) {
  count++;
  // The second call is not awaited, so the file may have its value or not when the program is killed.
  const kept = state.keep('count', count);
  state.keep('filler', `${count} ${FILLER}`).catch(() => undefined);
  await kept;
  process.stdout.write(`${count}\n`);
}
