// Gives each mutant to a process that runs the tests which meet it, the quickest first.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
/**
 * What a mutant may take of the processor before it is given up: so much, and so many times what its tests take without
 * it. Not by the clock, since the machine may have other things to do. Loops are ended before that (worker.mjs).
 */
const LEAST_CPU_MS = 20_000;
const CPU_FACTOR = 20;
/** A process that neither computes nor answers is given up as well. */
const SILENCE_MS = 120_000;
const LOOK_MS = 500;
const TICKS_A_SECOND = 100;
/** Mutants before a process is replaced, so that what they leave behind does not add up. */
const MUTANTS_A_PROCESS = 500;
const HEAP_MIB = 768;
/** Tests that take more of the processor look for leaks and bounds: they run only for what no other test meets. */
const MOST_TEST_MS = 300;

class Worker {
  #child = fork(WORKER, [], {
    execArgv: [`--max-old-space-size=${HEAP_MIB}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, FUZZ_FACTOR: '0.02', FUZZ_SEED: '20260101' },
  });
  judged = 0;

  /** @returns the answer, or `timeout` or `killed` when there is none: then the process is gone */
  ask(message, cpuMs) {
    const [startMs, startCpuMs] = [Date.now(), this.#cpuMs()];
    return new Promise((resolve) => {
      const done = (answer) => {
        clearInterval(timer);
        this.#child.removeAllListeners();
        resolve(answer);
      };
      const giveUp = (what) => done({ kind: 'timeout', what, isOver: true });
      const timer = setInterval(() => {
        if (this.#cpuMs() - startCpuMs > cpuMs) giveUp(`not over after ${Math.round(cpuMs / 1000)} s of the processor`);
        else if (Date.now() - startMs > SILENCE_MS + cpuMs) giveUp('does not answer');
      }, LOOK_MS);
      this.#child.on('message', done);
      this.#child.on('exit', (code, signal) =>
        done({ kind: 'killed', what: `the process ends: ${signal ?? `status ${code}`}`, isOver: true }),
      );
      this.#child.send(message);
    });
  }

  end() {
    this.#child.kill('SIGKILL');
  }

  /** What the process has had of the processor. */
  #cpuMs() {
    try {
      const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_A_SECOND;
    } catch {
      return 0;
    }
  }
}

/**
 * @param mutants those to be judged, each with its `id` and `file`; `all` are those that were built
 * @param files compiled tests
 * @param jobs how many processes at once
 * @param judged is told of each mutant and its verdict: `killed` or `timeout` with the test and what it said,
 *   `survived`, or `uncovered` when no test meets it
 */
export async function judgeAll({ mutants, all, files, jobs }, judged) {
  const plan = planOf(await baselineOf(files), all);
  const queue = [...mutants];
  await Promise.all(Array.from({ length: jobs }, () => serve(queue, plan, judged)));
}

async function baselineOf(files) {
  const worker = new Worker();
  const answer = await worker.ask({ kind: 'baseline', files }, 600_000);
  worker.end();
  if (answer.tests === undefined) throw new Error(`the tests do not run without a mutant: ${answer.what}`);
  const failed = answer.tests.find(({ failure }) => failure !== undefined);
  if (failed !== undefined) throw new Error(`fails without a mutant: ${failed.name}: ${failed.failure}`);
  return answer;
}

/** Which tests meet a mutant, the quickest first. */
function planOf({ tests, metByImport }, all) {
  const sorted = tests.sort((a, b) => a.ms - b.ms);
  const withoutSlow = (asked) => (asked[0]?.ms < MOST_TEST_MS ? asked.filter(({ ms }) => ms < MOST_TEST_MS) : asked);
  const meeting = new Map();
  for (const test of sorted) {
    for (const id of test.met) {
      if (!meeting.has(id)) meeting.set(id, new Set());
      meeting.get(id).add(test);
    }
  }
  const byImport = new Set(metByImport);
  const idsOf = groupBy(all);
  return {
    isMetByImport: ({ id }) => byImport.has(id),
    testsOf: ({ id }) => withoutSlow([...(meeting.get(id) ?? [])]),
    /** What an import computes may be used by any test: those that use its file otherwise come first. */
    testsOfImport: ({ file }) => {
      const near = new Set(idsOf.get(file).flatMap((other) => [...(meeting.get(other.id) ?? [])]));
      const quick = sorted.filter(({ ms }) => ms < MOST_TEST_MS);
      return [...quick.filter((test) => near.has(test)), ...quick.filter((test) => !near.has(test))];
    },
  };
}

function groupBy(all) {
  const groups = new Map();
  for (const mutant of all) groups.set(mutant.file, [...(groups.get(mutant.file) ?? []), mutant]);
  return groups;
}

async function serve(queue, plan, judged) {
  let shared;
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const tests = plan.testsOf(mutant);
    let verdict = { kind: 'uncovered' };
    if (tests.length > 0) {
      shared ??= new Worker();
      verdict = await judge(shared, mutant, tests, false);
      if (verdict.isOver || verdict.isSpoilt || ++shared.judged >= MUTANTS_A_PROCESS) {
        shared.end();
        shared = undefined;
      }
    }
    // What a mutant before it has spoilt, and what is computed once, by an import, only a new process can tell.
    const isAlive = verdict.kind === 'survived' || verdict.kind === 'uncovered';
    if (verdict.isSpoilt || (isAlive && plan.isMetByImport(mutant))) {
      const own = new Worker();
      verdict = await judge(own, mutant, plan.isMetByImport(mutant) ? plan.testsOfImport(mutant) : tests, true);
      own.end();
    }
    judged(mutant, verdict);
  }
  shared?.end();
}

function judge(worker, { id }, tests, isOnForImport) {
  const cpuMs = LEAST_CPU_MS + CPU_FACTOR * tests.reduce((sum, { ms }) => sum + ms, 0);
  const asked = tests.map(({ file, number, name, ticks }) => ({ file, number, name, ticks }));
  return worker.ask({ kind: 'judge', id, tests: asked, isOnForImport }, cpuMs);
}
