import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  advertisement,
  arpFrame,
  dhcpReply,
  dhcpRequest,
  ipv6Frame,
  routerAdvertisement,
  solicitation,
} from '../../../test/support/ip-frames.ts';
import { ADA, BOB, CEM, type LanPort, MemoryLan, plain } from '../../../test/support/memory-lan.ts';
import { parseMacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { MOST_ADDRESSES } from './host-facts.ts';
import { CLAIM_MS, MOST_FRAMES_A_SECOND } from './host-snooper.ts';
import { addressTexts } from './host-text.ts';

const HOUR_MS = 3_600_000;

/** A bridge with two ports whose hosts are listed; addresses of its filtering database stay for ten hours. */
function snooped(fdbCapacity = 100) {
  const lan = new MemoryLan({ fdbCapacity, ageingTimeMs: 10 * HOUR_MS });
  lan.bridge.setHostSnooping(true);
  const [left, right] = [lan.join(), lan.join()];
  const entryOf = (mac: string, vid = 0) =>
    lan.bridge.entries.find(vid as Vid, parseMacAddress(mac.replace(/(..)(?!$)/g, '$1:')));
  return {
    ...{ lan, left, right, entryOf },
    addressesOf: (mac: string, vid = 0) => addressTexts(entryOf(mac, vid)?.host, lan.nowMs),
    nameOf: (mac: string) => entryOf(mac)?.host?.name,
  };
}

test('a station has the IPv4 addresses that it claims by ARP, not those that it asks for', () => {
  const { left, right, addressesOf } = snooped();
  left.send(arpFrame(ADA, '192.0.2.20', '192.0.2.1'), arpFrame(ADA, '192.0.2.3', '192.0.2.1'));
  right.send(plain(ADA, BOB));
  assert.deepEqual(addressesOf(ADA), ['192.0.2.3', '192.0.2.20']);
  assert.deepEqual(addressesOf(BOB), []);
});

test('what a station says of another one, and addresses that no host can have, do not count', () => {
  const { left, right, addressesOf } = snooped();
  right.send(arpFrame(BOB, '192.0.2.2', '192.0.2.1'));
  left.send(arpFrame(ADA, '192.0.2.9', '192.0.2.1', BOB), advertisement(ADA, 'fe80::9', BOB));
  for (const ip of ['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255']) left.send(arpFrame(ADA, ip, '192.0.2.1'));
  left.send(advertisement(ADA, 'ff02::1', ADA), advertisement(ADA, '::1', ADA));
  left.send(arpFrame(ADA, '192.0.2.7', '192.0.2.1').slice(0, 60));
  assert.deepEqual(addressesOf(ADA), []);
  assert.deepEqual(addressesOf(BOB), ['192.0.2.2']);
});

test('neighbour discovery: sources, targets of advertisements and of duplicate address detection, routers', () => {
  const { left, right, addressesOf } = snooped();
  left.send(solicitation(ADA, '::', 'fe80::a', ''), solicitation(ADA, '2001:db8::a', 'fe80::1'));
  left.send(advertisement(ADA, '2001:db8::b'));
  right.send(routerAdvertisement(BOB));
  assert.deepEqual(addressesOf(ADA), ['2001:db8::a', '2001:db8::b', 'fe80::a']);
  assert.deepEqual(addressesOf(BOB), ['fe80::1']);
});

test('a packet that a router has passed on tells nothing, and neither does data', () => {
  const { left, addressesOf } = snooped();
  const routed = advertisement(ADA, '2001:db8::c').replace('3aff', '3afe');
  left.send(routed, ipv6Frame(BOB, ADA, '2001:db8::d', 17, '00'.repeat(8)), plain(BOB, ADA));
  assert.deepEqual(addressesOf(ADA), []);
});

test('where a port is trusted, only servers behind such ports tell the leases and names of others', () => {
  const { lan, left, right, addressesOf, nameOf } = snooped();
  const server = lan.join();
  left.send(plain(BOB, ADA));
  const answer = (by: LanPort, assigned: string, hostName: string): void =>
    by.send(dhcpReply(BOB, { client: ADA, assigned, leaseSeconds: 9000, hostName }));
  answer(right, '192.0.2.66', 'forged');
  assert.deepEqual(
    [addressesOf(ADA), nameOf(ADA)],
    [['192.0.2.66'], 'forged'],
    'without a trusted port all are believed',
  );
  lan.set(server.port, { isDhcpTrusted: true });
  assert.deepEqual([addressesOf(ADA), nameOf(ADA)], [[], undefined], 'what was told before is forgotten');
  answer(right, '192.0.2.66', 'forged');
  answer(left, '192.0.2.66', 'forged');
  assert.deepEqual([addressesOf(ADA), nameOf(ADA)], [[], undefined]);
  answer(server, '192.0.2.10', 'ada');
  answer(right, '192.0.2.66', 'forged');
  assert.deepEqual([addressesOf(ADA), nameOf(ADA)], [['192.0.2.10'], 'ada']);
  lan.set(server.port, { isDhcpTrusted: false });
  answer(right, '192.0.2.11', 'again');
  assert.deepEqual([addressesOf(ADA), nameOf(ADA)], [['192.0.2.11'], 'again'], 'no port is trusted any more');
});

test('while the trusted port is gone no server is believed, and when it comes back nothing is forgotten', () => {
  const { lan, left, right, addressesOf } = snooped();
  const first = lan.join({ isDhcpTrusted: true });
  left.send(arpFrame(ADA, '192.0.2.3', '192.0.2.1'));
  const forge = (): void => right.send(dhcpReply(BOB, { client: ADA, assigned: '192.0.2.66', leaseSeconds: 9000 }));
  lan.bridge.detach(first.port);
  lan.set(left.port, { isIsolated: true });
  forge();
  assert.deepEqual(addressesOf(ADA), ['192.0.2.3'], 'gone');
  const again = lan.join({ isDhcpTrusted: true });
  forge();
  assert.deepEqual(addressesOf(ADA), ['192.0.2.3'], 'back');
  again.send(dhcpReply(CEM, { client: ADA, assigned: '192.0.2.10', leaseSeconds: 9000 }));
  assert.deepEqual(addressesOf(ADA), ['192.0.2.3', '192.0.2.10']);
});

test('DHCP: the lease and the name that the client gives, or else those of the server', () => {
  const { left, right, addressesOf, nameOf } = snooped();
  left.send(dhcpRequest({ client: ADA, hostName: 'ada' }));
  assert.equal(nameOf(ADA), 'ada');
  assert.deepEqual(addressesOf(ADA), []);
  right.send(dhcpReply(BOB, { client: ADA, assigned: '192.0.2.10', leaseSeconds: 60 }));
  assert.deepEqual([nameOf(ADA), addressesOf(ADA)], ['ada', ['192.0.2.10']]);
  right.send(dhcpReply(BOB, { client: ADA, assigned: '192.0.2.11', leaseSeconds: 60, hostName: 'ada.lan' }));
  assert.deepEqual([nameOf(ADA), addressesOf(ADA)], ['ada.lan', ['192.0.2.11']], 'a new lease ends the former one');
  left.send(arpFrame(ADA, '192.0.2.40', '192.0.2.1'), dhcpRequest({ client: ADA, current: '192.0.2.11' }, 7));
  assert.deepEqual(addressesOf(ADA), ['192.0.2.40'], 'released');
});

test('DHCP: a message without a name takes none away, and only those that ask for an address give one', () => {
  const { left, right, nameOf } = snooped();
  left.send(dhcpRequest({ client: ADA, hostName: 'ada' }, 1));
  assert.equal(nameOf(ADA), 'ada', 'DISCOVER');
  left.send(dhcpRequest({ client: ADA }, 1), dhcpRequest({ client: ADA }, 3));
  right.send(dhcpReply(BOB, { client: ADA, assigned: '192.0.2.10' }));
  left.send(dhcpRequest({ client: ADA, hostName: 'other' }, 8));
  assert.equal(nameOf(ADA), 'ada', 'INFORM');
});

test('DHCP: an answer without an address ends no lease, and a lease without an end is longer than a claim', () => {
  const { left, right, lan, addressesOf } = snooped();
  left.send(plain(BOB, ADA));
  right.send(dhcpReply(BOB, { client: ADA, assigned: '10.20.30.40' }));
  right.send(dhcpReply(BOB, { client: ADA, assigned: '0.0.0.0' }));
  assert.deepEqual(addressesOf(ADA), ['10.20.30.40']);
  lan.pass(2 * CLAIM_MS);
  assert.deepEqual(addressesOf(ADA), ['10.20.30.40']);
});

test('a trusted port that is gone does not keep others from being believed once no port is to be trusted', () => {
  const { lan, left, right, addressesOf } = snooped();
  left.send(plain(BOB, ADA));
  const [first, second] = [lan.join({ isDhcpTrusted: true }), lan.join({ isDhcpTrusted: true })];
  lan.bridge.detach(first.port);
  lan.set(second.port, { isDhcpTrusted: false });
  right.send(dhcpReply(BOB, { client: ADA, assigned: '192.0.2.10' }));
  assert.deepEqual(addressesOf(ADA), ['192.0.2.10']);
});

test('DHCP: offers, refusals, clients that are no stations, and requests in the name of another one do not count', () => {
  const { left, right, lan, addressesOf, nameOf } = snooped();
  left.send(dhcpRequest({ client: ADA }));
  for (const type of [2, 6]) right.send(dhcpReply(BOB, { client: ADA, assigned: '192.0.2.10' }, type));
  right.send(dhcpReply(BOB, { client: CEM, assigned: '192.0.2.10' }));
  right.send(dhcpRequest({ client: ADA, hostName: 'evil' }).replace(`ffffffffffff${ADA}`, `ffffffffffff${BOB}`));
  left.send(dhcpRequest({ client: ADA, hostName: 'evil' }).replace(`ffffffffffff${ADA}`, `ffffffffffff${CEM}`));
  assert.deepEqual([addressesOf(ADA), nameOf(ADA)], [[], undefined]);
  assert.equal(lan.bridge.hosts.addresses, 0);
});

test('a name has no control characters, and at most 63 octets', () => {
  const { left, nameOf } = snooped();
  left.send(dhcpRequest({ client: ADA, hostName: `a\x1b[2J\n<b>${'x'.repeat(90)}` }));
  assert.equal(nameOf(ADA), `a\ufffd[2J\ufffd<b>${'x'.repeat(54)}`);
});

test('what is known follows the station to another port, stays with its VLAN, and ends with its entry', () => {
  const { lan, left, right, addressesOf, entryOf } = snooped();
  left.send(arpFrame(ADA, '192.0.2.2', '192.0.2.1'));
  const tagged = arpFrame(ADA, '192.0.2.3', '192.0.2.1').replace('0806', '810000050806');
  left.send(tagged);
  lan.pass(1000);
  right.send(plain(BOB, ADA));
  assert.deepEqual([addressesOf(ADA), entryOf(ADA)?.port], [['192.0.2.2'], right.port]);
  assert.equal(entryOf(ADA)?.learnedMs, 0, 'a move does not change when it was learned');
  assert.deepEqual(addressesOf(ADA, 5), ['192.0.2.3']);
  assert.equal(lan.bridge.hosts.addresses, 2);
  lan.bridge.entries.flush();
  assert.equal(lan.bridge.hosts.addresses, 0);
  right.send(plain(BOB, ADA));
  assert.deepEqual(addressesOf(ADA), []);
});

test('what is known stays when the operator fixes the address, and at another port such a station claims nothing', () => {
  const { lan, left, right, addressesOf, entryOf } = snooped();
  left.send(arpFrame(ADA, '192.0.2.2', '192.0.2.1'));
  const mac = parseMacAddress('02:00:00:00:00:01');
  lan.set(left.port, { staticEntries: [{ vid: 0 as Vid, mac }] });
  assert.deepEqual([entryOf(ADA)?.kind, addressesOf(ADA)], ['static', ['192.0.2.2']]);
  lan.set(left.port, {
    staticEntries: [
      { vid: 0 as Vid, mac },
      { vid: 0 as Vid, mac: parseMacAddress('02:00:00:00:00:03') },
    ],
  });
  right.send(arpFrame(ADA, '192.0.2.99', '192.0.2.1'));
  assert.deepEqual(addressesOf(ADA), ['192.0.2.2']);
  lan.set(left.port, { staticEntries: [] });
  assert.equal(lan.bridge.hosts.addresses, 0);
});

test('an address ends an hour after it was last claimed, or with a longer lease, which ARP does not shorten', () => {
  const { lan, left, right, addressesOf } = snooped();
  left.send(arpFrame(ADA, '192.0.2.2', '192.0.2.1'));
  right.send(dhcpReply(BOB, { client: ADA, assigned: '192.0.2.3', leaseSeconds: 2 * 3600 }));
  left.send(arpFrame(ADA, '192.0.2.3', '192.0.2.1'));
  lan.pass(CLAIM_MS - 1);
  assert.deepEqual(addressesOf(ADA), ['192.0.2.2', '192.0.2.3']);
  lan.pass(1);
  assert.deepEqual(addressesOf(ADA), ['192.0.2.3']);
  lan.pass(CLAIM_MS);
  assert.deepEqual(addressesOf(ADA), []);
});

test('a station has at most eight addresses, the last ones', () => {
  const { left, addressesOf, lan } = snooped();
  for (let host = 1; host <= 20; host++) left.send(arpFrame(ADA, `192.0.2.${host}`, '192.0.2.200'));
  left.send(arpFrame(ADA, '192.0.2.13', '192.0.2.200'), arpFrame(ADA, '192.0.2.21', '192.0.2.200'));
  assert.deepEqual(
    addressesOf(ADA),
    [13, 15, 16, 17, 18, 19, 20, 21].map((host) => `192.0.2.${host}`),
  );
  assert.equal(lan.bridge.hosts.addresses, MOST_ADDRESSES);
});

test('all stations have as many addresses as the database has entries; then a further one displaces one of the same station', () => {
  const { lan, left, right, addressesOf } = snooped(10);
  for (let host = 1; host <= 8; host++) left.send(arpFrame(ADA, `192.0.2.${host}`, '192.0.2.200'));
  for (let host = 11; host <= 18; host++) right.send(arpFrame(BOB, `192.0.2.${host}`, '192.0.2.200'));
  assert.deepEqual(addressesOf(BOB), ['192.0.2.17', '192.0.2.18']);
  right.send(arpFrame(CEM, '192.0.2.31', '192.0.2.200'), arpFrame(CEM, '192.0.2.32', '192.0.2.200'));
  assert.deepEqual([addressesOf(CEM), lan.bridge.hosts.addresses], [['192.0.2.32'], 11]);
});

test('of a flood a thousand frames a second are read; frames of other ports are read meanwhile', () => {
  const { lan, left, right, addressesOf } = snooped();
  lan.nowMs = 5000;
  for (let frame = 0; frame < MOST_FRAMES_A_SECOND + 50; frame++) {
    if (frame === 500) lan.nowMs += 999;
    left.send(arpFrame(ADA, frame < MOST_FRAMES_A_SECOND ? '192.0.2.2' : '192.0.2.8', '192.0.2.1'));
  }
  assert.deepEqual(lan.bridge.hosts.counters, { read: MOST_FRAMES_A_SECOND, skipped: 50 });
  assert.deepEqual(addressesOf(ADA), ['192.0.2.2'], 'a frame that is not read tells nothing');
  right.send(arpFrame(BOB, '192.0.2.3', '192.0.2.1'));
  assert.deepEqual(addressesOf(BOB), ['192.0.2.3']);
  lan.pass(1000);
  left.send(arpFrame(ADA, '192.0.2.9', '192.0.2.1'));
  assert.deepEqual(addressesOf(ADA), ['192.0.2.2', '192.0.2.9']);
});

test('off: nothing is read, and what was known is forgotten', () => {
  const { lan, left, addressesOf } = snooped();
  left.send(arpFrame(ADA, '192.0.2.2', '192.0.2.1'));
  lan.bridge.setHostSnooping(false);
  assert.deepEqual([addressesOf(ADA), lan.bridge.hosts.addresses], [[], 0]);
  left.send(arpFrame(ADA, '192.0.2.2', '192.0.2.1'));
  lan.bridge.entries.flush();
  assert.deepEqual([lan.bridge.hosts.addresses, lan.bridge.hosts.counters.read], [0, 1]);
});

test('an answer is read within a batch of data with the same addresses', () => {
  const { left, lan, addressesOf } = snooped();
  const reply = arpFrame(ADA, '192.0.2.2', '192.0.2.1').replace(/^f{12}/, BOB);
  left.send(plain(BOB, ADA), plain(BOB, ADA), reply, plain(BOB, ADA));
  assert.deepEqual(addressesOf(ADA), ['192.0.2.2']);
  assert.equal(lan.bridge.hosts.counters.read, 1);
});
