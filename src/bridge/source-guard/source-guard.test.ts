import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  advertisement,
  arpFrame,
  dhcpReply,
  dhcpRequest,
  dhcpv6Reply,
  dhcpv6Request,
  ipv4Hex,
  ipv6Frame,
  routerAdvertisement,
  solicitation,
  udpFrame,
} from '../../../test/support/ip-frames.ts';
import {
  ADA,
  BOB,
  BROADCAST,
  CEM,
  type LanPort,
  MemoryLan,
  plain,
  refusals,
} from '../../../test/support/memory-lan.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';

const SERVER = '0200000000fe';
const DATA = [5000, 5001] as const;

/** A guarded port for Ada, one for Bob, and a trusted one with a DHCP server. */
function guarded(): { lan: MemoryLan; ada: LanPort; bob: LanPort; server: LanPort } {
  const lan = new MemoryLan();
  const ada = lan.join({ hasSourceGuard: true });
  const bob = lan.join({ hasSourceGuard: true });
  return { lan, ada, bob, server: lan.join({ isDhcpTrusted: true }) };
}

const data = (from: string, source: string, tag = ''): string =>
  udpFrame(BROADCAST, from, source, '192.0.2.1', DATA, '00'.repeat(20), tag);

test('a station may use the address of its lease until that ends, at its port, in its VLAN, and no other', () => {
  const { lan, ada, bob, server } = guarded();
  ada.send(data(ADA, '192.0.2.10'));
  assert.deepEqual(refusals(ada), { ipSourceDenied: 1 });
  ada.send(dhcpRequest({ client: ADA }));
  server.send(dhcpReply(SERVER, { client: ADA, assigned: '192.0.2.10', leaseSeconds: 600 }));
  server.take();
  ada.send(
    data(ADA, '192.0.2.10'),
    data(ADA, '192.0.2.11'),
    data(ADA, '192.0.2.10', '81000005'),
    data(CEM, '192.0.2.10'),
  );
  bob.send(data(ADA, '192.0.2.10'));
  assert.deepEqual(server.take(), [data(ADA, '192.0.2.10')]);
  assert.deepEqual([refusals(ada), refusals(bob)], [{ ipSourceDenied: 4 }, { ipSourceDenied: 1 }]);
  lan.pass(600_000);
  ada.send(data(ADA, '192.0.2.10'));
  assert.deepEqual(refusals(ada), { ipSourceDenied: 5 });
});

test('a lease that is renewed, released, or given to another port', () => {
  const { lan, ada, bob, server } = guarded();
  const lease = { client: ADA, assigned: '192.0.2.10', leaseSeconds: 600 };
  ada.send(dhcpRequest({ client: ADA }));
  server.send(dhcpReply(SERVER, lease));
  lan.pass(500_000);
  ada.send(dhcpRequest({ client: ADA, current: '192.0.2.10', transaction: 8 }));
  server.send(dhcpReply(SERVER, { ...lease, transaction: 8 }));
  lan.pass(500_000);
  server.take();
  ada.send(data(ADA, '192.0.2.10'));
  assert.equal(server.take().length, 1);
  bob.send(dhcpRequest({ client: ADA, transaction: 9 }));
  server.send(dhcpReply(SERVER, { ...lease, transaction: 9 }));
  ada.send(data(ADA, '192.0.2.10'));
  bob.send(data(ADA, '192.0.2.10'));
  assert.deepEqual([refusals(ada), refusals(bob)], [{ ipSourceDenied: 1 }, {}]);
  bob.send(dhcpRequest({ client: ADA, current: '192.0.2.10' }, 7), data(ADA, '192.0.2.10'));
  assert.deepEqual(refusals(bob), { ipSourceDenied: 1 });
  assert.equal(lan.bridge.sourceGuard.bindings.size, 0);
});

test('a lease is released by its own port only, and a release from another one does not reach the server', () => {
  const { ada, bob, server } = guarded();
  ada.send(dhcpRequest({ client: ADA }));
  server.send(dhcpReply(SERVER, { client: ADA, assigned: '192.0.2.10', leaseSeconds: 600 }));
  server.take();
  bob.send(dhcpRequest({ client: ADA, current: '192.0.2.10' }, 7));
  assert.deepEqual([server.take(), refusals(bob)], [[], { ipSourceDenied: 1 }]);
  ada.send(data(ADA, '192.0.2.10'), dhcpRequest({ client: ADA, current: '192.0.2.10' }, 7), data(ADA, '192.0.2.10'));
  assert.equal(server.take().length, 2);
  assert.deepEqual(refusals(ada), { ipSourceDenied: 1 });
});

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

