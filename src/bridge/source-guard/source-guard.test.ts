import assert from 'node:assert/strict';
import { test } from 'node:test';
import { data, guarded, SERVER } from '../../../test/support/guarded-lan.ts';
import {
  advertisement,
  arpFrame,
  dhcpReply,
  dhcpv6Reply,
  ipv4Hex,
  ipv6Frame,
  routerAdvertisement,
  solicitation,
} from '../../../test/support/ip-frames.ts';
import { ADA, BOB, BROADCAST, MemoryLan, plain, refusals } from '../../../test/support/memory-lan.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';

test('a guarded port brings no answers of DHCP servers, with addresses of its own either, unless it is trusted', () => {
  const { lan, ada } = guarded();
  const ofServer = { address: String.fromCharCode(192, 0, 2, 1), mac: 0x0200_0000_00fe as MacAddress };
  const port = lan.join({ hasSourceGuard: true, ipBindings: [ofServer] });
  const reply = dhcpReply(SERVER, { client: ADA, assigned: '192.0.2.10' });
  const reply6 = dhcpv6Reply(SERVER, { client: ADA, addresses: [] });
  ada.send(plain(BROADCAST, ADA));
  port.send(data(SERVER, '192.0.2.1'), reply, reply6);
  assert.deepEqual(refusals(port), { serverDenied: 2 });
  ada.take();
  lan.set(port.port, { isDhcpTrusted: true });
  port.send(reply);
  assert.deepEqual([ada.take(), refusals(port)], [[reply], { serverDenied: 2 }]);
});

test('IPv6: each use of an address prolongs it', () => {
  const { lan, ada, bob } = guarded();
  const use = (from: string): string => ipv6Frame(BROADCAST, from, 'fe80::a', 17, '00'.repeat(8));
  ada.send(use(ADA));
  lan.pass(3_000_000);
  ada.send(use(ADA));
  lan.pass(3_000_000);
  bob.send(use(BOB));
  assert.deepEqual(refusals(bob), { ipSourceDenied: 1 });
});

test('an address that a station had by first use is given back to it, unless another one has it', () => {
  const { lan, ada, bob } = guarded();
  const { sourceGuard } = lan.bridge;
  const [mac, other] = [0x0200_0000_0001, 0x0200_0000_0002] as [MacAddress, MacAddress];
  sourceGuard.takeFirst(ada.port.number, 0 as never, mac, 'a', 0);
  sourceGuard.takeFirst(bob.port.number, 0 as never, other, 'a', 0);
  assert.deepEqual(
    [...sourceGuard.bindings.all(0)].map(({ port, kind }) => [port, kind]),
    [[ada.port.number, 'first']],
  );
});

test('bindings of the operator, with and without MAC address and VID', () => {
  const { lan, ada, server } = guarded();
  const address = Buffer.from(ipv4Hex('192.0.2.20'), 'hex').toString('latin1');
  lan.set(ada.port, { ipBindings: [{ address }] });
  ada.send(data(ADA, '192.0.2.20'), data(BOB, '192.0.2.20', '81000005'));
  assert.equal(server.take().length, 2);
  lan.set(ada.port, { ipBindings: [{ address, mac: 0x0200_0000_0001 as never, vid: 0 as never }] });
  ada.send(data(ADA, '192.0.2.20'), data(BOB, '192.0.2.20'), data(ADA, '192.0.2.20', '81000005'));
  assert.equal(server.take().length, 1);
  lan.set(ada.port, { ipBindings: [] });
  ada.send(data(ADA, '192.0.2.20'));
  assert.equal(server.take().length, 0);
});

test('ARP: the sender has a binding, and its own hardware address; a probe has no address yet', () => {
  const { lan, ada, server } = guarded();
  const address = Buffer.from(ipv4Hex('192.0.2.20'), 'hex').toString('latin1');
  lan.set(ada.port, { ipBindings: [{ address }] });
  const passing = [arpFrame(ADA, '192.0.2.20', '192.0.2.1'), arpFrame(ADA, '0.0.0.0', '192.0.2.30')];
  ada.send(
    ...passing,
    arpFrame(ADA, '192.0.2.1', '192.0.2.20'),
    arpFrame(ADA, '192.0.2.20', '192.0.2.1', BOB),
    arpFrame(ADA, '0.0.0.0', '192.0.2.1', BOB),
  );
  assert.deepEqual(server.take(), passing);
  assert.deepEqual(refusals(ada), { arpDenied: 3 });
});

