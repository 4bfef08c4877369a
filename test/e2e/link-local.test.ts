import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ETHERWS } from '../support/etherws.ts';
import type { Host } from '../support/namespaces.ts';
import { openTwoWays } from '../support/two-ways.ts';

async function linkLocal(host: Host, device: string): Promise<string> {
  const json = await host.check(['ip', '-json', '-6', 'address', 'show', 'dev', device]);
  const links = JSON.parse(json) as { addr_info?: { local: string; scope: string }[] }[];
  const found = links.flatMap(({ addr_info = [] }) => addr_info).find(({ scope }) => scope === 'link');
  assert.ok(found !== undefined, json);
  return found.local;
}

test('link-local addresses are dialled by their zone', async (t) => {
  const setting = await openTwoWays(t);
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
