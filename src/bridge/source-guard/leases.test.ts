import assert from 'node:assert/strict';
import { test } from 'node:test';
import { data, guarded, SERVER } from '../../../test/support/guarded-lan.ts';
import { dhcpReply, dhcpRequest, dhcpv6Reply, dhcpv6Request, ipv6Frame } from '../../../test/support/ip-frames.ts';
import { ADA, BOB, BROADCAST, CEM, refusals } from '../../../test/support/memory-lan.ts';

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
