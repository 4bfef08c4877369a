import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { FdbEntry, PortEntry, PortPage } from '../../src/control/schema.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { commandsIn, fencedBlocks } from '../support/fenced-blocks.ts';
import { arpFrame, dhcpReply, dhcpRequest, routerAdvertisement, udpFrame } from '../support/ip-frames.ts';
import { openTapLab } from '../support/lab-test.ts';
import { ADA, BOB, BROADCAST, CEM, plain } from '../support/memory-lan.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

/** Port security of tunnels and devices, and the commands of docs/operate/port-security.md and storms-and-loops.md. */

const SERVER = '0200000000fe';
const LEASE = { address: '192.0.2.10', mac: '02:00:00:00:00:01', vid: 0, kind: 'dhcp' };

/** A tunnel whose far end is the test. */
interface Station {
  readonly port: number;
  /** what came, in hexadecimal */
  readonly got: string[];
  send(...frames: readonly string[]): void;
}

async function join(t: TestContext, lan: SwitchProcess, settings: object): Promise<Station> {
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${lan.tunnelPort}/`);
  t.after(() => tunnel.terminate());
  const got: string[] = [];
  tunnel.on('message', (data: Buffer) => got.push(data.toString('hex')));
  await once(tunnel, 'open');
  const port = (await lan.ports()).at(-1)?.port ?? 0;
  await lan.call('setPort', { port, ...settings });
  const send: Station['send'] = (...frames) => {
    for (const frame of frames) tunnel.send(Buffer.from(frame, 'hex'));
  };
  return { port, got, send };
}

async function refusals(lan: SwitchProcess, { port }: Station): Promise<Readonly<Record<string, number>>> {
  return (await lan.ports()).find((entry) => entry.port === port)?.rxDiscards ?? {};
}

test('limits, locks, floods and storms of tunnels: what a station sees of what another one sends', async (t) => {
  const lan = await SwitchProcess.start(t);
  const listener = await join(t, lan, {});
  const limited = await join(t, lan, { macLimit: 1, storm: 'broadcast=5' });
  limited.send(
    plain(BROADCAST, ADA),
    plain(BROADCAST, BOB),
    ...Array.from({ length: 20 }, () => plain(BROADCAST, ADA)),
  );
  await eventually(
    () => refusals(lan, limited),
    ({ macLimit = 0, stormBroadcast = 0 }) => macLimit === 1 && stormBroadcast >= 10,
  );
  assert.ok(listener.got.length >= 5 && listener.got.every((frame) => frame === plain(BROADCAST, ADA)));

  const shut = await join(t, lan, { macLimit: 1, macLimitAction: 'shut' });
  shut.send(plain(BROADCAST, BOB), plain(BROADCAST, CEM), plain(BROADCAST, BOB));
  const port = async (): Promise<PortEntry | undefined> =>
    (await lan.ports()).find((entry) => entry.port === shut.port);
  const last = await eventually(port, (entry) => entry?.rxDiscards['protected'] === 1);
  assert.deepEqual([last?.state, last?.shut], ['shut', false]);
  assert.match(last?.reason ?? '', /more than 1 address/);
  await lan.call('setPort', { port: shut.port, shut: false });
  assert.equal((await port())?.state, 'up');

  const locked = await join(t, lan, { locked: true, fdb: ['02:00:00:00:00:cc'] });
  locked.send(plain(BROADCAST, '0200000000cc'), plain(BROADCAST, '0200000000dd'));
  await eventually(
    () => refusals(lan, locked),
    ({ locked: refused }) => refused === 1,
  );
  const { entries } = await lan.call<{ entries: FdbEntry[] }>('listFdb');
  const kinds = entries.filter(({ mac }) => mac.endsWith(':cc')).map(({ kind, port: at }) => [kind, at]);
  assert.deepEqual(kinds, [['static', locked.port]]);
});

test('a tunnel with IP source guard uses what DHCP gave it, and no other address', async (t) => {
  const lan = await SwitchProcess.start(t);
  const server = await join(t, lan, { dhcpTrusted: true });
  const client = await join(t, lan, { ipSourceGuard: true, dhcpGuard: true, raGuard: true });
  const data = (from: string, source: string): string =>
    udpFrame(BROADCAST, from, source, '192.0.2.1', [5000, 5001], '00'.repeat(20));
  client.send(data(ADA, '192.0.2.10'), dhcpRequest({ client: ADA }));
  await eventually(
    async () => server.got,
    ({ length }) => length === 1,
  );
  server.send(dhcpReply(SERVER, { client: ADA, assigned: '192.0.2.10', leaseSeconds: 60 }));
  await eventually(
    async () => client.got,
    ({ length }) => length === 1,
  );
  const passing = [data(ADA, '192.0.2.10'), arpFrame(ADA, '192.0.2.10', '192.0.2.1')];
  client.send(...passing, data(ADA, '192.0.2.11'), arpFrame(ADA, '192.0.2.1', '192.0.2.9'), data(BOB, '192.0.2.10'));
  client.send(routerAdvertisement(ADA), dhcpReply(ADA, { client: BOB }));
  await eventually(
    () => refusals(lan, client),
    ({ ipSourceDenied, arpDenied, serverDenied }) => ipSourceDenied === 3 && arpDenied === 1 && serverDenied === 2,
  );
  assert.deepEqual(server.got.slice(1), passing);
  const [page] = (await lan.call<{ entries: PortPage[] }>('getPort', { port: client.port })).entries;
  const [binding, ...more] = page?.bindings ?? [];
  assert.deepEqual({ ...binding, seconds: 0 }, { ...LEASE, seconds: 0 });
  assert.ok((binding?.seconds ?? 0) > 30 && more.length === 0);
});

test('the commands of the pages about port security, and about storms and loops', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const running = await EtherwsSwitch.start(await lab.host('host'), ['--host', '127.0.0.1', '--port', '0']);
  for (const device of ['one0', 'two0', 'three0', 'four0']) await running.done('addport', 'tap', device);
  for (const page of ['docs/operate/port-security.md', 'docs/operate/storms-and-loops.md']) {
    const commands = fencedBlocks(page).flatMap(({ language, text }) => (language === 'sh' ? commandsIn(text) : []));
    assert.ok(commands.length >= 3, page);
    for (const [program, ctl, ...command] of commands) {
      assert.deepEqual([program, ctl], ['etherws', 'ctl']);
      await running.done(...command);
    }
  }
  const settings = (await running.ports()).map((entry) => entry.settings);
  assert.deepEqual(settings[1], {
    locked: true,
    macLimit: 4,
    macLimitAction: 'shut',
    fdb: ['02:00:00:00:00:0c'],
    storm: 'broadcast=500,multicast=5000,unicast=20000',
    ipSourceGuard: true,
  });
  assert.equal(settings[3]?.['storm'], 'none');
  // The kernel sends by the devices, and is learned.
  const fdb = (await running.fdb()).filter(({ kind }) => kind !== 'learned');
  assert.deepEqual(
    fdb.map(({ mac, kind, port }) => [mac, kind, port]),
    [['02:00:00:00:00:0c', 'static', 2]],
    'those of the example were removed and flushed',
  );
  await running.done('delfdb', '02:00:00:00:00:0c');
  assert.equal((await running.port(2)).settings['fdb'], undefined, 'it is no setting any more');
  const { status, stderr } = await running.ctl(['delfdb', '02:00:00:00:00:0c']);
  assert.equal(status, 1);
  assert.match(stderr, /ADDRESS_UNKNOWN.*02:00:00:00:00:0c in VLAN 0 is at no port/);
});
