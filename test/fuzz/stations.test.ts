import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_ADDRESSES } from '../../src/bridge/stations/host-facts.ts';
import { addressTexts } from '../../src/bridge/stations/host-text.ts';
import { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { MOST_HOST_NAME } from '../../src/wire/ip/dhcp-message.ts';
import { advertisement, arpFrame, dhcpReply, dhcpRequest, ipv6Frame, solicitation } from '../support/ip-frames.ts';
import { MemoryLan } from '../support/memory-lan.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';
import { spoil } from '../support/spoil.ts';

const CASES = fuzzCases(100_000);
const CAPACITY = 32;

/** Frames that host snooping reads, before they are spoilt. */
function anyFrame(random: Random): string {
  const [from, client] = [0, 0].map(() => `0200000000${random.below(64).toString(16).padStart(2, '0')}`) as [
    string,
    string,
  ];
  const host = random.below(64);
  const address = `192.0.2.${host}`;
  const hostName = Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256))).toString('latin1');
  const leaseSeconds = random.pick([0, 60, 0xffff_ffff]);
  return random.pick([
    () => arpFrame(from, address, '192.0.2.1', random.pick([from, client])),
    () => solicitation(from, random.pick(['::', 'fe80::1']), `fe80::${host}`, random.pick([from, ''])),
    () => advertisement(from, `fe80::${host}`, random.pick([from, client])),
    () => ipv6Frame(client, from, `fe80::${host}`, 58, '86'.padEnd(80, '0')),
    () => dhcpRequest({ client: random.pick([from, client]), hostName, current: address }, random.pick([1, 3, 4, 7])),
    () => dhcpReply(from, { client, assigned: address, leaseSeconds, hostName }, random.pick([2, 5])),
  ])();
}

test(`${CASES} spoilt frames of ARP, neighbour discovery and DHCP keep what is known of hosts within its bounds`, () => {
  const random = new Random(fuzzSeed());
  const lan = new MemoryLan({ fdbCapacity: CAPACITY, ageingTimeMs: 5000 });
  lan.bridge.setHostSnooping(true);
  const ports = [lan.join(), lan.join(), lan.join({ macLimit: 3 }), lan.join({ isLearning: false })];
  for (let number = 0; number < CASES; number++) {
    const frame = spoil(random, Buffer.from(anyFrame(random), 'hex'));
    const [before, behind] = [random.below(4), random.below(4)];
    const batch = new FrameBatch(Buffer.concat([Buffer.alloc(before, 0xff), frame, Buffer.alloc(behind, 0xff)]));
    batch.push(before, frame.length);
    lan.bridge.receive(random.pick(ports).port, batch, lan.nowMs);
    for (const { got } of ports) got.length = 0;
    lan.nowMs += random.below(30);
    if (random.once(100)) lan.pass(random.below(3000));
    if (random.once(500)) lan.bridge.entries.flush();
    if (!random.once(20)) continue;
    const place = `seed ${random.seed}, case ${number}`;
    let addresses = 0;
    for (const { host } of lan.bridge.fdbEntries(Number.NEGATIVE_INFINITY)) {
      addresses += host?.size ?? 0;
      assert.ok((host?.size ?? 0) <= MOST_ADDRESSES, place);
      assert.ok((host?.name ?? '').length <= MOST_HOST_NAME, place);
      assert.ok(!/\p{Cc}/u.test(host?.name ?? ''), place);
      for (const text of addressTexts(host, lan.nowMs)) assert.match(text, /^[\d.]+$|^[0-9a-f:]+$/, place);
    }
    assert.equal(lan.bridge.hosts.addresses, addresses, place);
    assert.ok(addresses <= 2 * CAPACITY, place);
  }
});
