import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { once } from '../../test/support/waits.ts';

const ADDON = fileURLToPath(new URL('../../../build/Release/etherws.node', import.meta.url));

// A look-up of a name cannot be ended: its thread runs the addon's code when the worker that asked is gone.
test('the addon stays mapped when the worker that loaded it has ended', async () => {
  const isMapped = (): boolean => readFileSync('/proc/self/maps', 'utf8').includes(ADDON);
  assert.equal(isMapped(), false, 'something else has loaded it');
  const worker = new Worker(`require(${JSON.stringify(ADDON)})`, { eval: true });
  const [status] = await once(worker, 'exit');
  assert.equal(status, 0);
  assert.equal(isMapped(), true);
});
