// Changes src/wire and src/bridge by one small mutation at a time, and runs the tests that execute the changed place:
// `npm run mutate`, or `npm run mutate -- WORD...` for the sources whose path contains a WORD. A mutant that survives
// must have a row with the reason in mutate/known-survivors.json. More: CONTRIBUTING.md.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildMutants } from './mutate/build.mjs';
import { judgeAll } from './mutate/run.mjs';

const ROOMS = ['src/wire/', 'src/bridge/'];
/** Tests of these rooms in other folders that run in one process: files, and directories. */
const TESTS_ELSEWHERE = [
  'src/networks/lldp/',
  'src/networks/mdb-commands.test.ts',
  'src/networks/mesh/',
  'test/fuzz/bpdu.test.ts',
  'test/fuzz/bridge.test.ts',
  'test/fuzz/lldp.test.ts',
  'test/fuzz/source-guard.test.ts',
  'test/fuzz/stations.test.ts',
  'test/fuzz/websocket.test.ts',
];
const LEAST_KILLED_PERCENT = 90;
/** With the process id, so that two runs at the same time have different directories. */
const DIRECTORY = join('build', `mutants-${process.pid}`);
const REPORT = 'build/mutants.json';

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    verbose: { type: 'boolean', default: false },
  },
});

const known = JSON.parse(readFileSync(new URL('mutate/known-survivors.json', import.meta.url), 'utf8'));
const isAsked = (file) => words.length === 0 || words.some((word) => file.includes(word));
const isOfRooms = (file) => ROOMS.some((room) => file.startsWith(room));
const isTest = (file) =>
  file.endsWith('.test.ts') && (isOfRooms(file) || TESTS_ELSEWHERE.some((path) => file.startsWith(path)));

const started = performance.now();
const all = buildMutants(DIRECTORY, (file) => isOfRooms(file) && !file.endsWith('.test.ts') && isAsked(file), isTest);
const mutants = values.sample === undefined ? all : sampled(all, Number(values.sample), Number(values.seed));
process.stdout.write(`${all.length} mutants, ${mutants.length} of them tried\n`);

const files = ['src', 'test']
  .flatMap((tree) => readdirSync(tree, { recursive: true, encoding: 'utf8' }).map((name) => join(tree, name)))
  .filter(isTest)
  .map((file) => join(process.cwd(), DIRECTORY, 'dist', file.replace(/ts$/, 'js')))
  .filter((file) => existsSync(file))
  .sort();
const judgements = [];
await judgeAll({ mutants, all, files, jobs: Number(values.jobs) }, (mutant, verdict) => {
  const isAlive = verdict.kind === 'survived' || verdict.kind === 'uncovered';
  const reason = isAlive ? reasonOf(mutant) : undefined;
  judgements.push({ ...mutant, ...verdict, isAlive, reason });
  if (isAlive && reason === undefined) say('✖', mutant, verdict);
  else if (values.verbose) say(isAlive ? '·' : '✔', mutant, verdict);
});
rmSync(DIRECTORY, { recursive: true });
writeFileSync(REPORT, JSON.stringify(judgements, undefined, 1));

const unexplained = judgements.filter(({ isAlive, reason }) => isAlive && reason === undefined);
const stale = values.sample === undefined ? known.filter(isStale) : [];
table();
for (const row of stale) process.stdout.write(`✖ listed, and no mutant like it survives: ${JSON.stringify(row)}\n`);
const percent = percentOf(judgements);
process.stdout.write(
  `${percent.toFixed(1)} % of ${judgements.length} mutants are killed; ${unexplained.length} survive without a reason; ` +
    `${Math.round((performance.now() - started) / 1000)} s\n`,
);
// The share of a small sample is random, so only its survivors are judged.
const isTooLow = values.sample === undefined && percent < LEAST_KILLED_PERCENT;
if (judgements.length === 0 || isTooLow || unexplained.length > 0 || stale.length > 0) process.exitCode = 1;

function say(mark, { file, lineNumber, line, change }, { kind, by, what }) {
  const test = by === undefined ? '' : ` by "${by}"`;
  process.stdout.write(
    `${mark} ${kind}${test} ${file}:${lineNumber}: ${change}${what ? `: ${what}` : ''}\n    ${line}\n`,
  );
}

/** One line for each file, and one for all files. */
function table() {
  const columns = ['killed', 'timeout', 'survived', 'uncovered'];
  const line = (name, of) => {
    const counts = columns.map((kind) => of.filter((judgement) => judgement.kind === kind).length);
    const cells = counts.map((count) => String(count).padStart(9)).join('');
    process.stdout.write(`${name.padEnd(44)}${cells}${percentOf(of).toFixed(1).padStart(8)} %\n`);
  };
  process.stdout.write(`\n${''.padEnd(44)}${columns.map((column) => column.padStart(9)).join('')}\n`);
  const names = [...new Set(judgements.map(({ file }) => file))].sort();
  for (const name of names)
    line(
      name,
      judgements.filter(({ file }) => file === name),
    );
  line('all', judgements);
}

function percentOf(of) {
  return of.length === 0 ? 0 : (100 * of.filter(({ isAlive }) => !isAlive).length) / of.length;
}

/** The reason of a known survivor. */
function reasonOf(mutant) {
  return known.find((row) => isOf(row, mutant))?.reason;
}

function isOf({ file, line, changes }, mutant) {
  return mutant.file === file && mutant.line === line && changes.includes(mutant.change);
}

function isStale(row) {
  if (!isAsked(row.file)) return false;
  return row.changes.some(
    (change) => !judgements.some((one) => one.isAlive && isOf({ ...row, changes: [change] }, one)),
  );
}

/** A random sample of `count` mutants; the same one for the same seed. */
function sampled(from, count, seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  return from
    .map((mutant) => ({ mutant, place: next() }))
    .sort((a, b) => a.place - b.place)
    .slice(0, count)
    .map(({ mutant }) => mutant);
}
