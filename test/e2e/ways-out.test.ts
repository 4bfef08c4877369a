import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEFT, RIGHT } from '../support/lan.ts';
import { openTwoWays, SECOND } from '../support/two-ways.ts';

test('internationalised names are dialled', async (t) => {
  const setting = await openTwoWays(t);
  if (setting === undefined) return;
  const { port } = await setting.dial('ws://müller.example:8000/');
  assert.deepEqual([port.state, port.target], ['up', 'ws://xn--mller-kva.example:8000/']);
});

test('a host with two ways out takes the one that is named', async (t) => {
  const setting = await openTwoWays(t);
  if (setting === undefined) return;
  const { right, dial, fails, dialler } = setting;
  const url = `ws://${LEFT.v4}:8000/`;
  assert.equal((await dial(url)).from, RIGHT.v4);

  await t.test('by --bind-device', async () => {
    await right.check(['ip', 'route', 'add', LEFT.v4, 'dev', 'eth1', 'metric', '100', 'src', SECOND.right]);
    await right.check(['ip', 'route', 'add', LEFT.v4, 'dev', 'eth0', 'metric', '50']);
    assert.equal((await dial(url)).from, RIGHT.v4);
    assert.equal((await dial(url, '--bind-device', 'eth1')).from, SECOND.right);
    assert.equal((await dial(url, '--bind-device', 'eth0')).from, RIGHT.v4);
    assert.match(await fails(url, '--bind-device', 'eth7'), /DEVICE_NOT_FOUND: There is no device eth7/);
  });

  await t.test('by --fwmark', async () => {
    await right.check(['ip', 'rule', 'add', 'fwmark', '0x7', 'lookup', '100']);
    await right.check(['ip', 'route', 'add', LEFT.v4, 'dev', 'eth1', 'src', SECOND.right, 'table', '100']);
    for (const mark of ['7', '0x7']) assert.equal((await dial(url, '--fwmark', mark)).from, SECOND.right);
    assert.equal((await dial(url, '--fwmark', '8')).from, RIGHT.v4);
  });

  await t.test('a refusal is told as without', async () => {
    const stderr = await fails(`ws://${LEFT.v4}:9/`, '--bind-device', 'eth1');
    assert.match(stderr, /CONNECTION_REFUSED: Nothing listens/);
    assert.deepEqual(await dialler.ports(), []);
  });
});
