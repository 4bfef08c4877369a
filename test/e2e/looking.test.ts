import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DISCARD_REASONS } from '../../src/bridge/port.ts';
import { DISCARD_WORDS } from '../../src/cli/ctl/discard-words.ts';
import type { PortPage, StatusEntry } from '../../src/control/status-entries.ts';
import type { EtherwsSwitch } from '../support/etherws.ts';
import { eventually } from '../support/etherws.ts';
import { createCredentials, joinPair, LEFT, LEFT_TAP, macOf, openPair, PASSWORD, pings, USER } from '../support/lan.ts';

const DENIED = 'typeDenied';

/** `ctl status` and `ctl show` on a real switch. */

async function entryOf<Entry>(target: EtherwsSwitch, ...args: readonly string[]): Promise<Entry> {
  const { entries } = JSON.parse(await target.done(...args, '--json')) as { entries: Entry[] };
  return entries[0] as Entry;
}

test('every reason of a discard is explained in words', () => {
  assert.deepEqual(Object.keys(DISCARD_WORDS).toSorted(), [...DISCARD_REASONS].toSorted());
});

test('ctl status and ctl show tell of a switch and its ports what is so', async (t) => {
  const pair = await openPair(t, 'openssl', 'htpasswd', 'ping');
  if (pair === undefined) return;
  const { authority, options } = await createCredentials(pair);
  const policy = join(pair.lab.directory, 'policy.yaml');
  const rules = 'claim-first: 3, ethertypes: [arp, ipv4], rate: {frames: 20k}, dhcp-server: false';
  writeFileSync(policy, `default:\n  tunnels: {${rules}}\n`);
  const { left, right, leftSwitch, rightSwitch } = await joinPair(pair, `wss://${LEFT.name}:8443/`, {
    sw: ['--port', '8443', '--policy', policy, '--fdb-size', '2', ...options],
    addport: ['--cacerts', authority.certificate, '--user', USER, '--passwd', PASSWORD, '--name', 'uplink'],
  });
  // No answer, since the policy refuses IPv6.
  const knockInVain = (): Promise<unknown> => right.run(['ping', '-c', '1', '-W', '1', LEFT_TAP.v6]);
  assert.ok(await pings(right, LEFT_TAP.v4));
  await knockInVain();
  const macOfRight = await macOf(right, 'ethws0');

  await t.test('the accepted tunnel has its user, its peer, TLS, policy and station', async () => {
    const page = await eventually(
      () => entryOf<PortPage>(leftSwitch, 'show', '2'),
      ({ stations, rxDiscards: { [DENIED]: denied = 0 } }) => stations > 0 && denied > 0,
    );
    assert.deepEqual([page.type, page.state, page.user, page.connections], ['server', 'up', USER, 1]);
    assert.deepEqual([page.tls?.protocol, page.transport], ['TLSv1.3', 'native-tls']);
    assert.equal(page.certificate?.of, 'service', 'the client has presented none');
    assert.match(page.certificate?.expires ?? '', /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(page.peer, page.target);
    assert.equal(page.localAddress, LEFT.v4);
    assert.deepEqual(page.policy, {
      claimFirst: 3,
      claimed: page.policy?.claimed,
      etherTypes: ['0x0806', '0x0800'],
      frames: 20_000,
      dhcpServer: false,
    });
    assert.ok(page.policy?.claimed?.includes(macOfRight));
    assert.ok(page.addresses.some(({ mac }) => mac === macOfRight));
    const text = await leftSwitch.done('show', '2');
    for (const line of [/^port 2: server 10\.1\.0\.2:\d+$/m, /User +alice/, /TLSv1\.3, TLS_AES/, /no DHCP server/]) {
      assert.match(text, line);
    }
    assert.match(text, /received: \d+ typeDenied, the policy does not allow its EtherType/);
    assert.ok(text.includes(`${macOfRight}  seen `), text);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: there shall be none
    assert.doesNotMatch(text, /\x1b/, 'no colour where no terminal is');
  });

  await t.test('the dialled one is found by its name, and says why it is down', async () => {
    const page = await entryOf<PortPage>(rightSwitch, 'show', 'uplink');
    assert.deepEqual([page.port, page.user, page.peer], [2, null, `${LEFT.v4}:8443`]);
    assert.equal(page.certificate?.of, 'peer');
    assert.match(await rightSwitch.done('show', 'uplink'), /the certificate of the peer expires at 20/);
    await rightSwitch.done('setport', 'uplink', '--shut', '1');
    const shut = await entryOf<PortPage>(rightSwitch, 'show', 'uplink');
    assert.deepEqual([shut.state, shut.stateSeconds], ['shut', 0]);
    await rightSwitch.done('setport', 'uplink', '--shut', '0');
    await leftSwitch.done('delport', '2');
    const back = await eventually(
      () => entryOf<PortPage>(rightSwitch, 'show', 'uplink'),
      ({ state, connections }) => state === 'up' && connections === 2,
      30_000,
    );
    assert.ok(back.ageSeconds >= back.stateSeconds);
    const { status, stderr } = await rightSwitch.ctl(['show', 'uplnik']);
    assert.equal(status, 1);
    assert.match(stderr, /PORT_NOT_FOUND.*Did you mean uplink\?/s);
  });

  await t.test('the status has services, ports, tunnels, faults and limits', async () => {
    assert.ok(await pings(right, LEFT_TAP.v4));
    await knockInVain();
    const status = await eventually(
      () => entryOf<StatusEntry>(leftSwitch, 'status'),
      ({ faults }) => faults.length > 0,
    );
    assert.deepEqual(status.ports, { up: 2 });
    assert.deepEqual(status.tunnels, { dialled: 0, accepted: 1, users: 1 });
    const urls = status.services.map(({ service, url }) => `${service} ${url}`);
    assert.deepEqual(urls, ['tunnels wss://[::]:8443/', 'control http://127.0.0.1:7867/ctl']);
    assert.ok(status.pid > 0, 'in the namespace of the switch');
    assert.deepEqual([status.fdb.addresses, status.fdb.capacity], [2, 2]);
    assert.ok(status.faults.some(({ port, reason }) => port === 3 && reason === 'typeDenied'));
    assert.ok(status.memory.residentBytes > 1e7 && status.eventLoop.maxMs >= status.eventLoop.meanMs);
    const tunnels = status.limits.find(({ limit }) => limit === '--max-tunnels');
    assert.deepEqual([tunnels?.used, tunnels?.most], [1, 10_000]);
    const text = await leftSwitch.done('status');
    assert.match(text, /^ {2}Ports +2 up$/m);
    assert.match(text, /^ {2}Faults +port 3 received \d+ frames?, typeDenied: the policy/m);
    assert.match(text, /^ {2}Limits +--fdb-size: 2 of 2 used, 100 %$/m);
    const idle = await rightSwitch.done('status');
    assert.match(idle, /no frame was discarded for a fault/);
    assert.match(idle, /Limits +none is near/);
    assert.ok(await pings(left, '192.0.2.2'));
  });
});
