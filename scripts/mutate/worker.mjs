// Runs tests with a mutant on, in a process of its own that may hang or crash. It is told what to do by messages:
// `baseline` files: imports them and runs their tests without a mutant; says of each test which mutants it meets, how
// much of the processor it takes and how often its loops go round, and which mutants are met by the import alone.
// `judge` mutant, tests: runs the tests until one fails, and says which. `isOnForImport`: the mutant is on while files
// are imported, for what is computed only then.
import { pathToFileURL } from 'node:url';
import { beginFile, testsOf } from './node-test.mjs';

/** A loop without end is over when it has gone round so much more often than all loops of the test without a mutant. */
const LEAST_TICKS = 1_000_000;
const TICKS_FACTOR = 10;
/** A test that waits for what a mutant keeps from coming. Far above what any of these tests takes, as they do not wait. */
const WAIT_MS = 20_000;

class EndlessLoop extends Error {}
class EndlessWait extends Error {}

const MOST_MUTANTS = 0x1_0000;

const state = { active: 0, ticks: 0, mostTicks: Number.POSITIVE_INFINITY };
/** 1 for each mutant that was met since it was cleared. */
const met = new Uint8Array(MOST_MUTANTS);
const mutant = (id) => {
  met[id] = 1;
  return id === state.active;
};
const tick = () => {
  if (++state.ticks > state.mostTicks) throw new EndlessLoop('a loop without end');
};
globalThis.__etherwsMutation = { mutant, tick };

let stray;
process.on('unhandledRejection', (error) => {
  stray = error;
});
process.on('uncaughtException', (error) => {
  stray = error;
});
process.on('disconnect', () => process.exit());

/** @returns undefined: it passes; otherwise whether it did not end, and what was wrong */
async function failureOf(test, ticks = Number.POSITIVE_INFINITY) {
  stray = undefined;
  state.ticks = 0;
  state.mostTicks = Math.max(LEAST_TICKS, TICKS_FACTOR * ticks);
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new EndlessWait('a wait without end')), WAIT_MS);
  });
  try {
    await Promise.race([test.run(), late]);
    if (stray !== undefined) throw stray;
    // The test may have taken the exception for one of the product's.
    return isEndless() ? { isEndless: true, what: 'a loop without end' } : undefined;
  } catch (error) {
    const what = String(error?.message ?? error).split('\n', 1)[0];
    return { isEndless: isEndless() || error instanceof EndlessWait, isWaiting: error instanceof EndlessWait, what };
  } finally {
    clearTimeout(timer);
  }
}

const isEndless = () => state.ticks > state.mostTicks;

async function testAt({ file, number }) {
  if (!testsOf.has(file)) {
    beginFile(file);
    state.mostTicks = Number.POSITIVE_INFINITY;
    await import(pathToFileURL(file).href);
  }
  return testsOf.get(file)[number];
}

async function baseline(files) {
  const tests = [];
  const metByImport = new Set();
  for (const file of files) {
    met.fill(0);
    await testAt({ file, number: 0 });
    for (const id of metIds()) metByImport.add(id);
    for (const [number, test] of testsOf.get(file).entries()) {
      met.fill(0);
      const before = process.cpuUsage();
      const failure = await failureOf(test);
      const { user, system } = process.cpuUsage(before);
      const ms = (user + system) / 1000;
      tests.push({ file, number, name: test.name, ms, ticks: state.ticks, met: metIds(), failure: failure?.what });
    }
  }
  return { tests, metByImport: [...metByImport] };
}

function metIds() {
  const ids = [];
  for (let id = met.indexOf(1); id >= 0; id = met.indexOf(1, id + 1)) ids.push(id);
  return ids;
}

async function judge({ id, tests, isOnForImport }) {
  for (const asked of tests) {
    let failure;
    let test;
    try {
      state.active = isOnForImport ? id : 0;
      test = await testAt(asked);
      state.active = id;
      failure = await failureOf(test, asked.ticks);
    } catch (error) {
      failure = { isEndless: false, what: `import: ${String(error?.message ?? error).split('\n', 1)[0]}` };
    }
    if (failure === undefined) continue;
    // A mutant may leave something behind that makes a later test fail: it passes no more without a mutant, either.
    state.active = 0;
    const isSpoilt = !isOnForImport && (failure.isWaiting || (await failureOf(test, asked.ticks)) !== undefined);
    return { kind: failure.isEndless ? 'timeout' : 'killed', by: asked.name, what: failure.what, isSpoilt };
  }
  return { kind: 'survived' };
}

process.on('message', async (message) => {
  try {
    process.send(message.kind === 'baseline' ? await baseline(message.files) : await judge(message));
  } catch (error) {
    process.send({ kind: 'broken', what: String(error?.stack ?? error) });
  }
});
