import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ADA,
  BOB,
  BROADCAST,
  CEM,
  GROUP,
  type LanPort,
  MemoryLan,
  plain,
  refusals,
} from '../../test/support/memory-lan.ts';
import { type MacAddress, parseMacAddress } from '../wire/ethernet/mac-address.ts';
import { TPID_C_TAG } from '../wire/ethernet/tag.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';
import { VidSet } from '../wire/ethernet/vid-set.ts';
import { PortVlans } from './port-vlans.ts';

const mac = (hex: string): MacAddress => parseMacAddress((hex.match(/../g) as string[]).join(':'));

describe('limits of addresses', () => {
  test('a port learns as many as it may, and frames from one more are refused', () => {
    const lan = new MemoryLan();
    const one = lan.join({ macLimit: 2 });
    const other = lan.join();
    one.send(plain(BROADCAST, ADA), plain(BROADCAST, BOB), plain(BROADCAST, CEM), plain(BROADCAST, ADA));
    assert.deepEqual(other.take(), [plain(BROADCAST, ADA), plain(BROADCAST, BOB), plain(BROADCAST, ADA)]);
    assert.deepEqual(refusals(one), { macLimit: 1 });
    assert.equal(one.port.isForwarding, true);
    // Each VID has addresses of its own.
    one.send(plain(BROADCAST, ADA, '81000005'));
    assert.deepEqual(refusals(one), { macLimit: 2 });
  });

  test('an address that has aged makes room, also before it is removed', () => {
    const lan = new MemoryLan();
    const one = lan.join({ macLimit: 2 });
    const other = lan.join();
    one.send(plain(BROADCAST, ADA));
    lan.nowMs += 200_000;
    one.send(plain(BROADCAST, BOB));
    lan.nowMs += 150_000;
    one.send(plain(BROADCAST, CEM), plain(BROADCAST, ADA));
    assert.deepEqual(
      other.take(),
      [ADA, BOB, CEM].map((from) => plain(BROADCAST, from)),
    );
    assert.deepEqual(refusals(one), { macLimit: 1 });
  });

  test('a station that moves to a full port is refused, and stays where it was', () => {
    const lan = new MemoryLan();
    const full = lan.join({ macLimit: 1 });
    const home = lan.join();
    const third = lan.join();
    full.send(plain(BROADCAST, ADA));
    home.send(plain(BROADCAST, BOB));
    full.send(plain(BROADCAST, BOB));
    for (const each of [full, home, third]) each.take();
    third.send(plain(BOB, CEM));
    assert.deepEqual([full.take().length, home.take().length], [0, 1]);
    assert.deepEqual(refusals(full), { macLimit: 1 });
  });

  test('the action shut shuts the port, until the operator opens it', () => {
    const shut: number[] = [];
    const lan = new MemoryLan();
    lan.bridge.onProtected = ({ number }) => shut.push(number);
    const one = lan.join({ macLimit: 1, macLimitAction: 'shut' });
    const other = lan.join();
    one.send(plain(BROADCAST, ADA));
    one.send(plain(BROADCAST, BOB), plain(BROADCAST, ADA), plain(BROADCAST, ADA));
    one.send(plain(BROADCAST, ADA));
    assert.deepEqual(refusals(one), { macLimit: 1, protected: 3 });
    assert.deepEqual(shut, [1]);
    assert.equal(one.port.protection?.cause, 'macLimit');
    assert.match(one.port.protection?.reason ?? '', /more than 1 address/);
    assert.equal(other.take().length, 1);
    other.send(plain(BROADCAST, CEM));
    assert.equal(one.take().length, 0);
    lan.bridge.setShut(one.port, false);
    one.send(plain(BROADCAST, BOB));
    assert.equal(other.take().length, 1);
  });

  test('a limit below what was learned refuses only new addresses; 0 limits nothing', () => {
    const lan = new MemoryLan();
    const one = lan.join();
    const other = lan.join();
    one.send(plain(BROADCAST, ADA), plain(BROADCAST, BOB));
    lan.set(one.port, { macLimit: 1 });
    one.send(plain(BROADCAST, ADA), plain(BROADCAST, BOB), plain(BROADCAST, CEM));
    assert.equal(other.take().length, 4);
    lan.set(one.port, { macLimit: 0 });
    one.send(plain(BROADCAST, CEM));
    assert.equal(other.take().length, 1);
  });
});

