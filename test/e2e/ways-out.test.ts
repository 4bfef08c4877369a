import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PortEntry } from '../../src/control/schema.ts';
import { ETHERWS, EtherwsSwitch } from '../support/etherws.ts';
import { LEFT, openPair, RIGHT } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';

/** The second cable; the first one is the pair's. */
const SECOND = { left: '10.2.0.1', right: '10.2.0.2' } as const;

async function linkLocal(host: Host, device: string): Promise<string> {
  const json = await host.check(['ip', '-json', '-6', 'address', 'show', 'dev', device]);
  const links = JSON.parse(json) as { addr_info?: { local: string; scope: string }[] }[];
  const found = links.flatMap(({ addr_info = [] }) => addr_info).find(({ scope }) => scope === 'link');
  assert.ok(found !== undefined, json);
  return found.local;
}

interface Setting {
  readonly right: Host;
  readonly dialler: EtherwsSwitch;
  /** Dials from the right host. @returns where the left one sees the tunnel come from, and the port that dialled */
  readonly dial: (...args: string[]) => Promise<{ from: string; port: PortEntry }>;
  readonly fails: (...args: string[]) => Promise<string>;
  readonly left: Host;
}

/** Two hosts with two cables; a switch on each. */
async function open(t: TestContext): Promise<Setting | undefined> {
  const pair = await openPair(t);
  if (pair === undefined) return undefined;
  const { left, right, lab } = pair;
  await lab.nameHosts({ 'xn--mller-kva.example': LEFT.v4 });
  await lab.link(
    { host: left, device: 'eth1', addresses: [`${SECOND.left}/24`] },
    { host: right, device: 'eth1', addresses: [`${SECOND.right}/24`] },
  );
  for (const host of [left, right]) {
    await host.check(['bash', '-c', 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done']);
  }
  const listener = await EtherwsSwitch.start(left, ['--port', '8000', '--grace', '0']);
  const dialler = await EtherwsSwitch.start(right, ['--port', '8000']);
  const dial = async (...args: string[]): Promise<{ from: string; port: PortEntry }> => {
    await dialler.done('addport', 'client', ...args);
    const [port, accepted] = [(await dialler.ports()).at(-1), (await listener.ports()).at(-1)];
    assert.ok(port !== undefined && accepted !== undefined);
    await dialler.done('delport', String(port.port));
    return { from: accepted.target.replace(/:\d+$/, ''), port };
  };
  const fails = async (...args: string[]): Promise<string> => {
    const { status, stderr } = await dialler.ctl(['addport', 'client', ...args]);
    assert.equal(status, 1, stderr);
    return stderr;
  };
  return { left, right, dialler, dial, fails };
}

test('link-local addresses are dialled by their zone', async (t) => {
  const setting = await open(t);
  if (setting === undefined) return;
  const { left, right, dial, fails } = setting;
  const [far, near] = [await linkLocal(left, 'eth0'), await linkLocal(right, 'eth0')];
  for (const zone of ['%25eth0', '%eth0']) {
    const { from, port } = await dial(`ws://[${far}${zone}]:8000/`);
    assert.equal(port.state, 'up');
    assert.equal(port.target, `ws://[${far}%25eth0]:8000/`);
    assert.ok(from.startsWith(`[${near}`), from);
  }
  const bound = await dial(`ws://[${far}%25eth0]:8000/`, '--bind-address', `${near}%eth0`);
  assert.ok(bound.from.startsWith(`[${near}`), bound.from);
  assert.match(await fails(`ws://[${far}]:8000/`), /link-local address without its zone.*%25eth0/);
  assert.match(await fails(`ws://[${far}%25eth7]:8000/`), /this host has no device eth7/);
  const unbound = await fails(`ws://[${far}%25eth0]:8000/`, '--bind-address', `${near}%eth7`);
  assert.match(unbound, /%eth7 is no address of this host/);
  const control = async (host: string): Promise<string> =>
    (await right.run([...ETHERWS, 'ctl', '--ctlurl', `http://[${host}]:7867/ctl`, 'listport'])).stderr;
  assert.match(await control(far), /link-local address without its zone/);
  assert.match(await control(`${far}%25eth7`), /this host has no device eth7/);
  assert.match(await control(`${far}%25eth0`), /Nothing listens at/);
});

test('internationalised names are dialled', async (t) => {
  const setting = await open(t);
  if (setting === undefined) return;
  const { port } = await setting.dial('ws://müller.example:8000/');
  assert.deepEqual([port.state, port.target], ['up', 'ws://xn--mller-kva.example:8000/']);
});

test('a host with two ways out takes the one that is named', async (t) => {
  const setting = await open(t);
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
