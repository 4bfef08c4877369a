import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import { MOST_BINDINGS, MOST_FIRST } from '../../src/bridge/source-guard/bindings.ts';
import { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { encodeLoopProbe, INSTANCE_BYTES, NONCE_BYTES, parseLoopProbe } from '../../src/wire/ethernet/loop-probe.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import type { Vid } from '../../src/wire/ethernet/vid.ts';
import {
  advertisement,
  arpFrame,
  dhcpReply,
  dhcpRequest,
  dhcpv6Reply,
  dhcpv6Request,
  ipv6Frame,
  routerAdvertisement,
  solicitation,
  udpFrame,
} from '../support/ip-frames.ts';
import { ADA, BOB, BROADCAST, MemoryLan } from '../support/memory-lan.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';
import { spoil } from '../support/spoil.ts';

const CASES = fuzzCases(100_000);
const PROBE = encodeLoopProbe({
  source: 0x0200_0000_00fe as MacAddress,
  instance: new Uint8Array(INSTANCE_BYTES),
  port: 1,
  sequence: 1,
  nonce: new Uint8Array(NONCE_BYTES),
  vid: 7 as Vid,
});

/** Frames that the guards read, before they are spoilt. */
function anyFrame(random: Random): string {
  const host = random.below(400);
  const [client, transaction] = [random.pick([ADA, BOB]), random.below(300)];
  const address = `192.0.${host >> 8}.${host & 255}`;
  return random.pick([
    () => dhcpRequest({ client, transaction }, random.pick([1, 3, 4, 7])),
    () => dhcpReply(BOB, { client, transaction, assigned: address, leaseSeconds: random.below(1000) }),
    () =>
      dhcpv6Request({ client, transaction, addresses: [[`fe80::${host}`, 1]] }, 'fe80::1', random.pick([1, 3, 8, 9])),
    () => dhcpv6Reply(BOB, { client, transaction, addresses: [[`fe80::${host}`, random.below(1000)]] }),
    () => arpFrame(client, address, '192.0.2.1', random.pick([ADA, BOB])),
    () => solicitation(client, random.pick(['::', 'fe80::1']), `fe80::${host}`, random.pick([ADA, ''])),
    () => advertisement(client, `fe80::${host}`, random.pick([ADA, BOB])),
    () => ipv6Frame(BROADCAST, client, `fe80::${host}`, random.pick([0, 6, 17, 44, 58]), '00'.repeat(40)),
    () => udpFrame(BROADCAST, client, address, '192.0.2.1', [random.pick([67, 68]), 67]),
    () => routerAdvertisement(client),
    () => Buffer.from(PROBE).toString('hex'),
  ])();
}

test(`${CASES} spoilt frames of DHCP, ARP, neighbour discovery and probes at guarded ports`, () => {
  const random = new Random(fuzzSeed());
  const lan = new MemoryLan({ fdbCapacity: 64 });
  const guard = { hasSourceGuard: true, hasDhcpGuard: true, hasRaGuard: true, macLimit: 3 };
  const ports: BridgePort[] = [
    lan.join(guard).port,
    lan.join({ ...guard, hasDhcpGuard: false }).port,
    lan.join({ isDhcpTrusted: true }).port,
  ];
  for (let number = 0; number < CASES; number++) {
    const frame = spoil(random, Buffer.from(anyFrame(random), 'hex'));
    // Other octets stand around it, which nothing may read.
    const [before, behind] = [random.below(4), random.below(4)];
    const batch = new FrameBatch(Buffer.concat([Buffer.alloc(before, 0xff), frame, Buffer.alloc(behind, 0xff)]));
    batch.push(before, frame.length);
    const port = random.pick(ports);
    const seen = (): number => Object.values(port.rx.discards).reduce((sum, count) => sum + count, port.rx.frames);
    const was = seen();
    lan.bridge.receive(port, batch, lan.nowMs);
    assert.ok(seen() > was, `seed ${random.seed}, case ${number}: it is counted`);
    parseLoopProbe(Buffer.concat([Buffer.alloc(14), frame]), 14, Math.max(14, frame.length));
    if (random.once(50)) lan.pass(random.below(2000));
    const { size } = lan.bridge.sourceGuard.bindings;
    assert.ok(size <= ports.length * (MOST_BINDINGS + MOST_FIRST), `seed ${random.seed}, case ${number}: ${size}`);
  }
});