describe('entries of the operator', () => {
  test('a static entry neither moves nor ages, and frames from elsewhere pass', () => {
    const lan = new MemoryLan();
    const [home, away, third] = [lan.join(), lan.join(), lan.join()];
    lan.bridge.entries.set(UNTAGGED, mac(ADA), home.port, 'static', lan.nowMs);
    away.send(plain(BROADCAST, ADA));
    lan.pass(1_000_000);
    for (const each of [home, away, third]) each.take();
    third.send(plain(ADA, BOB));
    assert.deepEqual([home.take().length, away.take().length], [1, 0]);
    assert.deepEqual(refusals(away), {});
    const [entry] = [...lan.bridge.fdbEntries(lan.nowMs)].filter(({ kind }) => kind === 'static');
    assert.deepEqual([entry?.port, entry?.kind], [home.port, 'static']);
  });

  test('a sticky entry does not move while it exists, but ages', () => {
    const lan = new MemoryLan();
    const [home, away, third] = [lan.join(), lan.join(), lan.join()];
    lan.bridge.entries.set(UNTAGGED, mac(ADA), home.port, 'sticky', lan.nowMs);
    lan.pass(200_000);
    home.send(plain(BROADCAST, ADA));
    lan.pass(200_000);
    away.send(plain(BROADCAST, ADA));
    for (const each of [home, away, third]) each.take();
    third.send(plain(ADA, BOB));
    assert.deepEqual([home.take().length, away.take().length], [1, 0], 'it is where it was set');
    // What another port sent has not refreshed it.
    lan.nowMs += 150_000;
    away.send(plain(BROADCAST, ADA));
    home.take();
    third.send(plain(ADA, BOB));
    assert.deepEqual([home.take().length, away.take().length], [0, 1], 'it is expired, and learned anew');
    assert.deepEqual(
      [...lan.bridge.fdbEntriesAt(away.port, lan.nowMs)].map(({ kind }) => kind),
      ['learned'],
    );
  });

  test('a flush removes what was learned, within its scope; static entries stay', () => {
    const lan = new MemoryLan();
    const [one, two] = [lan.join(), lan.join()];
    const macs = (): string[] => [...lan.bridge.fdbEntries(lan.nowMs)].map((each) => `${each.mac % 16}/${each.vid}`);
    const learn = (): void => {
      one.send(plain(BROADCAST, ADA), plain(BROADCAST, ADA, '81000005'));
      two.send(plain(BROADCAST, BOB), plain(BROADCAST, BOB, '81000005'));
    };
    lan.bridge.entries.set(5 as Vid, mac(CEM), one.port, 'static', lan.nowMs);
    learn();
    assert.equal(lan.bridge.entries.flush({ port: two.port, vid: 5 as Vid }), 1);
    assert.deepEqual(macs(), ['3/5', '1/0', '1/5', '2/0']);
    assert.equal(lan.bridge.entries.flush({ vid: 5 as Vid }), 1);
    assert.deepEqual(macs(), ['3/5', '1/0', '2/0']);
    learn();
    assert.equal(lan.bridge.entries.flush({ port: one.port }), 2);
    assert.equal(lan.bridge.entries.flush(), 2);
    assert.deepEqual(macs(), ['3/5']);
    assert.equal(lan.bridge.entries.delete(5 as Vid, mac(CEM))?.kind, 'static');
    assert.equal(lan.bridge.entries.delete(5 as Vid, mac(CEM)), undefined);
    assert.equal(lan.bridge.fdbSize, 0);
  });

  test('static entries are not displaced by learned ones, and leave room for one', () => {
    const lan = new MemoryLan({ fdbCapacity: 6 });
    const [one, two] = [lan.join(), lan.join()];
    const set = (at: number): boolean =>
      lan.bridge.entries.set(UNTAGGED, (mac(ADA) + at) as MacAddress, one.port, 'static', 0) !== undefined;
    assert.deepEqual([0, 1, 2, 3, 4, 5].map(set), [true, true, true, true, true, false]);
    two.send(plain(BROADCAST, '0200000000aa'), plain(BROADCAST, '0200000000bb'));
    assert.deepEqual(
      [...lan.bridge.fdbEntries(0)].map(({ kind }) => kind),
      ['static', 'static', 'static', 'static', 'static', 'learned'],
    );
    lan.bridge.detach(one.port);
    assert.deepEqual(
      [...lan.bridge.fdbEntries(0)].map(({ kind }) => kind),
      ['learned'],
      'they are gone with their port',
    );
  });
});

