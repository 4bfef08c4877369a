// Builds the drivers of native/fuzz/ with AddressSanitizer and UndefinedBehaviorSanitizer, and runs them one after the
// other:
//
//   npm run fuzz -- [--driver NAME...] [--minutes N | --cases N] [--seed N]
//   npm run fuzz -- --libfuzzer [--driver NAME...] [--minutes N | --cases N] [--seed N] [--corpus DIRECTORY]
//   npm run fuzz -- --libfuzzer --driver NAME --replay FILE
//
// Without --libfuzzer a driver makes its choices from a seed; --cases runs one program with exactly that seed. With it
// clang's libFuzzer mutates inputs, guided by the code that they reach, and keeps what reached something new in
// DIRECTORY/NAME (default: build/fuzz). The drivers share the minutes. The status is 1 when anything was found: the input
// is kept in the same directory, and the line that repeats it is printed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');

/** The files of rooms in native/, or single ones. */
function sources(...names) {
  return names.flatMap((name) =>
    name.endsWith('.c')
      ? [join('native', name)]
      : readdirSync(join(root, 'native', name))
          .filter((file) => file.endsWith('.c'))
          .map((file) => join('native', name, file)),
  );
}

/** Node's headers declare OpenSSL, which is in Node's own binary: here the system's library stands in for it. */
const headers = join(dirname(dirname(realpathSync(process.execPath))), 'include/node');
const OPENSSL = ['-I', headers, '-Wl,--no-as-needed', '-l:libcrypto.so.3'];

/** What each driver is linked with, and the longest input that libFuzzer tries. */
const DRIVERS = {
  datapath: { files: sources('datapath', 'crypto', 'offload'), flags: [...OPENSSL, '-lm'], inputBytes: 4096 },
  messages: { files: sources('datapath/websocket_messages.c'), flags: [], inputBytes: 2048 },
  flows: {
    files: sources('datapath/flow_table.c', 'datapath/retag.c', 'datapath/control_frame.c', 'offload'),
    flags: ['-lm'],
    inputBytes: 4096,
  },
  offload: { files: sources('offload'), flags: [], inputBytes: 4096 },
  records: { files: sources('datapath/tls_records.c', 'crypto'), flags: OPENSSL, inputBytes: 2048 },
};

const { values } = parseArgs({
  options: {
    driver: { type: 'string', multiple: true, default: Object.keys(DRIVERS) },
    minutes: { type: 'string', default: '10' },
    cases: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
    libfuzzer: { type: 'boolean', default: false },
    corpus: { type: 'string', default: join(root, 'build/fuzz') },
    replay: { type: 'string' },
  },
});

const compiler = values.libfuzzer ? 'clang' : process.env.CC || 'cc';
const FLAGS = ['-g', '-O1', '-std=gnu11', '-D_GNU_SOURCE', '-fno-sanitize-recover=all'];
const SANITIZERS = values.libfuzzer
  ? ['-DETHERWS_LIBFUZZER', '-fsanitize=fuzzer,address,undefined']
  : ['-fsanitize=address,undefined'];

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) process.stderr.write(`fuzz: ${command} does not start: ${error.message}\n`);
  return status ?? 1;
}

/** Random choices by a seed. @returns the status of the last program */
function runBySeeds(driver, program, milliseconds) {
  const end = Date.now() + milliseconds;
  let status = 0;
  for (let seed = Number(values.seed); status === 0; seed++) {
    status = run(program, [String(seed), values.cases ?? '1000']);
    if (status !== 0) {
      const cases = values.cases ?? 1000;
      process.stderr.write(`fuzz: to repeat: npm run fuzz -- --driver ${driver} --seed ${seed} --cases ${cases}\n`);
    }
    if (values.cases !== undefined || Date.now() >= end) break;
  }
  return status;
}

/** An empty corpus begins with random inputs, so that the first mutations are those of whole cases. */
function plantCorpus(directory, inputBytes) {
  mkdirSync(directory, { recursive: true });
  if (readdirSync(directory).length > 0) return;
  let state = Number(values.seed) >>> 0;
  for (let i = 0; i < 16; i++) {
    const input = Buffer.alloc(Math.ceil((inputBytes * (i + 1)) / 16));
    for (let at = 0; at < input.length; at++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      input[at] = state >>> 24;
    }
    writeFileSync(join(directory, `planted-${i}`), input);
  }
}

/** @returns the status of libFuzzer */
function runByCoverage(driver, program, milliseconds) {
  const again = (file) =>
    process.stderr.write(`fuzz: to repeat: npm run fuzz -- --libfuzzer --driver ${driver} --replay ${file}\n`);
  if (values.replay !== undefined) return run(program, [resolve(values.replay)]);
  const { inputBytes } = DRIVERS[driver];
  const directory = join(resolve(values.corpus), driver);
  const corpus = join(directory, 'corpus');
  plantCorpus(corpus, inputBytes);
  const limit =
    values.cases === undefined
      ? `-max_total_time=${Math.max(1, Math.round(milliseconds / 1000))}`
      : `-runs=${values.cases}`;
  const before = new Set(readdirSync(directory));
  const status = run(program, [
    `-seed=${values.seed}`,
    `-max_len=${inputBytes}`,
    '-len_control=0',
    '-timeout=25',
    '-print_final_stats=1',
    '-verbosity=0',
    `-artifact_prefix=${directory}/`,
    limit,
    corpus,
  ]);
  for (const file of readdirSync(directory)) if (!before.has(file)) again(join(directory, file));
  return status;
}

const unknown = values.driver.find((name) => !Object.hasOwn(DRIVERS, name));
if (unknown !== undefined) {
  process.stderr.write(`fuzz: no driver ${unknown}: it is one of ${Object.keys(DRIVERS).join(', ')}\n`);
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'etherws-fuzz-'));
try {
  const milliseconds = (Number(values.minutes) * 60_000) / values.driver.length;
  for (const driver of values.driver) {
    const { files, flags } = DRIVERS[driver];
    const program = join(directory, driver);
    const sourceFile = `native/fuzz/${driver}_fuzz.c`;
    process.exitCode = run(compiler, [...FLAGS, ...SANITIZERS, sourceFile, ...files, ...flags, '-o', program]);
    if (process.exitCode !== 0) break;
    process.exitCode = (values.libfuzzer ? runByCoverage : runBySeeds)(driver, program, milliseconds);
    if (process.exitCode !== 0) break;
  }
} finally {
  rmSync(directory, { recursive: true });
}
