import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { patiently } from '../support/cluster/bounds.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';
import { macOf } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { once, until } from '../support/waits.ts';

/*
 * Restarts of a switch with `--state`, and clients that resume their ports.
 */

const ADDRESSES = { ann: '192.0.2.1', bob: '192.0.2.2' };
/** The promised limit of the interruption, on a machine that starts Node within 1 s. */
const MOST_GAP_MS = 2000;
/** The clients' part of it, after the start. */
const MOST_RETURN_MS = 1000;

interface Network {
  readonly hub: Host;
  readonly ann: Host;
  readonly bob: Host;
  readonly state: string;
}

/** A relay in the middle, and two hosts that dial it, each with a TAP device. */
async function openNetwork(t: TestContext): Promise<Network | undefined> {
  const lab = await openTapLab(t, 'ping');
  if (lab === undefined) return undefined;
  const [hub, ann, bob] = [await lab.host('hub'), await lab.host('ann'), await lab.host('bob')];
  for (const [index, host] of [ann, bob].entries()) {
    await lab.link(
      { host: hub, device: `eth${index}`, addresses: [`10.${index}.0.1/24`] },
      { host, device: 'eth0', addresses: [`10.${index}.0.2/24`] },
    );
  }
  return { hub, ann, bob, state: join(lab.directory, 'state') };
}

async function joinHub(host: Host, url: string, address: string): Promise<EtherwsSwitch> {
  const joined = await EtherwsSwitch.start(host, ['--port', '0']);
  await joined.done('addport', 'tap', 'ethws0');
  await joined.done('setif', '1', '--address', `${address}/24`);
  await joined.done('addport', 'client', url);
  return joined;
}

/** Sends echo requests each 20 ms. @returns the longest time between two answers so far, in milliseconds */
function pingStream(from: Host, address: string): { gapMs: () => number; answers: () => number } {
  const ping = from.spawn(['ping', '-D', '-n', '-i', '0.02', address], { env: { LC_ALL: 'C' } });
  const times: number[] = [];
  ping.onLine((line) => {
    const time = /^\[([\d.]+)\] \d+ bytes from/.exec(line)?.[1];
    if (time !== undefined) times.push(Number(time) * 1000);
  });
  return {
    gapMs: () => Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? 0))),
    answers: () => times.length,
  };
}

/** The time of a line of the log, in milliseconds of the day. */
function timeOf(log: string, words: RegExp): number {
  const line = log.split('\n').find((each) => words.test(each)) ?? '';
  const [, hours, minutes, seconds] = /^\[(\d+):(\d+):([\d.]+)\]/.exec(line) ?? [];
  assert.ok(seconds !== undefined, `no ${words} in ${log}`);
  return Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000);
}