describe('locked ports and learning', () => {
  test('a locked port takes frames only from sources that have an entry there', () => {
    const lan = new MemoryLan();
    const [locked, other] = [lan.join({ isLocked: true }), lan.join()];
    lan.bridge.entries.set(UNTAGGED, mac(ADA), locked.port, 'static', 0);
    lan.bridge.entries.set(UNTAGGED, mac(BOB), other.port, 'static', 0);
    locked.send(plain(BROADCAST, ADA), plain(BROADCAST, BOB), plain(BROADCAST, CEM), plain(BROADCAST, ADA));
    assert.deepEqual(other.take(), [plain(BROADCAST, ADA), plain(BROADCAST, ADA)]);
    assert.deepEqual(refusals(locked), { locked: 2 });
    other.send(plain(CEM, BOB));
    assert.equal(locked.take().length, 1, 'what it is sent is not limited');
  });

  test('a port that does not learn', () => {
    const lan = new MemoryLan();
    const [one, two, three] = [lan.join({ isLearning: false }), lan.join(), lan.join()];
    one.send(plain(BROADCAST, ADA));
    two.send(plain(ADA, BOB));
    assert.equal(three.take().length, 2);
    lan.set(one.port, { isLearning: true });
    one.send(plain(BROADCAST, ADA));
    three.take();
    two.send(plain(ADA, BOB));
    assert.equal(three.take().length, 0);
  });
});

test('flooded frames are kept from ports by kind, and counted there', () => {
  const lan = new MemoryLan();
  const sender = lan.join();
  const kinds = [
    lan.join({ floodsUnicast: false }),
    lan.join({ floodsMulticast: false }),
    lan.join({ floodsBroadcast: false }),
  ];
  sender.send(plain(CEM, ADA), plain(GROUP, ADA), plain(BROADCAST, ADA));
  assert.deepEqual(
    kinds.map((each) => each.take().map((frame) => frame.slice(0, 12))),
    [
      [GROUP, BROADCAST],
      [CEM, BROADCAST],
      [CEM, GROUP],
    ],
  );
  assert.deepEqual(
    kinds.map(({ port }) => port.tx.discards.floodOff),
    [1, 1, 1],
  );
  // A known station gets its frames.
  kinds[0]?.send(plain(BROADCAST, CEM));
  sender.send(plain(CEM, ADA));
  assert.equal(kinds[0]?.take().length, 1);
});

test('a frame to a known station whose port cannot send it is a discard there, with the cause', () => {
  const causes: [string, (lan: MemoryLan, at: LanPort, other: LanPort) => void][] = [
    ['shut', ({ bridge }, { port }) => bridge.setShut(port, true)],
    ['protected', ({ bridge }, { port }) => bridge.protect(port, { cause: 'loop', reason: '' })],
    [
      'mirrorOutput',
      ({ bridge }, { port }, { port: source }) => void bridge.setMirrors(source, [{ to: port, direction: 'rx' }]),
    ],
    ['discarding', ({ bridge }, { port }) => bridge.setStpState(port, 'learning')],
    ['linkDown', ({ bridge }, { port }) => bridge.setLink(port, 'down', '')],
    [
      'vlanFiltered',
      (lan, { port }) =>
        lan.set(port, { vlans: PortVlans.of({ mode: 'access', pvid: 9 as Vid, vlans: VidSet.ALL, tpid: TPID_C_TAG }) }),
    ],
  ];
  for (const [reason, cause] of causes) {
    const lan = new MemoryLan();
    const [from, to, other] = [lan.join(), lan.join(), lan.join()];
    cause(lan, to, other);
    lan.bridge.entries.set(UNTAGGED, mac(BOB), to.port, 'static', 0);
    from.send(plain(BOB, ADA));
    assert.deepEqual([to.take(), other.take()], [[], []], reason);
    const discards = Object.entries(to.port.tx.discards).filter(([, frames]) => frames > 0);
    assert.deepEqual(discards, [[reason, 1]]);
  }
});

test('a port that learns, but does not forward yet, learns the station, and the frame is a discard', () => {
  const lan = new MemoryLan();
  const [one, other] = [lan.join(), lan.join()];
  lan.bridge.setStpState(one.port, 'learning');
  one.send(plain(BROADCAST, ADA));
  assert.deepEqual([refusals(one), other.take(), lan.bridge.fdbSize], [{ discarding: 1 }, [], 1]);
});
