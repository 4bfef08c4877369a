// `npm run bench`: see docs/reference/performance.md.
//
// 1. The command line is parsed, then the program runs again in new namespaces (sandbox.ts).
// 2. The C programs are compiled; contestants that cannot run here are noted with the reason.
// 3. In each repetition, each contestant is measured in its own lab (runner.ts, lab.ts).
// 4. Medians and ratios are printed, and written as JSON and as a plot (report.ts).
//
// Figures do not affect the status; it is 1 only if something failed to run.
import { contestants as allContestants, MEASUREMENTS } from './catalogue.ts';
import type { Contestant } from './contestant.ts';
import { missingPrograms } from './contestant.ts';
import { enterSandbox } from './lab/sandbox.ts';
import type { Measurement } from './measurement.ts';
import { type BenchOptions, parseOptions } from './options.ts';
import { buildPrograms } from './programs/programs.ts';
import { Patience, WORTHLESS_STOLEN } from './quietly.ts';
import { describeMachine } from './report/machine.ts';
import { printedReport, publish, writeResults } from './report/report.ts';
import type { Results } from './report/results.ts';
import { expectedSeconds, measurementsOf, type Progress, type RunOptions, runAll } from './runner.ts';

/** `--short` starts only what will probably be done by then. */
const SHORT_LIMIT_MS = 280_000;
const SECONDS_PER_MINUTE = 60;

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const options = parseOptions(
    args,
    allContestants({ node: process.execPath, nodeOptions: [] }).map(({ name }) => name),
    MEASUREMENTS.map(({ name }) => name),
  );
  const missing = await missingPrograms(
    ['unshare', 'ip', 'tc', 'sysctl', 'ping', 'iperf3', 'cc'],
    'util-linux iproute2 procps iputils-ping iperf3 gcc',
  );
  if (missing !== undefined) throw new Error(`The benchmark ${missing}`);
  if (!(await enterSandbox())) return;

  const programs = await buildPrograms();
  const { present, absent } = await sortContestants(options);
  const results: Results = {
    startedAt: new Date().toISOString(),
    command: ['npm run bench', ...(args.length === 0 ? [] : ['--', ...args])].join(' '),
    repetitions: options.repetitions,
    seconds: options.seconds,
    machine: describeMachine(options.congestion),
    contestants: Object.fromEntries(
      await Promise.all(
        present.map(async (one) => [
          one.name,
          { title: one.title, version: await one.version(), otherOf: one.otherOf },
        ]),
      ),
    ),
    absent,
    samples: [],
    disturbed: [],
    stolen: [],
    failures: [],
  };
  const runOptions: RunOptions = {
    ...options,
    measurements: measurementsNamed(options.measure),
    asideMeasurements: measurementsNamed(options.asideMeasure),
    patience: new Patience(options.patienceMinutes * SECONDS_PER_MINUTE * 1000),
    // Without patience all figures are used, however much time the host took.
    mostStolen: options.patienceMinutes === 0 ? 1 : WORTHLESS_STOLEN,
    deadlineMs: options.isShort ? SHORT_LIMIT_MS : Number.POSITIVE_INFINITY,
  };
  const measured = present.filter((contestant) => measurementsOf(contestant, runOptions).length > 0);
  announce(runOptions, measured);
  await runAll(measured, programs, runOptions, results, showProgress());
  if (process.stderr.isTTY) process.stderr.write('\n');
  noteLeftOut(measured, results, absent);
  writeResults(results, options.jsonFile);
  if (options.isPublished) publish(results);
  process.stdout.write(`${printedReport(results)}\n\nResults: ${options.jsonFile}\n`);
  process.exitCode = results.failures.length === 0 ? 0 : 1;
}

function measurementsNamed(names: readonly string[]): Measurement[] {
  return MEASUREMENTS.filter(({ name }) => names.length === 0 || names.includes(name));
}

function noteLeftOut(present: readonly Contestant[], results: Results, absent: Record<string, string>): void {
  const seen = new Set([...results.samples, ...results.failures].map(({ contestant }) => contestant));
  for (const { name, title } of present) {
    if (!seen.has(name)) absent[title] = 'left out, because --short had no time for it';
  }
}

async function sortContestants(
  options: BenchOptions,
): Promise<{ present: Contestant[]; absent: Record<string, string> }> {
  const present: Contestant[] = [];
  const absent: Record<string, string> = {};
  for (const contestant of allContestants(options)) {
    if (options.only.length > 0 && !options.only.includes(contestant.otherOf ?? contestant.name)) continue;
    const reason = await contestant.unavailable().catch((error: unknown) => String(error));
    if (reason === undefined) present.push(contestant);
    else absent[contestant.title] = reason;
  }
  return { present, absent };
}

function announce(options: RunOptions, present: readonly Contestant[]): void {
  const round = present.reduce((sum, contestant) => sum + expectedSeconds(contestant, options), 0);
  const seconds = round * options.repetitions;
  const limited = Math.min(seconds, options.deadlineMs / 1000);
  const duration =
    limited < 2 * SECONDS_PER_MINUTE ? `${Math.ceil(limited)} s` : `${Math.ceil(limited / SECONDS_PER_MINUTE)} min`;
  process.stderr.write(
    `${present.length} contestants, about ${duration}. Other load on this machine spoils the figures.\n`,
  );
}

/** On a terminal one line, which is overwritten; else one line a step. */
function showProgress(): Progress {
  return (text) => process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
