// Which test files run side by side. Two lanes run at the same time: one for files that work, and one for files that mostly
// sleep and leave the processors to the others.
import { availableParallelism } from 'node:os';
import { PassThrough } from 'node:stream';
import { run } from 'node:test';

/**
 * Files that sleep most of the time, the longest first: outages, time-outs and idle times are what they test.
 * `npm test` ends with a list of the slowest files and of the processor time of each.
 */
export const WAITING = [
  'test/attack/login-flood',
  'test/e2e/crowd',
  'test/e2e/survival',
  'test/e2e/grace',
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
/** A file of the other lane takes half of a processor, as it waits for other programs the rest of the time. */
const WORKING_CONCURRENCY = Math.max(2, availableParallelism() + 1);

const placeOf = (file) => WAITING.findIndex((name) => file === `dist/${name}.test.js`);

/** @returns the lanes that have files, as `run` of node:test wants them */
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
 * @param watch gets each lane's stream of events
 * @returns their events as one stream for a reporter: a test of the outermost level comes with all that stands in it
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