test('IPv6: an address belongs to the first station that uses it, until an hour after its last use', () => {
  const { lan, ada, bob, server } = guarded();
  const detection = solicitation(ADA, '::', 'fe80::a', '');
  ada.send(detection, ipv6Frame(BROADCAST, ADA, 'fe80::a', 17, '00'.repeat(8)));
  assert.equal(server.take().length, 2);
  bob.send(
    ipv6Frame(BROADCAST, BOB, 'fe80::a', 17, '00'.repeat(8)),
    solicitation(BOB, '::', 'fe80::a', ''),
    advertisement(BOB, 'fe80::a'),
    advertisement(BOB, 'fe80::b', ADA),
    solicitation(BOB, 'fe80::b', 'fe80::a', ADA),
  );
  assert.deepEqual(refusals(bob), { ipSourceDenied: 1, ndDenied: 4 });
  ada.send(advertisement(ADA, 'fe80::a'));
  assert.equal(server.take().length, 1);
  for (let times = 0; times < 3; times++) {
    lan.pass(1_800_000);
    ada.send(ipv6Frame(BROADCAST, ADA, 'fe80::a', 17, '00'.repeat(8)));
  }
  bob.send(advertisement(BOB, 'fe80::a'));
  assert.deepEqual(refusals(bob), { ipSourceDenied: 1, ndDenied: 5 });
  lan.pass(3_600_000);
  bob.send(advertisement(BOB, 'fe80::a'));
  assert.deepEqual(refusals(bob), { ipSourceDenied: 1, ndDenied: 5 });
});

test('neighbour discovery is judged behind extension headers, and refused in fragments', () => {
  const { ada, bob, server } = guarded();
  ada.send(advertisement(ADA, 'fe80::a'));
  bob.send(advertisement(BOB, 'fe80::b'));
  server.take();
  const claim = advertisement(BOB, 'fe80::a').slice(2 * (14 + 40));
  const own = advertisement(BOB, 'fe80::b').slice(2 * (14 + 40));
  const from = (next: number, payload: string): string => ipv6Frame('333300000001', BOB, 'fe80::b', next, payload);
  const options = (next: string): string => `${next}00010400000000`;
  bob.send(
    from(60, options('3a') + claim),
    from(43, `3a00000000000000${claim}`),
    from(0, options('3c') + options('3a') + claim),
  );
  assert.deepEqual([server.take(), refusals(bob)], [[], { ndDenied: 3 }]);
  bob.send(
    from(44, `3a00000000000001${claim}`),
    from(44, `3a00000100000001${own}`),
    from(60, options('3a')),
    from(60, options('3c').repeat(8) + options('3a') + own),
  );
  assert.deepEqual([server.take(), refusals(bob)], [[], { ndDenied: 3, ipSourceDenied: 4 }]);
  bob.send(from(60, options('3a') + own), from(44, `1100000900000001${'00'.repeat(8)}`));
  assert.equal(server.take().length, 2);
});

test('a port takes at most 16 IPv6 addresses by first use, and its own are free when it is removed', () => {
  const { lan, ada, bob } = guarded();
  for (let host = 1; host <= 20; host++) ada.send(ipv6Frame(BROADCAST, ADA, `2001:db8::${host}`, 17, '00'.repeat(8)));
  assert.deepEqual(refusals(ada), { ipSourceDenied: 4 });
  assert.equal(lan.bridge.sourceGuard.bindings.size, 16);
  lan.bridge.detach(ada.port);
  bob.send(ipv6Frame(BROADCAST, BOB, '2001:db8::1', 17, '00'.repeat(8)));
  assert.deepEqual(refusals(bob), {});
});

test('other protocols pass, and truncated headers do not', () => {
  const { ada, server } = guarded();
  ada.send(plain(BROADCAST, ADA), data(ADA, '192.0.2.10').slice(0, 50), `${BROADCAST}${ADA}86dd6000${'00'.repeat(20)}`);
  ada.send(`${BROADCAST}${ADA}${'81000005'.repeat(3)}0800${'45'.repeat(40)}`, `${BROADCAST}${ADA}8100`);
  assert.deepEqual(server.take(), [plain(BROADCAST, ADA)]);
  assert.deepEqual(refusals(ada), { ipSourceDenied: 4 });
});

test('DHCP guard and RA guard of a port', () => {
  const lan = new MemoryLan();
  const [guardedPort, other] = [lan.join({ hasDhcpGuard: true, hasRaGuard: true }), lan.join()];
  const server = dhcpReply(SERVER, { client: ADA, assigned: '192.0.2.10' });
  guardedPort.send(server, routerAdvertisement(SERVER), data(SERVER, '192.0.2.1'));
  assert.equal(other.take().length, 1);
  assert.deepEqual(refusals(guardedPort), { serverDenied: 2 });
  lan.set(guardedPort.port, { hasDhcpGuard: false });
  guardedPort.send(server, routerAdvertisement(SERVER));
  lan.set(guardedPort.port, { hasRaGuard: false });
  guardedPort.send(server, routerAdvertisement(SERVER));
  assert.equal(other.take().length, 3);
});
