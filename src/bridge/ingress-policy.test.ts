import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MemoryPort } from '../ports/memory-port.ts';
import { parseMacAddress } from '../wire/ethernet/mac-address.ts';
import { Bridge } from './bridge.ts';
import type { BridgePort } from './bridge-port.ts';
import { IngressPolicy, type IngressRules, SourceClaims } from './ingress-policy.ts';
import { TokenBucket } from './token-bucket.ts';

const BROADCAST = 'ffffffffffff';
const ADA = '020000000001';
const BOB = '020000000002';
const ROUTER = '0200000000fe';

function hex(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');
}
function frame(destination: string, source: string, type = '88b5', payload = '00'.repeat(46)): Buffer {
  return hex(destination, source, type, payload);
}

/** A bridge of policed ports on a clock that the test turns. */
class Lan {
  readonly bridge = new Bridge();
  readonly claims = new SourceClaims();
  nowMs = 0;

  join(rules?: IngressRules): { port: BridgePort; got: Buffer[]; send: (...frames: Buffer[]) => void } {
    const got: Buffer[] = [];
    const memory = new MemoryPort({ onFrames: (frames) => got.push(...frames.map((bytes) => Buffer.from(bytes))) });
    const port = this.bridge.attach(memory);
    if (rules !== undefined) port.policy = new IngressPolicy(rules, this.claims, this.nowMs);
    memory.open({
      receive: (batch) => this.bridge.receive(port, batch, this.nowMs),
      linkChanged: () => undefined,
      discarded: () => undefined,
    });
    return { port, got, send: (...frames) => void memory.deliver(...frames) };
  }
}

describe('source addresses', () => {
  test('only those that are named, and nothing is learned of others', () => {
    const lan = new Lan();
    const ada = lan.join({ sources: new Set([parseMacAddress('02:00:00:00:00:01')]) });
    const other = lan.join();
    ada.send(frame(BROADCAST, ADA), frame(BROADCAST, BOB), frame(BROADCAST, BROADCAST));
    assert.deepEqual(other.got, [frame(BROADCAST, ADA)]);
    assert.equal(ada.port.rx.discards.sourceDenied, 1);
    assert.equal(ada.port.rx.discards.badSource, 1);
    assert.equal(ada.port.rx.frames, 1);
    assert.equal(lan.bridge.fdbSize, 1);
  });

  test('the first ones that a port uses become its own, and no other port’s', () => {
    const lan = new Lan();
    const ada = lan.join({ claims: 1 });
    const eve = lan.join({ claims: 2 });
    const other = lan.join();
    ada.send(frame(BROADCAST, ADA), frame(BROADCAST, BOB));
    eve.send(frame(BROADCAST, ADA), frame(BROADCAST, BOB), frame(BROADCAST, ROUTER), frame(BROADCAST, '0200000000aa'));
    assert.deepEqual(other.got, [frame(BROADCAST, ADA), frame(BROADCAST, BOB), frame(BROADCAST, ROUTER)]);
    assert.equal(ada.port.rx.discards.sourceDenied, 1);
    assert.equal(eve.port.rx.discards.sourceDenied, 2);
    // When its port goes, an address is free again.
    lan.bridge.detach(ada.port);
    const returned = lan.join({ claims: 1 });
    returned.send(frame(BROADCAST, ADA));
    assert.equal(other.got.length, 4);
  });

  test('an address stays claimed while its port is silent, and until the port may claim nothing any more', () => {
    const lan = new Lan();
    const ada = lan.join({ claims: 1 });
    const eve = lan.join({ claims: 1 });
    ada.send(frame(BROADCAST, ADA));
    lan.nowMs += 301_000;
    eve.send(frame(BROADCAST, ADA));
    ada.port.policy?.change({ claims: 1 }, lan.nowMs);
    eve.send(frame(BROADCAST, ADA));
    assert.equal(eve.port.rx.discards.sourceDenied, 2);
    ada.port.policy?.change({}, lan.nowMs);
    eve.send(frame(BROADCAST, ADA));
    assert.equal(eve.port.rx.frames, 1);
    ada.port.policy?.change({ claims: 1 }, lan.nowMs);
    ada.send(frame(BROADCAST, ADA));
    assert.equal(ada.port.rx.discards.sourceDenied, 1, 'it is the address of the other port now');
  });

  test('each address that a port claims is told once', () => {
    const lan = new Lan();
    const ada = lan.join({ claims: 2 });
    const claimed: number[] = [];
    const policy = ada.port.policy as IngressPolicy;
    policy.onClaimed = () => void claimed.push(policy.claimed.size);
    ada.send(frame(BROADCAST, ADA), frame(BROADCAST, ADA), frame(BROADCAST, BOB), frame(BROADCAST, ROUTER));
    assert.deepEqual(claimed, [1, 2]);
  });

  test('a port that may claim none may use none', () => {
    const lan = new Lan();
    const ada = lan.join({ claims: 0 });
    ada.send(frame(BROADCAST, ADA));
    assert.equal(ada.port.rx.discards.sourceDenied, 1);
  });

  test('an address that is in use behind another port cannot be claimed', () => {
    const lan = new Lan();
    const router = lan.join();
    const eve = lan.join({ claims: 8 });
    const ada = lan.join();
    router.send(frame(BROADCAST, ROUTER));
    eve.send(frame(BROADCAST, ROUTER));
    ada.send(frame(ROUTER, ADA));
    assert.deepEqual(router.got, [frame(ROUTER, ADA)], 'traffic to the router is not diverted');
    assert.equal(eve.port.rx.discards.sourceDenied, 1);
    lan.nowMs += 301_000;
    eve.send(frame(BROADCAST, ROUTER));
    assert.equal(eve.port.rx.frames, 1, 'one that was not used for long can');
  });
});