test('three restarts: clients are back within 2 s, at ports with their numbers, names and settings', async (t) => {
  const network = await openNetwork(t);
  if (network === undefined) return;
  const { hub, ann, bob, state } = network;
  const options = ['--port', '8000', '--state', state];
  let running = await EtherwsSwitch.start(hub, options);
  const annSwitch = await joinHub(ann, 'ws://10.0.0.1:8000/', ADDRESSES.ann);
  await joinHub(bob, 'ws://10.1.0.1:8000/', ADDRESSES.bob);
  await running.done('setport', '1', '--name', 'ann', '--description', 'room 4');
  await running.done('setport', '2', '--name', 'bob');
  const macs = [await macOf(ann, 'ethws0'), await macOf(bob, 'ethws0')];
  const before = (await running.ports()).map(({ port, name, description }) => ({ port, name, description }));
  assert.deepEqual(
    before.map(({ port, name }) => [port, name]),
    [
      [1, 'ann'],
      [2, 'bob'],
    ],
  );

  for (let restarts = 1; restarts <= 3; restarts++) {
    const stream = pingStream(ann, ADDRESSES.bob);
    await until(() => stream.answers() > 20);
    const stopped = await running.stop();
    assert.equal(stopped.status, 0);
    const answered = stream.answers();
    running = await EtherwsSwitch.start(hub, options);
    await until(() => stream.answers() > answered + 20);
    const gapMs = stream.gapMs();
    const startMs = timeOf(running.process.stderr, /listening .*tunnels/) - timeOf(stopped.stderr, /closing/);
    const figures = `no answer for ${Math.round(gapMs)} ms, ${startMs} ms of them until the switch listened again`;
    t.diagnostic(`restart ${restarts}: ${figures}`);
    assert.ok(gapMs < Math.max(patiently(MOST_GAP_MS), startMs + patiently(MOST_RETURN_MS)), figures);
    const ports = await running.ports();
    assert.deepEqual(
      ports.map(({ port, name, description }) => ({ port, name, description })),
      before,
    );
    assert.ok(ports.every(({ state: now }) => now === 'up'));
    const fdb = await running.fdb();
    assert.deepEqual(
      macs.map((address) => fdb.find(({ mac }) => mac === address)?.port),
      [1, 2],
    );
  }
  assert.match(annSwitch.process.stderr, /closed by the peer: 1012 service restart/);
});

test('a switch that was killed has the ports, too; a shut one stays shut, and one whose client is gone waits', async (t) => {
  const network = await openNetwork(t);
  if (network === undefined) return;
  const { hub, ann, bob, state } = network;
  const options = ['--port', '8000', '--state', state, '--grace', '600'];
  let running = await EtherwsSwitch.start(hub, options);
  const annSwitch = await joinHub(ann, 'ws://10.0.0.1:8000/', ADDRESSES.ann);
  const bobSwitch = await joinHub(bob, 'ws://10.1.0.1:8000/', ADDRESSES.bob);
  await running.done('setport', '1', '--name', 'ann');
  await running.done('setport', '1', '--shut', '1');
  await eventually(
    () => hub.check(['cat', state]),
    (text) => /"name":"ann"/.test(text) && /"shut":true/.test(text),
  );
  await running.stop('SIGKILL');
  await bobSwitch.stop('SIGKILL');
  running = await EtherwsSwitch.start(hub, options);
  const entries = await running.ports();
  assert.deepEqual(
    entries.map(({ port, name, shut }) => [port, name, shut]),
    [
      [1, 'ann', true],
      [2, null, false],
    ],
  );
  assert.match(JSON.stringify(entries[1]), /"away".*the switch was restarted/);
  await running.done('setport', '1', '--shut', '0');
  await eventually(
    () => running.ports(),
    ([first]) => first?.state === 'up',
  );
  // A port that waits keeps its number.
  await annSwitch.done('delport', '2');
  await annSwitch.done('addport', 'client', 'ws://10.0.0.1:8000/');
  await eventually(
    () => running.ports(),
    (ports) => ports.some(({ port, state: now }) => port === 3 && now === 'up'),
  );
});

test('who is told of the restart finds no one who refuses it: the switch accepts no more before it says so', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-restart-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const running = await SwitchProcess.start(t, ['--state', join(directory, 'state')]);
  // This peer never answers the close message, so the switch waits for it.
  const socket = connect(running.tunnelPort, '127.0.0.1');
  t.after(() => socket.destroy());
  const fields = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
  socket.write(`${['GET / HTTP/1.1', ...fields, key, 'Etherws-Wire: 1', 'Etherws-Resume: 1', '', ''].join('\r\n')}`);
  assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 101 /);
  running.process.signal('SIGTERM');
  const [octets] = (await once(socket, 'data')) as [Buffer];
  assert.equal(octets.toString('hex'), '880203f4', 'a close message with 1012');
  const next = connect(running.tunnelPort, '127.0.0.1');
  await assert.rejects(once(next, 'connect'), { code: 'ECONNREFUSED' });
});