test('only servers behind trusted ports, answers to a client that asked, and clients with their own address', () => {
  const { lan, ada, bob, server } = guarded();
  const lease = { client: ADA, assigned: '192.0.2.10' };
  server.send(dhcpReply(SERVER, lease));
  ada.send(dhcpRequest({ client: ADA }));
  bob.send(dhcpReply(BOB, lease));
  server.send(
    dhcpReply(SERVER, { ...lease, transaction: 99 }),
    dhcpReply(SERVER, lease, 2),
    dhcpReply(SERVER, lease, 5, '81000005'),
  );
  assert.equal(lan.bridge.sourceGuard.bindings.size, 0);
  bob.send(dhcpRequest({ client: ADA }).replace(`${BROADCAST}${ADA}`, `${BROADCAST}${BOB}`));
  const refused = { serverDenied: 1, ipSourceDenied: 1 };
  assert.deepEqual(refusals(bob), refused, 'the reply of no server, and the request of another client');
  lan.pass(61_000);
  server.send(dhcpReply(SERVER, lease));
  assert.equal(lan.bridge.sourceGuard.bindings.size, 0, 'the client no longer waits');
});

test('a station that overhears the request of a client at a port that is not guarded cannot begin its transaction', () => {
  const { lan, bob, server } = guarded();
  const ada = lan.join();
  ada.send(dhcpRequest({ client: ADA }));
  bob.send(dhcpRequest({ client: ADA }));
  server.send(dhcpReply(SERVER, { client: ADA, assigned: '192.0.2.10' }));
  assert.deepEqual([refusals(bob), lan.bridge.sourceGuard.bindings.size], [{ ipSourceDenied: 1 }, 0]);
  lan.pass(61_000);
  bob.send(dhcpRequest({ client: ADA }));
  assert.deepEqual(refusals(bob), { ipSourceDenied: 1 }, 'the transaction is over');
});

test('an answer counts for the port that asked first, not for one that overheard the request', () => {
  for (const laterMs of [0, 1]) {
    const { lan, ada, bob, server } = guarded();
    ada.send(dhcpRequest({ client: ADA }));
    lan.nowMs += laterMs;
    bob.send(dhcpRequest({ client: ADA }));
    assert.deepEqual(refusals(bob), {});
    server.send(dhcpReply(SERVER, { client: ADA, assigned: '10.20.30.40' }));
    assert.deepEqual(
      [...lan.bridge.sourceGuard.bindings.all(lan.nowMs)].map(({ port, address }) => [port, address]),
      [[ada.port.number, '\x0a\x14\x1e\x28']],
    );
  }
});

test('a client waits for a minute, and no longer than its port is there', () => {
  const answered = (waitMs: number, isAged: boolean, hasLeft = false): number => {
    const { lan, ada, server } = guarded();
    lan.pass(40_000);
    ada.send(dhcpRequest({ client: ADA }));
    lan.nowMs += waitMs;
    if (isAged) lan.bridge.age(lan.nowMs);
    if (hasLeft) lan.bridge.detach(ada.port);
    server.send(dhcpReply(SERVER, { client: ADA, assigned: '192.0.2.10', leaseSeconds: 10 }));
    const { size } = lan.bridge.sourceGuard.bindings;
    lan.pass(10_000);
    assert.equal(lan.bridge.sourceGuard.bindings.size, 0, 'the lease is over');
    return size;
  };
  for (const isAged of [false, true]) {
    assert.deepEqual([answered(30_000, isAged), answered(59_999, isAged), answered(60_000, isAged)], [1, 1, 0]);
  }
  assert.equal(answered(0, false, true), 0);
});

test('a transaction that was overheard is not begun for a minute, as long as it is not one of too many', () => {
  const { lan, bob } = guarded();
  const ada = lan.join({ storm: {} });
  const request = (transaction: number): string => dhcpRequest({ client: ADA, transaction });
  const mayBegin = (transaction: number): boolean => {
    const before = bob.port.rx.discards.ipSourceDenied;
    bob.send(request(transaction));
    return bob.port.rx.discards.ipSourceDenied === before;
  };
  lan.pass(40_000);
  ada.send(request(9000));
  lan.pass(30_000);
  assert.equal(mayBegin(9000), false);
  lan.nowMs += 30_000;
  assert.equal(mayBegin(9000), true);
  lan.pass(60_000);
  for (let transaction = 0; transaction < 4095; transaction++) ada.send(request(transaction));
  ada.send(request(0), request(4095), request(4096));
  assert.deepEqual([0, 1, 2, 4096].map(mayBegin), [false, true, false, false], 'the one longest unheard is forgotten');
});

