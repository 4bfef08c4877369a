// Kills processes that test files leave behind. run-tests.mjs starts it and holds its standard input open.
// All processes that a test file starts inherit ETHERWS_TEST_FILE, the process id of the file: also daemons, and
// processes in other sessions or namespaces. Such a process is killed when its file has ended, and all of them when
// standard input ends, which happens however the runner ends. A test file that exceeds its deadline is killed by SIGKILL:
// while it loops in native code, no other signal ends it.
// The arguments: the name of the run, as in ETHERWS_TEST_RUN, and the deadline of a file in ms.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const [run, deadline] = process.argv.slice(2);
const PERIOD_MS = 1000;
/** At the end the reaper repeats its search until no process is left, at most for this time. */
const LAST_LOOK_MS = 10_000;
const MARK = Buffer.from(`\0ETHERWS_TEST_RUN=${run}\0`);
const FILE = /\0ETHERWS_TEST_FILE=(\d+)\0/;

/** The time at which each test file was first seen, by process id. */
const files = new Map();
let isRunning = true;
let wake;

process.stdin.resume().on('end', end).on('error', end);
// Ctrl-C is for the runner.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
process.stdout.on('error', () => undefined);

while (isRunning) {
  look();
  await Promise.race([delay(PERIOD_MS), new Promise((resolve) => (wake = resolve))]);
}
const givenUpMs = Date.now() + LAST_LOOK_MS;
while (killAll(ofThisRun()) > 0 && Date.now() < givenUpMs) await delay(20);
process.exit();

function end() {
  isRunning = false;
  wake?.();
}

function look() {
  const processes = ofThisRun();
  const nowMs = Date.now();
  for (const { pid, file } of processes) if (pid === file && !files.has(pid)) files.set(pid, nowMs);
  const alive = new Set(processes.map(({ pid }) => pid));
  for (const pid of files.keys()) if (!alive.has(pid)) files.delete(pid);
  const late = processes.filter(({ pid }) => nowMs - (files.get(pid) ?? nowMs) > Number(deadline));
  killAll(late);
  killAll(processes.filter(({ file }) => file !== undefined && !files.has(file)));
}

/** The processes of the run, each with the process id of its test file. */
function ofThisRun() {
  const found = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const environment = Buffer.concat([Buffer.of(0), readFileSync(`/proc/${name}/environ`)]);
      if (!environment.includes(MARK)) continue;
      const file = FILE.exec(environment.toString('latin1'))?.[1];
      // A zombie has no environment, so it is not found again.
      found.push({ pid, file: file === undefined ? undefined : Number(file) });
    } catch {
      // It has ended in the meantime, or belongs to another user.
    }
  }
  return found;
}

function killAll(processes) {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended in the meantime.
    }
  }
  return processes.length;
}
