import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LEFT, LEFT_TAP, macOf, openPair, pings, startSwitches } from '../support/lan.ts';
import { missingModules, Peer } from '../support/peer.ts';

const RELAY = `ws://${LEFT.v4}:9000/`;

/** The whole configuration of the DHCP server: one address to lease. */
const LEASES = [
  'interface ethws0',
  'start 192.0.2.77',
  'end 192.0.2.77',
  'max_leases 1',
  'opt subnet 255.255.255.0',
  'opt lease 3600',
];
/** The script that udhcpc runs for each event. */
const CONFIGURE = '#!/bin/sh\n[ "$1" != bound ] || ip address add "$ip/24" dev "$interface"\n';

test('DHCP and pings pass a relay that sends group frames back to their sender', async (t) => {
  const missing = missingModules('websockets');
  if (missing !== false) return t.skip(missing);
  const pair = await openPair(t, 'ping', 'busybox');
  if (pair === undefined) return;
  await Peer.start(pair.left, 'echoing_relay.py', [LEFT.v4, '9000'], /^listening$/m);
  const { left, right, leftSwitch, rightSwitch } = await startSwitches(pair);
  for (const each of [leftSwitch, rightSwitch]) await each.done('addport', 'client', RELAY);

  const leases = join(pair.lab.directory, 'leases');
  const config = join(pair.lab.directory, 'udhcpd.conf');
  const script = join(pair.lab.directory, 'configure');
  writeFileSync(leases, '');
  writeFileSync(
    config,
    [...LEASES, `lease_file ${leases}`, `pidfile ${join(pair.lab.directory, 'pid')}`, ''].join('\n'),
  );
  writeFileSync(script, CONFIGURE);
  chmodSync(script, 0o755);
  left.spawn(['busybox', 'udhcpd', '-f', config], { timeoutMs: 600_000 });

  const asked = await right.run(['busybox', 'udhcpc', '-f', '-q', '-n', '-t', '10', '-i', 'ethws0', '-s', script]);
  assert.equal(asked.status, 0, asked.stderr);
  assert.match(await right.check(['ip', 'address', 'show', 'dev', 'ethws0']), /192\.0\.2\.77\/24/);
  assert.ok(await pings(right, LEFT_TAP.v4));
  assert.ok(await pings(left, '192.0.2.77'));

  for (const each of [leftSwitch, rightSwitch]) {
    const mac = await macOf(each.host, 'ethws0');
    assert.equal((await each.fdb()).find((entry) => entry.mac === mac)?.port, 1, 'its own station is at the device');
    const { echoed = 0 } = (await each.port(2)).rxDiscards;
    assert.ok(echoed > 0);
  }
});
