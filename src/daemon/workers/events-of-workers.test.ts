import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { StreamListener } from '../../control/control-stream.ts';
import type { NodeStream, OpenNodeStream } from '../../control/nodes/node-stream.ts';
import { EventHub } from '../../events/event-hub.ts';
import type { Logger } from '../../observability/logger.ts';
import { SILENT } from '../../observability/logger.ts';
import { EventsOfWorkers } from './events-of-workers.ts';
import { tableOfProcesses } from './tables-of-workers.ts';

const AGAIN_MS = 1000;
const STREAM: NodeStream = {
  result: {},
  call: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
  end: () => undefined,
};

/** Streams to worker 2. @param answer to each opening */
function worker(answer: (listener: StreamListener) => Promise<NodeStream>): {
  readonly opened: () => number;
  readonly warned: object[];
  readonly parts: { readonly workers: () => number[]; readonly open: OpenNodeStream; readonly logger: Logger };
} {
  let opened = 0;
  const warned: object[] = [];
  const open: OpenNodeStream = (_node, _caller, _method, _params, listener) => {
    opened++;
    return answer(listener);
  };
  const logger: Logger = { ...SILENT, warn: (fields, message) => warned.push({ ...fields, message }) };
  return { opened: () => opened, warned, parts: { workers: () => [2], open, logger } };
}

function follow(t: TestContext, parts: ReturnType<typeof worker>['parts']): EventsOfWorkers {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const hub = new EventHub();
  hub.subscribe(() => undefined, ['tunnel-up']);
  const events = new EventsOfWorkers({ hub, ...parts });
  t.after(() => events.close());
  return events;
}

/** Until the turns of the event loop that a promise may take are over. */
async function settle(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise(setImmediate);
}

test('a stream that has ended when it is handed over is opened again', async (t) => {
  const { opened, parts } = worker(async (listener) => {
    listener.ended(new Error('gone'));
    return STREAM;
  });
  follow(t, parts);
  await settle();
  for (const count of [1, 2, 3]) {
    assert.equal(opened(), count);
    t.mock.timers.tick(AGAIN_MS);
    await settle();
  }
});

test('events that cannot be had are told once in the log, and again behind a time when they could', async (t) => {
  let isThere = false;
  const listeners: StreamListener[] = [];
  const { opened, warned, parts } = worker((listener) => {
    listeners.push(listener);
    return isThere ? Promise.resolve(STREAM) : Promise.reject(new Error('refused'));
  });
  follow(t, parts);
  const again = async (): Promise<void> => {
    const before = opened();
    await settle();
    t.mock.timers.tick(AGAIN_MS);
    await settle();
    assert.equal(opened(), before + 1);
  };
  for (let n = 0; n < 6; n++) await again();
  const line = { worker: 2, reason: 'refused', message: 'the events of a worker cannot be had; trying on' };
  assert.deepEqual(warned, [line]);
  isThere = true;
  await again();
  isThere = false;
  listeners.at(-1)?.ended(new Error('gone'));
  for (let n = 0; n < 6; n++) await again();
  assert.deepEqual(warned, [line, line]);
});

test('rows that cannot be had are told once in the log', async (t) => {
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const { opened, warned, parts } = worker(() => Promise.reject(new Error('refused')));
  const none = { *each() {}, close: () => undefined };
  const table = tableOfProcesses({ ...parts, own: { eachPort: () => [] } }, 'networks', none);
  t.after(() => table.close?.());
  for (let count = 1; count <= 6; count++) {
    assert.deepEqual([...table.each()], []);
    assert.equal(opened(), count);
    await settle();
    nowMs += AGAIN_MS;
  }
  assert.deepEqual(warned, [
    { worker: 2, reason: 'refused', message: 'the table networks and ports of a worker cannot be had; trying on' },
  ]);
});
