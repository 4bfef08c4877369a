// Which test files run side by side. Two lanes run at the same time: one for files that work, with one file a processor,
// and one for files that mostly sleep, which take the processor from no other file.
import { availableParallelism } from 'node:os';
import { PassThrough } from 'node:stream';
import { run } from 'node:test';

/**
 * Files that sleep most of their time, those that take longest first: they wait for outages, time-outs and idle times that
 * are what is tested. `npm test` ends with how long each of the slowest files lived, and how much of that it worked.
 */
export const WAITING = ['test/e2e/crowd'];
const WAITING_CONCURRENCY = 3;

const placeOf = (file) => WAITING.findIndex((name) => file === `dist/${name}.test.js`);

/** @returns the lanes that have files, as `run` of node:test wants them */
export function lanesOf(files) {
  const waiting = files.filter((file) => placeOf(file) >= 0).sort((a, b) => placeOf(a) - placeOf(b));
  const working = files.filter((file) => placeOf(file) < 0);
  const lanes = [
    { files: working, concurrency: Math.max(2, availableParallelism()) },
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