test('EtherTypes, behind tags too, and 802.3 frames as 0', () => {
  const lan = new Lan();
  const ada = lan.join({ etherTypes: new Set([0x0800, 0]) });
  const other = lan.join();
  const good = [frame(BROADCAST, ADA, '0800'), frame(BROADCAST, ADA, '81000005 0800'), frame(BROADCAST, ADA, '002e')];
  ada.send(...good, frame(BROADCAST, ADA, '0806'), frame(BROADCAST, ADA, '81000005 86dd'), hex(BROADCAST, ADA, '8100'));
  assert.deepEqual(other.got, good);
  assert.equal(ada.port.rx.discards.typeDenied, 3);
  // A length ends where EtherTypes begin (IEEE 802.3-2022, 3.2.6).
  ada.send(frame(BROADCAST, ADA, '05ff'), frame(BROADCAST, ADA, '0600'), frame(BROADCAST, ADA, '0000'));
  assert.equal(ada.port.rx.discards.typeDenied, 4);
});

describe('servers', () => {
  const ipv4 = (protocol: string, fragment: string, payload: string): string =>
    `45000030 0001${fragment} 40${protocol}0000 c0000201 ffffffff ${payload}`;
  const ipv6 = (next: string, payload: string): string =>
    `60000000 0010${next}ff ${'fe80'.padEnd(32, '0')} ${'ff02'.padEnd(32, '0')} ${payload}`;
  const RA = '86000000 40000708 00000000 00000000';
  const cases: [string, Buffer, boolean][] = [
    ['a DHCP offer', frame(BROADCAST, ADA, '0800', ipv4('11', '0000', '00430044 001c0000')), false],
    ['a DHCP request', frame(BROADCAST, ADA, '0800', ipv4('11', '0000', '00440043 001c0000')), true],
    [
      'an offer in two tags',
      frame(BROADCAST, ADA, '88a80001 81000001 0800', ipv4('11', '0000', '00430044 001c0000')),
      false,
    ],
    ['the first fragment of an offer', frame(BROADCAST, ADA, '0800', ipv4('11', '2000', '00430044 001c0000')), false],
    ['a later fragment', frame(BROADCAST, ADA, '0800', ipv4('11', '0001', '00430044 001c0000')), true],
    ['UDP that ends before its ports', frame(BROADCAST, ADA, '0800', ipv4('11', '2000', '00')), false],
    ['TCP from that port', frame(BROADCAST, ADA, '0800', ipv4('06', '0000', '00430044 001c0000')), true],
    ['a DHCPv6 reply', frame(BROADCAST, ADA, '86dd', ipv6('11', '02230222 00100000')), false],
    ['a router advertisement', frame(BROADCAST, ADA, '86dd', ipv6('3a', RA)), false],
    [
      'one behind extensions',
      frame(BROADCAST, ADA, '86dd', ipv6('00', `3c00000000000000 3a00000000000000 ${RA}`)),
      false,
    ],
    ['one in a first fragment', frame(BROADCAST, ADA, '86dd', ipv6('2c', `3a00000100000001 ${RA}`)), false],
    [
      'one that hides behind the end of the fragment',
      frame(BROADCAST, ADA, '86dd', ipv6('2c', '3c00000100000001')),
      false,
    ],
    ['a later fragment of IPv6', frame(BROADCAST, ADA, '86dd', ipv6('2c', `3a00010000000001 ${RA}`)), true],
    ['an echo request', frame(BROADCAST, ADA, '86dd', ipv6('3a', '8000000000000000')), true],
    ['three tags', frame(BROADCAST, ADA, '81000001 81000001 81000001 86dd', ipv6('3a', RA)), false],
    ['ARP', frame(BROADCAST, ADA, '0806'), true],
  ];
  for (const [name, bytes, passes] of cases) {
    test(`${name}: ${passes ? 'passes' : 'does not'}`, () => {
      const lan = new Lan();
      const ada = lan.join({ forbidsDhcpServer: true, forbidsRouterAdvertisements: true });
      const other = lan.join();
      ada.send(bytes);
      assert.equal(other.got.length, passes ? 1 : 0);
      assert.equal(ada.port.rx.discards.serverDenied, passes ? 0 : 1);
    });
  }

  test('one may be forbidden without the other', () => {
    const lan = new Lan();
    const ada = lan.join({ forbidsDhcpServer: true });
    const other = lan.join();
    ada.send(
      frame(BROADCAST, ADA, '86dd', ipv6('3a', RA)),
      frame(BROADCAST, ADA, '86dd', ipv6('11', '02230222 00100000')),
    );
    assert.equal(other.got.length, 1);
    const bob = lan.join({ forbidsRouterAdvertisements: true });
    other.got.length = 0;
    bob.send(
      frame(BROADCAST, BOB, '86dd', ipv6('3a', RA)),
      frame(BROADCAST, BOB, '86dd', ipv6('11', '02230222 00100000')),
    );
    assert.equal(other.got.length, 1);
    assert.deepEqual([ada.port.rx.discards.serverDenied, bob.port.rx.discards.serverDenied], [1, 1]);
  });
});

