import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import WebSocket from 'ws';
import type { ConfigEntry } from '../../src/control/schema.ts';
import { eventually } from '../support/etherws.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { once, until, within } from '../support/waits.ts';

/** Attacks on operation: hooks, the WebSocket of the control API, saved configurations, and concurrent calls. */

interface Pair {
  /** the switch under attack; its port 1 dials `there` */
  readonly here: SwitchProcess;
  readonly there: SwitchProcess;
  readonly target: string;
}

async function openPair(t: TestContext, options: readonly string[] = []): Promise<Pair> {
  const there = await SwitchProcess.start(t);
  const here = await SwitchProcess.start(t, options);
  const target = `ws://127.0.0.1:${there.tunnelPort}/`;
  return { here, there, target };
}

function callText(id: number, method: string, params: object = {}): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: `etherws.control.${method}`, params });
}

function residentBytes({ process: { pid } }: SwitchProcess): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

async function openWebSocket(t: TestContext, here: SwitchProcess): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${here.controlPort}/ctl`);
  t.after(() => socket.terminate());
  socket.on('error', () => undefined);
  await once(socket, 'open');
  return socket;
}

test('a hook that cannot be started now is a line of the log, and not the end of the switch', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-operation-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const program = join(directory, 'hook');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  const { here, target } = await openPair(t, ['--hook', `port-up=${program}`]);
  // A program that is open for writing cannot be run: ETXTBSY.
  const writing = openSync(program, 'r+');
  t.after(() => closeSync(writing));
  await here.call('addPort', { type: 'client', target });
  await until(() => here.log.includes('a hook cannot be run'));
  assert.equal((await here.ports()).length, 1);
});

test('a caller that does not read its answers fills no memory, and is cut', async (t) => {
  const { here, target } = await openPair(t);
  for (let count = 0; count < 10; count++) await here.call('addPort', { type: 'client', target });
  const socket = await openWebSocket(t, here);
  const closed = once(socket, 'close');
  const batch = `[${Array.from({ length: 50 }, (_, id) => callText(id, 'listPort')).join(',')}]`;
  const beforeBytes = residentBytes(here);
  // The client reads none of the 100 MB of responses.
  socket.pause();
  for (let count = 0; count < 400 && socket.readyState === socket.OPEN; count++) socket.send(batch);
  await within(here.ports(), 'an answer to another caller');
  const grownBytes = residentBytes(here) - beforeBytes;
  assert.ok(grownBytes < 40 * 2 ** 20, `${grownBytes} octets more`);
  socket.resume();
  await closed;
});

test('nothing begins for a caller that has left while its calls waited', async (t) => {
  const { here, target } = await openPair(t);
  await here.call('addPort', { type: 'client', target });
  // A server that sends nothing, so that dialling waits.
  const silent = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const socket = await openWebSocket(t, here);
  const accepted = once(silent, 'connection');
  const calls = [
    callText(1, 'addPort', { type: 'client', target: `ws://127.0.0.1:${port}/` }),
    callText(5, 'setPort', { port: 1, description: 'too late' }),
    callText(2, 'capture', { ports: [1] }),
    callText(3, 'subscribe'),
  ];
  socket.send(`[${calls.join(',')}]`);
  socket.send(callText(4, 'capture', { ports: [1] }));
  const [connection] = (await accepted) as [Socket];
  socket.terminate();
  await here.ports();
  connection.destroy();
  // By then the call of the batch that waited has failed: an answer takes more turns than what is behind it.
  await here.call('ping', { target: '192.0.2.1', wait: 1 });
  const [first] = await here.ports();
  assert.equal(first?.description, null);
  assert.ok(!here.log.includes('capture begins'), here.log);
});

test('of a batch no call begins when its caller has left, by WebSocket and by HTTP', async (t) => {
  const here = await SwitchProcess.start(t);
  const batchFor = (network: string): string => {
    const calls = [callText(1, 'ping', { target: '192.0.2.1', wait: 0.5 }), callText(2, 'addNet', { network })];
    return `[${calls.join(',')}]`;
  };
  const socket = await openWebSocket(t, here);
  socket.send(batchFor('by-websocket'));
  const request = connect(here.controlPort, '127.0.0.1');
  t.after(() => request.destroy());
  await once(request, 'connect');
  const body = batchFor('by-http');
  const head = [
    'POST /ctl HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  request.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  // A longer ping, which ends after those of the batches.
  const ended = here.call('ping', { target: '192.0.2.1', wait: 2 });
  const mine = await openWebSocket(t, here);
  mine.send(callText(1, 'listNet'));
  await once(mine, 'message');
  socket.terminate();
  request.destroy();
  await ended;
  const { entries } = await here.call<{ entries: { network: string }[] }>('listNet');
  assert.deepEqual(
    entries.map(({ network }) => network),
    ['default'],
  );
});

test('a port that takes its time to end hides no other, and a secret in the query of a URL is told to no caller', async (t) => {
  const { here, there, target } = await openPair(t);
  const secret = 'Zr3bJ0pW';
  const full = `${target}?access_token=${secret}`;
  await here.call('addPort', { type: 'client', target: full, options: { alternatives: [full] } });
  const { entries } = await here.call<{ entries: ConfigEntry[] }>('getConfig');
  assert.ok(!JSON.stringify(entries).includes(secret), entries[0]?.text);
  assert.match(entries[0]?.omissions[0] ?? '', /its URL holds a secret/);
  // The stopped peer does not answer the closing handshake.
  process.kill(there.process.pid as number, 'SIGSTOP');
  const removed = here.call('delPort', { port: 1 });
  await eventually(
    () => here.ports(),
    (ports) => ports.length === 0,
  );
  await here.call('getConfig');
  process.kill(there.process.pid as number, 'SIGCONT');
  await removed;
  assert.ok(!here.log.includes(secret));
});

test('a user that may call nothing gets no WebSocket, and another one not all of them', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-operation-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [policy, users] = [join(directory, 'policy'), join(directory, 'users')];
  const rights = 'users: {none: {control: {methods: none}}, some: {control: {methods: [listPort]}}}\n';
  writeFileSync(policy, rights);
  const hash = createHash('sha1').update('x').digest('base64');
  writeFileSync(users, ['none', 'some', 'op'].map((user) => `${user}:{SHA}${hash}\n`).join(''), { mode: 0o600 });
  const here = await SwitchProcess.start(t, ['--policy', policy, '--ctlhtpasswd', users]);
  const open = (user: string): Promise<string> => {
    const socket = new WebSocket(`ws://127.0.0.1:${here.controlPort}/ctl`, { auth: `${user}:x` });
    t.after(() => socket.terminate());
    socket.on('error', () => undefined);
    return once(socket, 'open').then(
      () => 'open',
      (error: Error) => error.message,
    );
  };
  assert.match(await open('none'), /403/);
  for (let count = 0; count < 16; count++) assert.equal(await open('some'), 'open');
  assert.match(await open('some'), /503/);
  assert.equal(await open('op'), 'open');
});
