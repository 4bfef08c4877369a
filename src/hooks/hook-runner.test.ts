import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until, within } from '../../test/support/waits.ts';
import { EventHub } from '../events/event-hub.ts';
import type { Logger } from '../observability/logger.ts';
import { HookRunner } from './hook-runner.ts';

interface World {
  readonly hub: EventHub;
  readonly runner: HookRunner;
  readonly said: { readonly lost?: number; readonly message: string }[];
  runs(): string[];
}

/** A hook on `reload` that writes the number of its event to a file. */
function open(t: TestContext, more = ''): World {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-hook-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [program, log] = [join(directory, 'hook'), join(directory, 'log')];
  writeFileSync(program, `#!/bin/sh\necho $ETHERWS_SEQUENCE >> ${log}\n${more}\n`, { mode: 0o755 });
  writeFileSync(log, '');
  const said: World['said'] = [];
  const note = (fields: object, message: string): void => void said.push({ ...fields, message });
  const logger: Logger = { debug: note, info: note, warn: note, error: note, isLevelEnabled: () => true };
  const hub = new EventHub();
  const runner = new HookRunner({ hooks: [{ event: 'reload', program }], timeoutMs: 60_000, hub, logger });
  return { hub, runner, said, runs: () => readFileSync(log, 'utf8').split('\n').slice(0, -1) };
}

test('runs wait for the start, a flood is cut and counted, and the publisher does not wait', async (t) => {
  const { hub, runner, said, runs } = open(t);
  for (let count = 0; count < 1000; count++) hub.publish('reload', { failures: 0 });
  hub.publish('port-up', { port: 1 });
  hub.flush();
  assert.deepEqual(said.at(-1), { lost: 744, running: 0, waiting: 256, message: said.at(-1)?.message });
  assert.deepEqual(runs(), []);
  runner.start();
  await until(() => runs().length === 256);
  const numbers = runs().map(Number);
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: 256 }, (_, at) => at + 1),
  );
  // Four programs run at the same time, so the order is only about that of the events.
  for (const [at, number] of numbers.entries()) assert.ok(Math.abs(number - at - 1) < 30, `${number} at ${at}`);
  await runner.close();
});

test('the end runs what waits, ends what is left behind 5 s, and takes no more', async (t) => {
  const { hub, runner, runs, said } = open(t, 'exec sleep 1000');
  runner.start();
  for (let count = 0; count < 6; count++) hub.publish('reload', { failures: 0 });
  await within(runner.close(), 'the end of the programs');
  assert.deepEqual(runs().map(Number).toSorted(), [1, 2, 3, 4]);
  // None of them ran for longer than its own limit.
  assert.equal(said.filter(({ message }) => message === 'a hook was ended').length, 4);
  assert.equal(said.find(({ lost }) => lost !== undefined)?.lost, 2);
  assert.equal(hub.isWanted('reload'), false);
  const never = open(t);
  await never.runner.close();
  assert.deepEqual(never.runs(), []);
});
