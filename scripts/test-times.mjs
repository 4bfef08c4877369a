// Loaded in front of each test file (test-file.sh): when the file ends, one line of JSON in ETHERWS_TEST_TIMES says how
// long it lived, for how long its event loop had nothing to do, and how much processor time it took, with all programs
// that it has waited for.
import { appendFileSync, readFileSync } from 'node:fs';

const { ETHERWS_TEST_FILE, ETHERWS_TEST_TIMES } = process.env;
/** Linux reports processor time in hundredths of a second (USER_HZ). */
const TICK_MS = 10;

function processorMs() {
  // The name of the program may hold spaces and brackets: fields are counted behind it, from the state on.
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  // utime, stime, cutime, cstime: proc_pid_stat(5).
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0);
}

// Worker threads load this as well; the programs that a file starts do not.
if (ETHERWS_TEST_FILE === String(process.pid) && ETHERWS_TEST_TIMES !== undefined) {
  process.on('exit', () => {
    const { idle: idleMs } = performance.eventLoopUtilization();
    const line = { file: process.argv[1], livedMs: performance.now(), idleMs, processorMs: processorMs() };
    appendFileSync(ETHERWS_TEST_TIMES, `${JSON.stringify(line)}\n`);
  });
}