test('a release that names the address of another port as well does not pass', () => {
  const { ada, bob, server } = guarded();
  ada.send(dhcpv6Request({ client: ADA }, 'fe80::a'));
  server.send(dhcpv6Reply(SERVER, { client: ADA, addresses: [['2001:db8::10', 600]] }));
  const named = [
    ['2001:db8::99', 0],
    ['2001:db8::10', 0],
  ] as const;
  bob.send(dhcpv6Request({ client: ADA, transaction: 9, addresses: named }, 'fe80::b', 8));
  assert.deepEqual(refusals(bob), { ipSourceDenied: 1 });
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

test('unanswered clients of a port are bounded, and forgotten after a minute', () => {
  const { lan, ada, bob } = guarded();
  for (let transaction = 0; transaction < 300; transaction++) ada.send(dhcpRequest({ client: ADA, transaction }));
  ada.send(dhcpRequest({ client: ADA, transaction: 0 }));
  assert.deepEqual(refusals(ada), { ipSourceDenied: 44 }, 'a client may repeat its message');
  bob.send(dhcpRequest({ client: BOB }));
  assert.deepEqual(refusals(bob), {});
  lan.pass(60_000);
  ada.send(dhcpRequest({ client: ADA, transaction: 300 }));
  assert.deepEqual(refusals(ada), { ipSourceDenied: 44 });
});

test('DHCPv6: a leased address is its client’s, used or not, until it is released or ends', () => {
  const { lan, ada, bob, server } = guarded();
  const use = (from: string, source = '2001:db8::10'): string => ipv6Frame(BROADCAST, from, source, 17, '00'.repeat(8));
  const lease = (seconds: number, transaction = 7): string =>
    dhcpv6Reply(SERVER, { client: ADA, transaction, addresses: [['2001:db8::10', seconds]] });
  const kinds = (): string[] => [...lan.bridge.sourceGuard.bindings.all(lan.nowMs)].map(({ kind }) => kind);
  server.send(lease(7200));
  assert.deepEqual(kinds(), [], 'no client has asked');
  ada.send(dhcpv6Request({ client: ADA }, 'fe80::a'));
  bob.send(dhcpv6Reply(BOB, { client: ADA, addresses: [['2001:db8::66', 7200]] }));
  server.send(lease(7200, 8), lease(7200));
  assert.deepEqual(kinds(), ['first', 'dhcp'], 'of the link-local address by use; the answer of no server is refused');
  // Two hours without use: an address of first use would be free.
  lan.pass(7_000_000);
  bob.send(use(BOB));
  assert.deepEqual(refusals(bob), { serverDenied: 1, ipSourceDenied: 1 });
  server.take();
  ada.send(use(ADA));
  assert.deepEqual(server.take(), [use(ADA)]);
  assert.deepEqual(kinds(), ['dhcp'], 'it needs no further binding');

  const release = { client: ADA, transaction: 9, addresses: [['2001:db8::10', 0]] } as const;
  bob.send(dhcpv6Request(release, 'fe80::b', 8));
  assert.deepEqual(
    [server.take().length, refusals(bob)],
    [0, { serverDenied: 1, ipSourceDenied: 2 }],
    'of another station',
  );
  ada.send(dhcpv6Request(release, 'fe80::a', 8));
  assert.equal(server.take().length, 1);
  bob.send(use(BOB));
  assert.equal(server.take().length, 1, 'it is free');
});

test('DHCPv6: a lease takes an address from a station that has only used it first', () => {
  const { ada, bob, server } = guarded();
  const use = (from: string): string => ipv6Frame(BROADCAST, from, '2001:db8::10', 17, '00'.repeat(8));
  bob.send(use(BOB));
  ada.send(dhcpv6Request({ client: ADA }, 'fe80::a'));
  server.send(dhcpv6Reply(SERVER, { client: ADA, addresses: [['2001:db8::10', 600]] }));
  server.take();
  bob.send(use(BOB));
  ada.send(use(ADA));
  assert.deepEqual([server.take(), refusals(bob)], [[use(ADA)], { ipSourceDenied: 1 }]);
});

test('DHCPv6: an answer with a lifetime of 0 ends a lease, and the highest has no end', () => {
  const { lan, ada, server } = guarded();
  const leases = (): number[] =>
    [...lan.bridge.sourceGuard.bindings.all(lan.nowMs)]
      .filter(({ kind }) => kind === 'dhcp')
      .map(({ untilMs }) => untilMs);
  const answer = (transaction: number, seconds: number): void => {
    ada.send(dhcpv6Request({ client: ADA, transaction }, 'fe80::a'));
    server.send(dhcpv6Reply(SERVER, { client: ADA, transaction, addresses: [['2001:db8::10', seconds]] }));
  };
  answer(1, 0xffff_ffff);
  assert.deepEqual(leases(), [Number.POSITIVE_INFINITY]);
  answer(2, 0);
  assert.deepEqual(leases(), []);
  assert.equal(lan.bridge.sourceGuard.bindings.size, 1, 'the link-local address, by use');
});
