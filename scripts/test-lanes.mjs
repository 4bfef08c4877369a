// Two lanes of test files run at the same time: one for files that use the processor, and one for files that mostly
// sleep.
import { availableParallelism } from 'node:os';
import { PassThrough } from 'node:stream';
import { run } from 'node:test';

/**
 * Files that sleep most of the time, the longest first: they test outages, time-outs and idle times.
 * `npm test` ends with a list of the slowest files and of the processor time of each.
 */
export const WAITING = [
  'test/e2e/crowd',
  'test/e2e/cluster-store-death',
  'test/e2e/cluster-nats',
  'test/e2e/cluster-partition',
  'test/e2e/cluster-clocks',
  'test/e2e/cluster-upgrade',
  'test/e2e/cluster-node-death',
  'test/e2e/cluster-detour',
  'test/e2e/survival',
  'test/e2e/grace',
  'test/e2e/spanning-ring',
  'test/oracle/mutants',
  'test/e2e/parallel',
  'test/e2e/ways-out',
  'test/e2e/loops',
  'test/attack/client-certificates',
  'test/interop/select-loop',
  'test/e2e/names',
  'test/attack/slowloris',
  'src/ports/tunnel/dial/failback',
  'test/attack/tokens',
  'test/interop/echoing-relay',
];
const WAITING_CONCURRENCY = 2;
/** A file of the other lane uses about half of a processor, and waits for other programs the rest of the time. */
const WORKING_CONCURRENCY = Math.max(2, availableParallelism() + 1);

const placeOf = (file) => WAITING.findIndex((name) => file === `dist/${name}.test.js`);

/** @returns the options of node:test's `run` for each lane that has files */
export function lanesOf(files) {
  const waiting = files.filter((file) => placeOf(file) >= 0).sort((a, b) => placeOf(a) - placeOf(b));
  const working = files.filter((file) => placeOf(file) < 0);
  const lanes = [
    { files: working, concurrency: WORKING_CONCURRENCY },
    { files: waiting, concurrency: WAITING_CONCURRENCY },
  ];
  return lanes.filter((lane) => lane.files.length > 0);
}

/**
 * Runs the lanes at the same time.
 * @param watch called with each lane's stream of events
 * @returns their events as one stream for a reporter; the events of one outermost test are not mixed with others
 */
export function runLanes(lanes, options, watch) {
  const merged = new PassThrough({ objectMode: true });
  let running = lanes.length;
  for (const lane of lanes) {
    const events = run({ ...lane, ...options });
    watch(events);
    let held = [];
    const release = () => {
      for (const event of held) merged.write(event);
      held = [];
    };
    events.on('data', (event) => {
      held.push(event);
      const isWhole = event.type === 'test:pass' || event.type === 'test:fail';
      if (isWhole && event.data.nesting === 0) release();
    });
    events.on('end', () => {
      release();
      running--;
      if (running === 0) merged.end();
    });
  }
  return merged;
}
