import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { EndpointEntry } from '../../src/control/schema.ts';
import type { EndpointCounters } from '../../src/net/endpoint-counters.ts';
import { TestDaemon } from '../support/daemon.ts';
import { eventually } from '../support/etherws.ts';
import { call, knock } from '../support/http.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once, within } from '../support/waits.ts';

const directory = mkdtempSync(join(tmpdir(), 'etherws-flood-'));
after(() => rmSync(directory, { recursive: true }));
const users = join(directory, 'users');
// The password "hello". A SHA-1 hash is cheap, so the flood has the highest possible rate.
writeFileSync(users, 'ada:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=\n');
const ADA = { Authorization: `Basic ${Buffer.from('ada:hello').toString('base64')}` };

type Counters = Readonly<Partial<Record<keyof EndpointCounters, number>>>;

async function countersOf(running: TestDaemon, service: EndpointEntry['service']): Promise<Counters> {
  const { body } = await call({ host: 'localhost', port: running.controlPort }, 'listDoor');
  const { entries } = (JSON.parse(body) as { result: { entries: EndpointEntry[] } }).result;
  return entries.find((entry) => entry.service === service)?.counters ?? {};
}

async function open(t: TestContext, port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host, port });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the peer has closed or reset the connection. */
function closed(socket: Socket): Promise<void> {
  const isOver = new Promise<void>((resolve) => {
    socket.resume().once('close', () => resolve());
  });
  return within(isOver, 'end of a connection that proves nothing');
}

/** Sends a head of a request that never ends. */
function dribble(t: TestContext, socket: Socket): void {
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
  const timer = setInterval(() => socket.write('X-A: b\r\n'), 20);
  t.after(() => clearInterval(timer));
  socket.once('close', () => clearInterval(timer));
}

test('slowloris: a client that does not complete its request in time is cut, on both services, whatever it sends', async (t) => {
  const running = await TestDaemon.start(t, { handshakeTimeout: '1.5' });
  for (const [service, host, port] of [
    ['tunnels', '127.0.0.1', running.tunnelPort],
    ['control', 'localhost', running.controlPort],
  ] as const) {
    await t.test(service, async (t) => {
      const before = (await countersOf(running, service)).handshakeTimeouts ?? 0;
      const silent = await open(t, port, host);
      const slow = await open(t, port, host);
      dribble(t, slow);
      await Promise.all([closed(silent), closed(slow)]);
      // After a first response the same applies to the next head.
      const second = await open(t, port, host);
      second.write('GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(second, 'data');
      dribble(t, second);
      await closed(second);
      assert.equal((await countersOf(running, service)).handshakeTimeouts, before + 3);
    });
  }
});

test('connections without credentials displace each other, and none that has shown them', async (t) => {
  const running = await TestDaemon.start(t, { maxUnproven: '8' });
  const first = await open(t, running.tunnelPort);
  const gone = closed(first);
  for (let index = 0; index < 8; index++) await open(t, running.tunnelPort);
  await gone;
  assert.equal((await knock({ port: running.tunnelPort })).status, 101);
  const { displaced } = await countersOf(running, 'tunnels');
  assert.equal(displaced, 2);
});

test('an address has its share of connections that prove nothing, too', async (t) => {
  const running = await TestDaemon.start(t, { maxPerAddress: '3' });
  const first = await open(t, running.tunnelPort);
  for (let index = 0; index < 2; index++) await open(t, running.tunnelPort);
  await closed(await open(t, running.tunnelPort));
  first.destroy();
  // The switch notices the end a little later.
  await eventually(
    async () => (await knock({ port: running.tunnelPort }).catch(() => ({ status: undefined }))).status,
    (status) => status === 101,
  );
  assert.ok(((await countersOf(running, 'tunnels')).overAddressShare ?? 0) >= 1);
});

test('tunnels have a bound in all, from an address and of a user', async (t) => {
  const bounds = [
    [{ maxTunnels: '2' }, 503, 'full'],
    [{ maxPerAddress: '2' }, 429, 'overAddressShare'],
    [{ maxPerUser: '2', htpasswd: users }, 429, 'overUserShare'],
  ] as const;
  for (const [options, status, counter] of bounds) {
    await t.test(counter, async (t) => {
      const running = await TestDaemon.start(t, options);
      const enter = async (): Promise<TunnelSocket> => {
        const tunnel = new TunnelSocket(`ws://127.0.0.1:${running.tunnelPort}/`, { headers: ADA });
        t.after(() => tunnel.terminate());
        await once(tunnel, 'open');
        return tunnel;
      };
      await enter();
      const second = await enter();
      assert.equal((await knock({ port: running.tunnelPort, headers: ADA })).status, status);
      assert.equal((await countersOf(running, 'tunnels'))[counter], 1);
      second.close();
      await once(second, 'close');
      await enter();
    });
  }
});

test('2000 failed logins while frames cross: none is lost, and all are counted', async (t) => {
  // On a busy machine a hundred logins at a time take long, and none of them is to be cut.
  const startMs = performance.now();
  const running = await TestDaemon.start(t, { htpasswd: users, loginFailures: '50', handshakeTimeout: '120' });
  const url = `ws://127.0.0.1:${running.tunnelPort}/`;
  const [left, right] = [new TunnelSocket(url, { headers: ADA }), new TunnelSocket(url, { headers: ADA })];
  t.after(() => [left, right].map((tunnel) => tunnel.terminate()));
  await Promise.all([once(left, 'open'), once(right, 'open')]);

  // To a station that is known: more than 4000 broadcasts a second of one port are refused (storm control).
  const known = Buffer.alloc(60).fill(0xff, 0, 6).fill(4, 6, 12);
  await Promise.all([once(left, 'message'), right.send(known)]);
  // As with ping, one request is under way at a time, and its reply has the same payload.
  let isFlooding = true;
  const crossing = (async (): Promise<number> => {
    let count = 0;
    for (; isFlooding || count < 100; count++) {
      const frame = Buffer.alloc(60);
      frame.fill(4, 0, 6).fill(2, 6, 12);
      frame.writeUInt32BE(count, 20);
      const [arrived] = await Promise.all([once(right, 'message'), left.send(frame)]);
      assert.deepEqual(arrived[0], frame);
    }
    return count;
  })();

  const wrong = { Authorization: `Basic ${Buffer.from('ada:wrong').toString('base64')}` };
  const statuses = new Map<number | undefined, number>();
  let left2000 = 2000;
  const attacker = async (): Promise<void> => {
    while (left2000-- > 0) {
      const { status } = await knock({ port: running.tunnelPort, headers: wrong });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 100 }, attacker));
  isFlooding = false;
  assert.ok((await crossing) >= 100);

  const { failedLogins = 0, throttledLogins = 0 } = await countersOf(running, 'tunnels');
  assert.equal(failedLogins, statuses.get(401));
  assert.equal(throttledLogins, statuses.get(429));
  assert.equal(failedLogins + throttledLogins + (statuses.get(503) ?? 0), 2000);
  assert.ok(throttledLogins > 1000, 'most of them cost no hash');
  const said = running.log.filter(({ message }) => message.startsWith('tunnel refused')).length;
  const seconds = (performance.now() - startMs) / 1000;
  assert.ok(said <= 50 + 10 * seconds, `a flood does not keep the log writing: ${said} records in ${seconds} s`);
});
