import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { EndpointEntry, PortEntry } from '../../src/control/schema.ts';
import type { EndpointCounters } from '../../src/net/endpoint-counters.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { call, knock } from '../support/http.ts';
import { Process, run } from '../support/process.ts';
import { once } from '../support/waits.ts';

const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
].join('\r\n');

/** The built command line under a limit of open files. */
function limited(limit: number, ...words: readonly string[]): string[] {
  return ['bash', '-c', `ulimit -n ${limit}; exec "$@"`, 'bash', ...ETHERWS, ...words];
}

function portOf(log: string, service: string): number {
  return Number(new RegExp(`"service":"${service}".*?"port":(\\d+)`).exec(log)?.[1]);
}

test('a limit of open files that is too low is told with what to do', async () => {
  // With 18 and fewer (Node 26: 21) Node itself does not start, or finds no modules.
  for (const limit of [22, 24, 32, 48, 64, 127]) {
    const { status, stderr } = await run(limited(limit, 'sw', '--foreground', '--port', '0', '--ctlport', '0'));
    assert.equal(status, 1, stderr);
    assert.match(stderr, /^ {2}The limit of open files is too low.*\(DESCRIPTORS_USED_UP\)\n {2}.*ulimit -n.*\n$/);
  }
});

async function open(t: TestContext, port: number, octets: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(octets);
  return socket;
}

for (const isShared of [false, true]) {
  test(`where tunnels used all descriptors, control still works (${isShared ? 'one listener' : 'two listeners'})`, async (t) => {
    const ports = isShared ? ['--ctlhost', '127.0.0.1'] : [];
    const port = isShared ? String(await freePort()) : '0';
    const own = ['--host', '127.0.0.1', '--port', port, '--ctlport', port];
    const options = ['sw', '--foreground', '--logformat', 'json', '--max-per-address', '1000', ...own, ...ports];
    const lan = new Process(limited(128, ...options), { timeoutMs: 120_000 });
    t.after(() => lan.end());
    await lan.output(/"msg":"ready"/);
    const tunnelPort = portOf(lan.stderr, 'tunnels');
    const control = { port: portOf(lan.stderr, 'control') };
    const listed = async (): Promise<PortEntry[]> => JSON.parse((await call(control, 'listPort')).body).result.entries;

    const tunnels: Socket[] = [];
    for (let status = '101'; status === '101'; ) {
      const tunnel = await open(t, tunnelPort, `${HANDSHAKE}\r\n\r\n`);
      const [answer] = (await once(tunnel, 'data', { waitMs: 20_000 })) as [Buffer];
      status = answer.toString().slice('HTTP/1.1 '.length, 'HTTP/1.1 101'.length);
      if (status === '101') tunnels.push(tunnel);
      else assert.equal(status, '503');
      assert.ok(tunnels.length < 128);
    }
    assert.ok(tunnels.length >= 40, `${tunnels.length} tunnels`);
    // Connections without a complete request use descriptors, too.
    for (let count = 0; count < 60; count++) await open(t, tunnelPort, 'GET / HTTP/1.1\r\n');
    assert.equal((await listed()).length, tunnels.length);
    const { status, stdout } = await run([...ETHERWS, 'ctl', ...urlOf(control.port), 'listport']);
    assert.equal(status, 0, stdout);
    assert.equal((await knock({ port: tunnelPort })).status, 503);
    assert.ok(((await door(control)).outOfDescriptors ?? 0) > 2);
    const lines = lan.stderr.split('\n').filter((line) => line.includes('descriptors are used up'));
    assert.equal(lines.length, 1, lan.stderr);

    // After their end everything is as before.
    for (const tunnel of tunnels) tunnel.destroy();
    await eventually(listed, (entries) => entries.length === 0, 60_000);
    assert.equal((await knock({ port: tunnelPort })).status, 101);
  });
}

/** A port without a listener. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function urlOf(port: number): string[] {
  return ['--ctlurl', `http://127.0.0.1:${port}/ctl`];
}

async function door(control: { port: number }): Promise<Readonly<Partial<Record<keyof EndpointCounters, number>>>> {
  const { entries } = JSON.parse((await call(control, 'listDoor')).body).result as { entries: EndpointEntry[] };
  return entries.find(({ service }) => service === 'tunnels')?.counters ?? {};
}
