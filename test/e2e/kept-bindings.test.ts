import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import type { PortPage } from '../../src/control/schema.ts';
import type { EtherwsError } from '../../src/errors.ts';
import { TestDaemon } from '../support/daemon.ts';
import { eventually } from '../support/etherws.ts';
import { dhcpReply, dhcpRequest, ipv6Frame, udpFrame } from '../support/ip-frames.ts';
import { ADA, BOB, BROADCAST } from '../support/memory-lan.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

/*
 * The IP addresses that are bound to stations at guarded ports outlive the switch: killed, stopped, and with other ports.
 */

const SERVER = '0200000000fe';

/** The far ends of the tunnels that the switch dials, by the paths of their URLs. */
class FarEnds {
  readonly #server: WebSocketServer;
  readonly #ends = new Map<string, WebSocket>();
  readonly got: string[] = [];

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket, { url = '' }) => {
      this.#ends.set(url.slice(1), socket);
      socket.on('message', (data: Buffer) => this.got.push(`${url.slice(1)} ${data.toString('hex')}`));
      socket.on('close', () => this.#ends.delete(url.slice(1)));
    });
  }

  static async open(t: TestContext): Promise<FarEnds> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, WebSocket: TunnelSocket });
    t.after(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    await once(server, 'listening');
    return new FarEnds(server);
  }

  urlOf(name: string): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${name}`;
  }

  async are(...names: readonly string[]): Promise<void> {
    await eventually(async () => names.every((name) => this.#ends.has(name)), Boolean);
  }

  send(name: string, ...frames: readonly string[]): void {
    for (const frame of frames) this.#ends.get(name)?.send(Buffer.from(frame, 'hex'));
  }
}

const data = (from: string, source: string): string =>
  udpFrame(BROADCAST, from, source, '192.0.2.1', [5000, 5001], '00'.repeat(20));
const ipv6 = (from: string): string => ipv6Frame(BROADCAST, from, 'fe80::a', 17, '00'.repeat(8));

async function bindingsOf(lan: SwitchProcess, port: string): Promise<string[]> {
  const { entries } = await lan.call<{ entries: PortPage[] }>('getPort', { port });
  return (entries[0]?.bindings ?? [])
    .map(({ kind, address, mac, vid }) => `${kind} ${address} ${mac} ${vid}`)
    .toSorted();
}

test('bindings that were seen are there again after a restart, at the same port only', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-bindings-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const state = join(directory, 'state');
  const ends = await FarEnds.open(t);
  let lan = await SwitchProcess.start(t, ['--state', state]);
  const add = (name: string, settings: object): Promise<unknown> =>
    lan.call('addPort', {
      type: 'client',
      target: ends.urlOf(name),
      name,
      options: { reconnectMin: 0.1 },
      ...settings,
    });
  await add('server', { dhcpTrusted: true });
  await add('ada', { ipSourceGuard: true });
  await add('bob', { ipSourceGuard: true });
  await ends.are('server', 'ada', 'bob');

  ends.send('ada', dhcpRequest({ client: ADA }), ipv6(ADA));
  await eventually(
    async () => ends.got.length,
    (count) => count >= 4,
  );
  ends.send('server', dhcpReply(SERVER, { client: ADA, assigned: '192.0.2.10', leaseSeconds: 600 }));
  const bound = ['dhcp 192.0.2.10 02:00:00:00:00:01 0', 'first fe80::a 02:00:00:00:00:01 0'];
  await eventually(
    () => bindingsOf(lan, 'ada'),
    (found) => found.join() === bound.join(),
  );
  await eventually(
    async () => readFileSync(state, 'utf8'),
    (text) => /192\.0\.2\.10.*fe80::a|fe80::a.*192\.0\.2\.10/s.test(text),
  );

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    lan.process.signal(signal);
    await lan.process.exited;
    lan = await SwitchProcess.start(t, ['--state', state]);
    await ends.are('server', 'ada', 'bob');
    assert.deepEqual(await bindingsOf(lan, 'ada'), bound, signal);
    ends.got.length = 0;
    ends.send('bob', data(ADA, '192.0.2.10'), data(BOB, '192.0.2.10'), ipv6(BOB));
    await eventually(
      async () => (await lan.ports()).find(({ name }) => name === 'bob')?.rxDiscards['ipSourceDenied'],
      (refused) => refused === 3,
    );
    ends.send('ada', data(ADA, '192.0.2.10'));
    await eventually(
      async () => ends.got.length,
      (count) => count >= 2,
    );
    const sent = data(ADA, '192.0.2.10');
    assert.deepEqual(ends.got.toSorted(), [`bob ${sent}`, `server ${sent}`], signal);
  }

  await lan.call('delPort', { port: 'ada' });
  await add('ada', { ipSourceGuard: true });
  lan.process.signal('SIGTERM');
  await lan.process.exited;
  lan = await SwitchProcess.start(t, ['--state', state]);
  assert.deepEqual(await bindingsOf(lan, 'ada'), [], 'another port with the same name');
});

test('a state with bindings or tunnels of another shape is not taken, and the file is named', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-bindings-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const state = join(directory, 'state');
  for (const sections of [{ bindings: [{ port: 1 }] }, { bindings: null }, { tunnels: 5 }]) {
    writeFileSync(state, JSON.stringify({ version: 1, sections }));
    await assert.rejects(TestDaemon.start(t, { state }), (error: EtherwsError) => {
      assert.equal(error.code, 'STATE_INVALID', error.message);
      assert.ok(error.message.includes(state), error.message);
      return true;
    });
  }
});
