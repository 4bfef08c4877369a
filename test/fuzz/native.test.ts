import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fuzzCases, fuzzSeed } from '../support/random.ts';
import { missingTools } from '../support/tools.ts';

const DEADLINE_MS = 300_000;

interface Part {
  readonly driver: string;
  readonly cases: number;
  /** inputs that libFuzzer tries: each holds up to 200 cases */
  readonly inputs: number;
  readonly what: string;
}

/** The parts of the addon that know no Node-API, and what is done to them. */
const PARTS: readonly Part[] = [
  { driver: 'offload', cases: 50_000, inputs: 100, what: 'lying super-frames, disturbed flows' },
  { driver: 'messages', cases: 50_000, inputs: 100, what: 'spoiled WebSocket messages' },
  { driver: 'flows', cases: 50_000, inputs: 100, what: 'runs of frames that follow flows, or must not' },
  { driver: 'records', cases: 5_000, inputs: 100, what: 'spoiled TLS records' },
  {
    driver: 'datapath',
    cases: 300,
    inputs: 50,
    what: 'the data path in a host that opens, pauses and closes in every state',
  },
];

interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

/** Runs the script behind `npm run fuzz`. */
const fuzz = (...args: readonly string[]): Outcome => fuzzWith('scripts/fuzz-native.mjs', ...args);

function fuzzWith(script: string, ...args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    timeout: DEADLINE_MS,
  });
  return { status, output: stdout + stderr };
}

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-fuzz-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** @returns why a test that needs this compiler's sanitizers must be skipped, or false */
function missingSanitizers(compiler: string, sanitizers: string, program: string, packages: string): string | false {
  const missing = missingTools(compiler);
  if (missing !== false) return missing;
  const { status } = spawnSync(compiler, [`-fsanitize=${sanitizers}`, '-x', 'c', '-', '-o', '/dev/null'], {
    input: program,
    timeout: DEADLINE_MS,
  });
  return status === 0 ? false : `needs the sanitizers of ${compiler}: apt install ${packages}`;
}

const withoutCc = missingSanitizers('cc', 'address,undefined', 'int main(void) { return 0; }', 'gcc');
const withoutClang = missingSanitizers(
  'clang',
  'fuzzer,address,undefined',
  'int LLVMFuzzerTestOneInput(const char *data, unsigned long size) { return data == 0 && size > 0; }',
  'clang libclang-rt-14-dev',
);

for (const { driver, cases, inputs, what } of PARTS) {
  test(`${cases} cases of ${what} under AddressSanitizer`, { skip: withoutCc }, (t) => {
    const seed = fuzzSeed();
    t.diagnostic(`FUZZ_SEED=${seed}`);
    const count = String(fuzzCases(cases));
    const { status, output } = fuzz('--driver', driver, '--seed', String(seed), '--cases', count);
    assert.equal(status, 0, output);
    assert.equal(output, `${count} cases with seed ${seed}\n`);
  });

  test(`libFuzzer: ${inputs} inputs of ${what}`, { skip: withoutClang }, (t) => {
    const corpus = temporaryDirectory(t);
    const seed = fuzzSeed();
    t.diagnostic(`FUZZ_SEED=${seed}`);
    const count = String(fuzzCases(inputs));
    const args = ['--libfuzzer', '--driver', driver, '--corpus', corpus];
    const { status, output } = fuzz(...args, '--seed', String(seed), '--cases', count);
    assert.equal(status, 0, output);
    assert.match(output, new RegExp(`number_of_executed_units: ${count}$`, 'm'));
    // Coverage guides it: it keeps inputs that reached code which the planted ones had not.
    const kept = readdirSync(join(corpus, driver, 'corpus')).filter((file) => !file.startsWith('planted'));
    assert.notEqual(kept.length, 0, output);
  });
}

test('libFuzzer keeps the input that broke a claim, and says how to run it again', { skip: withoutClang }, (t) => {
  // A copy in which a frame of the batched wire may be longer than its message.
  const copy = temporaryDirectory(t);
  for (const folder of ['native', 'scripts']) cpSync(folder, join(copy, folder), { recursive: true });
  const broken = join(copy, 'native/datapath/websocket_messages.c');
  const source = readFileSync(broken, 'utf8');
  const spoiled = source.replace(' || frame_bytes > end - at', '');
  assert.notEqual(spoiled, source);
  writeFileSync(broken, spoiled);
  const script = join(copy, 'scripts/fuzz-native.mjs');
  const found = fuzzWith(script, '--libfuzzer', '--driver', 'messages', '--cases', '5000', '--seed', '1');
  assert.notEqual(found.status, 0, found.output);
  const [, file] =
    /^fuzz: to repeat: npm run fuzz -- --libfuzzer --driver messages --replay (.*crash-.*)$/m.exec(found.output) ?? [];
  assert.ok(file !== undefined, found.output);
  const again = fuzzWith(script, '--libfuzzer', '--driver', 'messages', '--replay', file);
  assert.notEqual(again.status, 0);
  assert.match(again.output, /broken: another opinion of a batch/);
});
