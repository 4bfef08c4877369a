import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SWITCH_MAC } from '../../../test/support/multicast-lan.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { IpWords } from '../../wire/multicast/ip-words.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { ListedSource, Membership } from './membership.ts';
import { MembershipDatabase } from './membership-database.ts';
import { MulticastCounters } from './multicast-counters.ts';
import { MULTICAST_TIMERS, type MulticastTimers } from './multicast-settings.ts';
import { Queries } from './queries.ts';
import { SnoopedVlan } from './snooped-vlan.ts';

/** The ports are only compared. */
const PORTS = Array.from({ length: 4 }, (_, number) => ({ number }) as BridgePort);
const PORT = PORTS[0] as BridgePort;

class Bench {
  readonly #database = new MembershipDatabase();
  readonly queries: Queries;
  readonly timers: MulticastTimers;
  #sent = 0;

  constructor(timers: Partial<MulticastTimers> = {}) {
    this.timers = { ...MULTICAST_TIMERS, ...timers };
    const send = (): boolean => ++this.#sent > 0;
    this.queries = new Queries(SWITCH_MAC, send, this.timers, new MulticastCounters());
    this.queries.isOn = true;
  }

  vlan(vid: number): SnoopedVlan {
    const vlan = new SnoopedVlan(vid as Vid, 4, this.timers, () => undefined);
    this.queries.apply(vlan, 0);
    return vlan;
  }

  /** A membership in group number `number`, with 32 sources. */
  membership(number: number): { membership: Membership; sources: ListedSource[] } {
    const membership = this.#database.join(
      0 as Vid,
      addressOf(0xef00_0000 + number),
      PORTS[number % 4] as BridgePort,
      9999,
    );
    assert.ok(typeof membership === 'object');
    for (let last = 1; last <= 32; last++) this.#database.addSource(membership, addressOf(0x0a00_0000 + last), 1);
    return { membership, sources: membership.sources };
  }

  /** How many queries were sent since the last call. */
  taken(): number {
    const sent = this.#sent;
    this.#sent = 0;
    return sent;
  }

  repeated(nowMs: number): number {
    this.queries.repeat(nowMs);
    return this.taken();
  }
}

function addressOf(number: number): IpWords {
  const address = new IpWords();
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(number);
  address.readIpv4(octets, 0);
  return address;
}

test('of general queries that are due 4096 are sent in a tick, and the others in the next ones', () => {
  const bench = new Bench();
  const vlans = Array.from({ length: 1500 }, (_, vid) => bench.vlan(vid));
  const tick = (): number => {
    bench.queries.beginTick();
    for (const vlan of vlans) bench.queries.tick(vlan, PORTS, 0);
    return bench.taken();
  };
  assert.deepEqual([tick(), tick(), tick()], [4096, 1904, 0]);
});

test('queries are repeated after their interval as often as the timers say', () => {
  const bench = new Bench({ startupQueryCount: 3, lastMemberQueryCount: 3 });
  const vlan = bench.vlan(0);
  bench.queries.greet(PORT, vlan, 0);
  assert.equal(bench.taken(), 1);
  assert.deepEqual(
    [31_249, 31_250, 62_499, 62_500, 200_000].map((nowMs) => bench.repeated(nowMs)),
    [0, 1, 0, 1, 0],
  );
  bench.queries.askForMembers(vlan, bench.membership(0).membership, undefined, 300_000);
  assert.equal(bench.taken(), 1);
  assert.deepEqual(
    [300_999, 301_000, 301_999, 302_000, 303_000].map((nowMs) => bench.repeated(nowMs)),
    [0, 1, 0, 1, 0],
  );
});

test('of queries for sources those with 16 384 sources in all are repeated, and each time anew', () => {
  const bench = new Bench();
  const vlan = bench.vlan(0);
  const all = Array.from({ length: 513 }, (_, number) => bench.membership(number));
  const ask = (those: typeof all, nowMs: number): void => {
    for (const { membership, sources } of those) bench.queries.askForMembers(vlan, membership, sources, nowMs);
  };
  bench.queries.askForMembers(vlan, bench.membership(0).membership, undefined, 0);
  ask(all, 0);
  assert.equal(bench.taken(), 514);
  assert.equal(bench.repeated(1000), 513);
  // What waits for ports that have gone makes room.
  ask(all, 10_000);
  for (const port of PORTS.slice(1)) bench.queries.forgetPort(port);
  ask(all.slice(0, 400), 10_000);
  bench.taken();
  assert.equal(bench.repeated(11_000), 128 + 384);
});

test('4096 queries are repeated at most', () => {
  const bench = new Bench();
  const vlan = bench.vlan(0);
  const { membership } = bench.membership(0);
  for (let times = 0; times < 4097; times++) bench.queries.askForMembers(vlan, membership, undefined, 0);
  assert.equal(bench.taken(), 4097);
  assert.equal(bench.repeated(1000), 4096);
});
