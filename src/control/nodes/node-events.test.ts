import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/support/waits.ts';
import { EventHub } from '../../events/event-hub.ts';
import { AllNodeEvents } from './node-events.ts';
import type { NodeStream } from './node-stream.ts';

const STREAM: NodeStream = {
  result: {},
  call: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
  end: () => undefined,
};

test('a node whose stream has ended when it is handed over is unwatched until it is watched', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: string[] = [];
  let opened = 0;
  const events = new AllNodeEvents(
    {
      ...{ node: 'r1', nodes: () => ['r1', 'r2'], onChange: () => () => undefined, events: new EventHub() },
      open: async (_node, _caller, _method, _params, listener) => {
        if (++opened === 1) listener.ended(new Error('gone'));
        return STREAM;
      },
    },
    ['tunnel-up'],
    { user: null, allowed: undefined, mayCall: () => true },
    { own: () => undefined, event: (event) => told.push((event as { event: string }).event), isFull: false },
  );
  t.after(() => events.end());
  for (let n = 0; n < 5; n++) await new Promise(setImmediate);
  assert.deepEqual([opened, told], [1, ['unwatched']]);
  t.mock.timers.tick(1000);
  await until(() => told.length > 1);
  assert.deepEqual([opened, told], [2, ['unwatched', 'watched']]);
});
