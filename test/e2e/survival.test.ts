import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { PortEntry } from '../../src/control/schema.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { joinPair, LEFT, LEFT_TAP, openPair, pings, pingsInVain } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';

/** Waits of at most 1 s, so that the tests are short. */
const QUICK = ['--reconnect-min', '0.2', '--reconnect-max', '1'];
const CLIENT = 2;

type JoinedPair = Awaited<ReturnType<typeof joinPair>>;

/** Starts the left switch again, as joinPair does. */
async function startLeft(left: Host, ...options: readonly string[]): Promise<EtherwsSwitch> {
  const started = await EtherwsSwitch.start(left, ['--port', '8000', ...options]);
  // The client may have connected before the device's port was added.
  const { entries } = JSON.parse(await started.done('addport', 'tap', 'ethws0', '--json')) as { entries: PortEntry[] };
  await started.done('setif', String(entries[0]?.port), '--address', LEFT_TAP.v4, '--netmask', '255.255.255.0');
  return started;
}

/** Waits until the client port is up again, with its old number, and frames cross. */
async function flowsAgain({ right, rightSwitch }: JoinedPair): Promise<PortEntry> {
  const port = await eventually(
    () => rightSwitch.port(CLIENT),
    ({ state }) => state === 'up',
    60_000,
  );
  // A new TAP device has a new MAC address; the kernel keeps the old neighbour entry for 30 s.
  await right.check(['ip', 'neighbour', 'flush', 'dev', 'ethws0']);
  await eventually(
    () => pings(right, LEFT_TAP.v4, 1),
    (isAnswered) => isAnswered,
    60_000,
  );
  assert.deepEqual(
    (await rightSwitch.ports()).map(({ port }) => port),
    [1, CLIENT],
  );
  return port;
}

test('a client port outlives its server: killed, replaced, and its network gone', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const joined = await joinPair(pair, `ws://${LEFT.v4}:8000/`, { addport: QUICK });
  const { left, right, rightSwitch } = joined;
  let { leftSwitch } = joined;
  assert.ok(await pings(right, LEFT_TAP.v4));
  const { rx } = await rightSwitch.port(CLIENT);

  await t.test('kill -9, and a start on the same address', async () => {
    await leftSwitch.stop('SIGKILL');
    const waiting = await eventually(
      () => rightSwitch.port(CLIENT),
      ({ state, reason }) => state === 'backoff' && /Nothing listens/.test(reason ?? ''),
    );
    assert.match(waiting.reason ?? '', /^next try in \d+ s: Nothing listens at 10\.1\.0\.1:8000$/);
    assert.match(await rightSwitch.done('listport'), /^ {5}2 {2}client {2}(backoff|connecting) /m);
    leftSwitch = await startLeft(left);
    const port = await flowsAgain(joined);
    assert.equal(port.wire, 'batched');
    assert.ok((await rightSwitch.port(CLIENT)).rx > rx, 'the counters go on');
  });

  await t.test('another switch on the same address, which speaks another wire', async () => {
    await leftSwitch.stop('SIGTERM');
    leftSwitch = await startLeft(left, '--wire', 'raw');
    assert.equal((await flowsAgain(joined)).wire, 'raw');
  });

  await t.test('the link below down for 5 s', async () => {
    await right.check(['ip', 'link', 'set', 'eth0', 'down']);
    assert.ok(await pingsInVain(right, LEFT_TAP.v4));
    await delay(5000);
    await right.check(['ip', 'link', 'set', 'eth0', 'up']);
    await flowsAgain(joined);
  });

  await t.test('a shut port keeps its tunnel', async () => {
    await rightSwitch.done('setport', '2', '--shut', '1');
    assert.equal((await leftSwitch.ports()).at(-1)?.state, 'up');
    await rightSwitch.done('setport', '2', '--shut', '0');
    assert.ok(await pings(right, LEFT_TAP.v4));
  });
});

test('a half-open tunnel is found, and dialled again', async (t) => {
  const pair = await openPair(t, 'ping', 'nft');
  if (pair === undefined) return;
  const joined = await joinPair(pair, `ws://${LEFT.v4}:8000/`, { addport: QUICK });
  const { left, right, rightSwitch } = joined;
  assert.ok(await pings(right, LEFT_TAP.v4));
  await left.check(['nft', 'add table ip t { chain c { type filter hook input priority 0; tcp dport 8000 drop; }; }']);
  const lost = await eventually(
    () => rightSwitch.port(CLIENT),
    ({ state }) => state !== 'up',
    // 20 s to the ping, 20 s for its answer, and time for a busy machine.
    120_000,
  );
  assert.match(lost.reason ?? '', /no answer to a ping within 20 s/);
  await left.check(['nft', 'delete table ip t']);
  await flowsAgain(joined);
});

test('how a client port waits is its own affair', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const { left, right } = pair;
  const rightSwitch = await EtherwsSwitch.start(right);
  const url = `ws://${LEFT.v4}:8000/`;

  await t.test('--no-wait adds it before there is a server', async () => {
    const { status } = await rightSwitch.ctl(['addport', 'client', url]);
    assert.equal(status, 1, 'by default a first failure is an error');
    await rightSwitch.done('addport', 'client', url, '--no-wait', ...QUICK);
    const leftSwitch = await EtherwsSwitch.start(left, ['--port', '8000']);
    await eventually(
      () => rightSwitch.port(1),
      ({ state }) => state === 'up',
    );

    await rightSwitch.done('addport', 'client', url, '--no-reconnect');
    await rightSwitch.done('addport', 'client', `ws://${LEFT.v4}:9/`, url, ...QUICK);
    assert.equal((await rightSwitch.port(3)).url, url);
    await leftSwitch.stop();
    const down = await eventually(
      () => rightSwitch.port(2),
      ({ state }) => state === 'down',
    );
    assert.match(down.reason ?? '', /closed by the peer/);
  });

  await t.test('an address that appears is reason enough to try at once', async () => {
    await right.check(['ip', 'address', 'flush', 'dev', 'eth0']);
    const slow = ['--no-wait', '--reconnect-min', '3000', '--reconnect-max', '3000'];
    const { entries } = JSON.parse(await rightSwitch.done('addport', 'client', url, ...slow, '--json')) as {
      entries: PortEntry[];
    };
    const number = entries[0]?.port ?? 0;
    await eventually(
      () => rightSwitch.port(number),
      ({ state }) => state === 'backoff',
    );
    await EtherwsSwitch.start(left, ['--port', '8000']);
    await right.check(['ip', 'address', 'add', '10.1.0.2/24', 'dev', 'eth0']);
    await eventually(
      () => rightSwitch.port(number),
      // Other ports dial the same switch, too: the first connected one forwards.
      ({ state }) => state === 'up' || state === 'standby',
    );
  });
});
