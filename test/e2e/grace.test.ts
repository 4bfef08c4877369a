import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PortEntry } from '../../src/control/schema.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { LEFT, LEFT_TAP, pings, pingsInVain, RIGHT_TAP } from '../support/lan.ts';
import { openTriangle, RELAYED, RIGHT_CLIENT, THIRD_CLIENT, THIRD_TAP, type Triangle } from '../support/triangle.ts';

function until(ethernet: EtherwsSwitch, number: number, state: string): Promise<PortEntry> {
  return eventually(
    () => ethernet.port(number),
    (port) => port.state === state,
    60_000,
  );
}

/** Waits until the left switch has exactly these ports. */
async function untilNumbers({ leftSwitch }: Pick<Triangle, 'leftSwitch'>, ...numbers: number[]): Promise<void> {
  await eventually(
    async () => (await leftSwitch.ports()).map(({ port }) => port),
    (ports) => ports.join() === numbers.join(),
    60_000,
  );
}

/** The number of frames that the third switch has received by its tunnel: flooded ones, and those for its own host. */
async function heardByThird({ thirdSwitch }: Triangle): Promise<number> {
  return (await thirdSwitch.port(2)).rx;
}

test('a client that is back in time has its port, its counters and its addresses, and no other station notices', async (t) => {
  const triangle = await openTriangle(t);
  if (triangle === undefined) return;
  const { left, right, third, leftSwitch, rightSwitch, relay, rightMac } = triangle;
  assert.ok(await pings(right, LEFT_TAP.v4));
  assert.ok(await pings(third, RIGHT_TAP.v4));
  const before = await leftSwitch.port(RIGHT_CLIENT);
  const heard = await heardByThird(triangle);

  await t.test('while it is away', async () => {
    await relay.kill();
    const away = await until(leftSwitch, RIGHT_CLIENT, 'away');
    assert.match(away.reason ?? '', /^waiting for its client \(([12]\d|30) s left\): \S/);
    assert.match(await leftSwitch.done('listport', '--long'), /^ {5}2 {2}server {2}away .* waiting for its client/m);
    assert.ok(await pingsInVain(left, RIGHT_TAP.v4));
    const { txDiscards, rx, tx } = await leftSwitch.port(RIGHT_CLIENT);
    assert.deepEqual([txDiscards, rx, tx], [{ linkDown: 3 }, before.rx, before.tx]);
    assert.equal(await heardByThird(triangle), heard, 'frames to a known address were flooded');
    assert.ok((await leftSwitch.fdb()).some(({ mac, port }) => mac === rightMac && port === RIGHT_CLIENT));
  });

  await t.test('when it is back', async () => {
    await relay.start();
    const back = await until(leftSwitch, RIGHT_CLIENT, 'up');
    assert.deepEqual([back.rx, back.tx, back.reason], [before.rx, before.tx, null]);
    assert.notEqual(back.target, before.target);
    assert.ok((await leftSwitch.fdb()).some(({ mac, port }) => mac === rightMac && port === RIGHT_CLIENT));
    await until(rightSwitch, 2, 'up');
    assert.ok(await pings(left, RIGHT_TAP.v4), 'the left host speaks first: the switch still knows where to');
    assert.equal(await heardByThird(triangle), heard, 'frames to a known address were flooded');
    assert.ok(await pings(third, RIGHT_TAP.v4));
    await untilNumbers(triangle, 1, RIGHT_CLIENT, THIRD_CLIENT);
    assert.ok((await leftSwitch.port(RIGHT_CLIENT)).rx >= before.rx + 2, 'an answer to each host');
    assert.doesNotMatch(leftSwitch.process.stderr, /port removed/);
  });

  await t.test('the port that an operator shut stays shut', async () => {
    await leftSwitch.done('setport', '2', '--shut', '1');
    await relay.kill();
    await eventually(
      () => leftSwitch.port(RIGHT_CLIENT),
      ({ reason }) => reason !== null,
    );
    await relay.start();
    await until(rightSwitch, 2, 'up');
    assert.equal((await leftSwitch.port(RIGHT_CLIENT)).state, 'shut');
    await leftSwitch.done('setport', '2', '--shut', '0');
    assert.ok(await pings(right, THIRD_TAP));
  });
});