describe('rates', () => {
  test('bits a second, of frames without FCS, and bits to groups', () => {
    const lan = new Lan();
    const ada = lan.join({ bits: { perSecond: 4800, burst: 960 }, groupBits: { perSecond: 480, burst: 480 } });
    const other = lan.join();
    ada.send(frame(BOB, ADA), frame(BOB, ADA), frame(BOB, ADA));
    assert.equal(other.got.length, 2, 'two frames of 60 octets are 960 bits');
    lan.nowMs += 200;
    ada.send(frame(BROADCAST, ADA), frame(BROADCAST, ADA), frame(BOB, ADA));
    assert.deepEqual(other.got.slice(2), [frame(BROADCAST, ADA), frame(BOB, ADA)]);
    lan.nowMs += 1000;
    ada.send(frame(BROADCAST, ADA), frame(BROADCAST, ADA));
    assert.equal(other.got.length, 5);
  });

  test('frames a second, with a burst', () => {
    const lan = new Lan();
    const ada = lan.join({ frames: { perSecond: 10, burst: 3 } });
    const other = lan.join();
    ada.send(...Array.from({ length: 5 }, () => frame(BROADCAST, ADA)));
    assert.equal(other.got.length, 3);
    lan.nowMs += 100;
    ada.send(frame(BROADCAST, ADA), frame(BROADCAST, ADA));
    assert.equal(other.got.length, 4);
    assert.equal(ada.port.rx.discards.rateExceeded, 3);
  });

  test('frames to groups have a rate of their own, on top', () => {
    const lan = new Lan();
    const ada = lan.join({ groupFrames: { perSecond: 1, burst: 1 } });
    const other = lan.join();
    ada.send(
      frame(BROADCAST, ADA),
      frame(BROADCAST, ADA),
      frame(BOB, ADA),
      frame('01005e000001', ADA),
      frame(BOB, ADA),
    );
    assert.deepEqual(other.got, [frame(BROADCAST, ADA), frame(BOB, ADA), frame(BOB, ADA)]);
    lan.nowMs += 1000;
    ada.send(frame(BOB, ADA), frame(BOB, ADA), frame(BROADCAST, ADA));
    assert.equal(other.got.length, 6, 'frames to individual addresses spend nothing of it');
  });

  test('new rules keep what was spent', () => {
    const lan = new Lan();
    const ada = lan.join({ frames: { perSecond: 1, burst: 5 } });
    ada.send(...Array.from({ length: 5 }, () => frame(BROADCAST, ADA)));
    ada.port.policy?.change({ frames: { perSecond: 1, burst: 100 } }, lan.nowMs);
    ada.send(frame(BROADCAST, ADA));
    assert.equal(ada.port.rx.frames, 5);
    ada.port.policy?.change({ frames: { perSecond: 100, burst: 100 } }, lan.nowMs);
    lan.nowMs += 30;
    ada.send(...Array.from({ length: 5 }, () => frame(BROADCAST, ADA)));
    assert.equal(ada.port.rx.frames, 8, 'the new rate holds');
    ada.port.policy?.change({}, lan.nowMs);
    ada.send(...Array.from({ length: 5 }, () => frame(BROADCAST, ADA)));
    assert.equal(ada.port.rx.frames, 13, 'a rate that is gone limits nothing');
  });

  test('whatever is offered when: never more than the rate and one burst, beyond one frame’s size', () => {
    const step = fc.record({ waitMs: fc.integer({ min: -5, max: 300 }), size: fc.integer({ min: 1, max: 50 }) });
    const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 1000 }), burst: fc.integer({ min: 1, max: 100 }) });
    fc.assert(
      fc.property(rates, fc.array(step, { maxLength: 200 }), (rate, steps) => {
        const bucket = new TokenBucket(rate, 0);
        let [nowMs, latestMs, taken] = [0, 0, 0];
        for (const { waitMs, size } of steps) {
          nowMs += waitMs;
          latestMs = Math.max(latestMs, nowMs);
          if (!bucket.isOpen(nowMs)) continue;
          bucket.take(size);
          taken += size;
          assert.ok(taken <= rate.burst + (latestMs * rate.perSecond) / 1000 + 50 + 1e-6);
        }
      }),
    );
  });
});

test('whatever bytes come: a policy never throws, and a frame is either through or counted', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 14, maxLength: 120 }),
    fc
      .uint8Array({ minLength: 60, maxLength: 120 })
      .map((tail) => hex(BROADCAST, ADA, '86dd 6000000000 40', Buffer.from(tail).toString('hex'))),
    fc
      .uint8Array({ minLength: 0, maxLength: 60 })
      .map((tail) => hex(BROADCAST, ADA, '0800 45', Buffer.from(tail).toString('hex'))),
  );
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 20 }), (frames) => {
      const lan = new Lan();
      const ada = lan.join({
        claims: 2,
        etherTypes: new Set([0x0800, 0x86dd, 0]),
        forbidsDhcpServer: true,
        forbidsRouterAdvertisements: true,
        frames: { perSecond: 1, burst: 10 },
      });
      ada.send(...frames.map((frame) => Buffer.from(frame)));
      const { rx } = ada.port;
      const denied = Object.values(rx.discards).reduce((sum, count) => sum + count, 0);
      assert.equal(rx.frames + denied - rx.discards.filtered, frames.length);
    }),
  );
});
