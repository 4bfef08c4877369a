import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControlClient } from '../../src/control/client.ts';
import type { WatchedEvent } from '../../src/control/event-stream.ts';
import type { LiveEntry } from '../../src/control/live/table-keys.ts';
import { FrameSource } from '../support/frame-source.ts';
import { textFile, usersFile } from '../support/users-file.ts';
import { until } from '../support/waits.ts';
import { WorkerService } from '../support/worker-service.ts';

const isFar = (port: unknown): boolean => Number(port) > 500_000_000;

test('a policy that lets others do nothing keeps no event and no row of a worker from a user that may have them', async (t) => {
  const rules = 'default: {control: {methods: none}}\nusers:\n  ann: {control: {methods: all}}\n';
  const policy = textFile(t, 'policy.yaml', rules);
  const users = usersFile(t, { ann: 'secret', eve: 'secret' });
  const service = await WorkerService.start(t, 2, ['--ctlhtpasswd', users, '--policy', policy]);
  const clientOf = (user: string): ControlClient =>
    new ControlClient({ url: service.controlUrl, user, passwd: 'secret' });
  // A stream that ends is missed below.
  const ended = (): void => undefined;
  const events: WatchedEvent[] = [];
  let rows: LiveEntry[] = [];
  const ends = [
    await clientOf('ann').watch({}, (event) => events.push(event), ended),
    await clientOf('ann').observe({ table: 'ports', interval: 1 }, (entries) => (rows = [...entries]), ended),
  ];
  t.after(() => ends.map((end) => end()));
  // The stream to the worker may open later than the first tunnels: they come, one at each process, until one is told.
  for (let n = 0; n < 20 && !events.some(({ worker }) => worker === 2); n++) {
    for (let process = 0; process < 2; process++) await FrameSource.open(t, service.tunnelPort);
    await until(() => events.some(({ worker }) => worker === 2), 1000).catch(() => undefined);
  }
  assert.ok(events.some(({ worker, port }) => worker === 2 && isFar(port)));
  await until(() => rows.some(({ port }) => isFar(port)));
  await assert.rejects(
    clientOf('eve').watch({}, () => undefined, ended),
    /may call no method|METHOD_FORBIDDEN/,
  );
});