test('a client whose old connection the server still thinks alive takes its port over at once', async (t) => {
  const triangle = await openTriangle(t, [], 'nft', 'ss');
  if (triangle === undefined) return;
  const { left, right, leftSwitch } = triangle;
  assert.ok(await pings(right, LEFT_TAP.v4));
  const before = await leftSwitch.port(RIGHT_CLIENT);
  const clientPort = before.target.split(':')[1] ?? '';
  // As with a NAT that has lost its state: the client gets a reset, the server does not.
  await left.check([
    'nft',
    `add table ip t { chain c { type filter hook input priority 0; tcp sport ${clientPort} drop; }; }`,
  ]);
  const reset = `tcp sport ${clientPort} reject with tcp reset`;
  await right.check(['nft', `add table ip t { chain c { type filter hook output priority 0; ${reset}; }; }`]);
  // The client notices when it sends something.
  await right.run(['ping', '-c', '1', '-W', '1', LEFT_TAP.v4]);
  await eventually(
    () => leftSwitch.port(RIGHT_CLIENT),
    ({ target }) => target !== before.target,
    60_000,
  );
  assert.doesNotMatch(leftSwitch.process.stderr, /away/);
  const established = await left.check([
    'ss',
    '-Htn',
    'state',
    'established',
    `( sport = :8000 and dport = :${clientPort} )`,
  ]);
  assert.equal(established, '');
  assert.ok(await pings(left, RIGHT_TAP.v4));
  assert.ok((await leftSwitch.port(RIGHT_CLIENT)).rx > before.rx);
  await untilNumbers(triangle, 1, RIGHT_CLIENT, THIRD_CLIENT);
});

test('a client that is late, or another switch by now, gets a new port', async (t) => {
  const triangle = await openTriangle(t, ['--grace', '1']);
  if (triangle === undefined) return;
  const { right, left, leftSwitch, relay } = triangle;
  await relay.kill();
  await untilNumbers(triangle, 1, THIRD_CLIENT);
  assert.match(leftSwitch.process.stderr, /its client did not come back within 1 s/);
  await relay.start();
  await untilNumbers(triangle, 1, THIRD_CLIENT, 4);
  assert.ok(await pings(right, LEFT_TAP.v4));

  await leftSwitch.stop('SIGKILL');
  const again = await EtherwsSwitch.start(left, ['--port', '8000']);
  await eventually(
    () => again.ports(),
    (ports) => ports.length === 2 && ports.every(({ state }) => state === 'up'),
    60_000,
  );
  assert.ok(await pings(right, THIRD_TAP));
});

test('a client that closes in order, or is removed, frees its port at once', async (t) => {
  const triangle = await openTriangle(t, ['--grace', '3600']);
  if (triangle === undefined) return;
  const { right, leftSwitch, rightSwitch, thirdSwitch, relay } = triangle;

  await t.test('the operator of the server removes a port', async () => {
    await leftSwitch.done('delport', String(RIGHT_CLIENT));
    await untilNumbers(triangle, 1, THIRD_CLIENT, 4);
  });
  await t.test('and one whose client is away', async () => {
    await relay.kill();
    await until(leftSwitch, 4, 'away');
    await leftSwitch.done('delport', '4');
    await relay.start();
    await untilNumbers(triangle, 1, THIRD_CLIENT, 5);
  });
  await t.test('the operator of the client removes its port', async () => {
    await rightSwitch.done('delport', '2');
    await untilNumbers(triangle, 1, THIRD_CLIENT);
  });
  await t.test('the client stops', async () => {
    assert.equal((await thirdSwitch.stop()).status, 0);
    await untilNumbers(triangle, 1);
  });
  await t.test('one that never dials again, or speaks the raw wire, is not waited for', async () => {
    await rightSwitch.done('addport', 'client', RELAYED, '--no-reconnect');
    await rightSwitch.done('addport', 'client', RELAYED, '--wire', 'raw', '--no-wait', '--reconnect-max', '1');
    await untilNumbers(triangle, 1, 6, 7);
    await relay.kill();
    await untilNumbers(triangle, 1);
    await relay.start();
    await untilNumbers(triangle, 1, 8);
    assert.ok(await pings(right, LEFT_TAP.v4));
  });
  await t.test('the switch stops while a client is away', async () => {
    await rightSwitch.done('addport', 'client', `ws://${LEFT.v4}:8000/`);
    await rightSwitch.stop('SIGKILL');
    await until(leftSwitch, 9, 'away');
    const { status, stderr } = await leftSwitch.stop();
    assert.equal(status, 0, stderr);
  });
});
