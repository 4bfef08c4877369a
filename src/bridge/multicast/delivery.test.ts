import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discoveryFrame, joinFrame, pimHelloFrame, recordsFrame } from '../../../test/support/multicast-frames.ts';
import { MulticastLan } from '../../../test/support/multicast-lan.ts';
import { DEFAULT_SETTINGS } from '../port-settings.ts';
import { MULTICAST_TIMERS, type RouterMode } from './multicast-settings.ts';

const GROUP = '239.1.2.3';
const SOURCE = '10.0.0.1';

/** The switch is the querier. Port 1 has members for all sources of one group, and for one of another one. Frames come by the last. */
class Lan extends MulticastLan {
  constructor(count: number, newPortIntervalMs = MULTICAST_TIMERS.newPortIntervalMs) {
    super(count, { isQuerier: true, timers: { ...MULTICAST_TIMERS, newPortIntervalMs } });
    this.pass(40_000);
    this.join();
  }

  join(): void {
    this.send(1, joinFrame(GROUP), recordsFrame([{ type: 5, group: '232.1.1.1', sources: [SOURCE] }]));
  }

  setRouter(number: number, multicastRouter: RouterMode, fastLeave = false): void {
    this.bridge.setSettings(this.port(number), { ...DEFAULT_SETTINGS, multicastRouter, fastLeave });
  }

  /** The ports of: a group, a source that is listed, another source of its group, a group without members. */
  get all(): number[][] {
    const { length } = this.ports;
    return [
      this.reach(length, GROUP),
      this.reach(length, '232.1.1.1', { from: SOURCE }),
      this.reach(length, '232.1.1.1', { from: '10.0.0.2' }),
      this.reach(length, '239.9.9.9'),
    ];
  }

  /** Asserts that groups and sources with members at port 1 go there, and all of them to these ports. */
  expectRouters(...routers: number[]): void {
    const withMember = [...new Set([1, ...routers])].sort();
    assert.deepEqual(this.all, [withMember, withMember, routers, routers]);
  }
}

test('frames that flow already go to a router port from its first message, or its setting, until its end', () => {
  const lan = new Lan(4);
  lan.expectRouters();
  lan.send(2, pimHelloFrame(4));
  lan.expectRouters(2);
  lan.setRouter(3, 'on');
  lan.expectRouters(2, 3);
  lan.setRouter(2, 'auto', true);
  lan.expectRouters(2, 3);
  lan.setRouter(3, 'auto');
  lan.expectRouters(2);
  lan.send(2, discoveryFrame(4, true));
  lan.expectRouters();
  lan.send(2, pimHelloFrame(4));
  lan.setRouter(2, 'off');
  lan.expectRouters();
  lan.setRouter(2, 'auto');
  lan.expectRouters();
});

test('a router that is heard again right behind its end gets all groups at once, before a tick has removed it', () => {
  for (const laterMs of [0, 1]) {
    const lan = new Lan(4);
    lan.send(2, pimHelloFrame(4));
    lan.pass(200_000);
    lan.join();
    lan.pass(54_999);
    lan.expectRouters(2);
    lan.nowMs += 1 + laterMs;
    lan.expectRouters();
    lan.send(2, pimHelloFrame(4));
    lan.expectRouters(2);
  }
});

test('of two routers each is one until its own time is over', () => {
  for (const [first, second] of [
    [2, 3],
    [3, 2],
  ] as const) {
    const lan = new Lan(4);
    lan.send(first, pimHelloFrame(4));
    lan.pass(100_000);
    lan.send(second, pimHelloFrame(4));
    lan.pass(100_000);
    lan.join();
    lan.expectRouters(2, 3);
    lan.nowMs += 55_000;
    lan.expectRouters(second);
    lan.nowMs += 99_999;
    lan.expectRouters(second);
    lan.nowMs++;
    lan.expectRouters();
  }
});

test('a membership in a source ends to the millisecond while its frames flow', () => {
  const lan = new Lan(3);
  lan.nowMs += 259_999;
  lan.expectRouters();
  lan.nowMs++;
  assert.deepEqual(lan.all, [[], [], [], []]);
});

test('a port that is a router port by its setting is told of while it forwards', () => {
  const lan = new Lan(4);
  const told = (): number[] => [...lan.snooper.permanentRouters].map(({ number }) => number);
  lan.setRouter(3, 'on');
  assert.deepEqual(told(), [3]);
  lan.bridge.setShut(lan.port(3), true);
  assert.deepEqual(told(), []);
  lan.expectRouters();
  lan.bridge.setShut(lan.port(3), false);
  assert.deepEqual(told(), [3]);
  lan.expectRouters(3);
});

test('each time the topology changes all groups go to all ports until their hosts have answered', () => {
  const lan = new Lan(4);
  for (let times = 0; times < 3; times++) {
    lan.expectRouters();
    lan.snooper.topologyChanged();
    lan.expectRouters(1, 2, 3);
    lan.pass(1000);
    lan.nowMs += 10_999;
    lan.expectRouters(1, 2, 3);
    lan.nowMs++;
    lan.expectRouters();
    // Before a tick has removed what is over.
    if (times === 1) continue;
    lan.pass(1000);
  }
});

test('without a time for new ports they get no group that their hosts have not joined', () => {
  const lan = new Lan(4, 0);
  lan.bridge.setShut(lan.port(2), true);
  lan.bridge.setShut(lan.port(2), false);
  lan.snooper.topologyChanged();
  lan.expectRouters();
  lan.pass(1000);
  lan.expectRouters();
});

test('with many VLANs not all new ports are asked in one tick', () => {
  const lan = new MulticastLan(5, { isQuerier: true });
  const shut = (isShut: boolean): void => {
    for (const number of [1, 2, 3, 4]) lan.bridge.setShut(lan.port(number), isShut);
  };
  shut(true);
  lan.send(5, ...Array.from({ length: 1024 }, (_, at) => pimHelloFrame(4, { vid: at + 1 })));
  lan.pass(35_000);
  shut(false);
  for (const expected of [
    [1026, 1026, 1026, 0, 0],
    [0, 0, 0, 1026, 0],
    [0, 0, 0, 0, 0],
  ]) {
    lan.takeHeard();
    lan.pass(1000);
    assert.deepEqual(
      lan.takeHeard().map((frames) => frames.length),
      expected,
    );
  }
});

test('an overflow ends to the millisecond', () => {
  const lan = new MulticastLan(3, { isQuerier: true, limits: { groups: 1 } });
  lan.pass(40_000);
  lan.send(1, joinFrame('239.0.0.1'), joinFrame('239.0.0.2'));
  lan.nowMs += 259_999;
  assert.equal(lan.snooper.isOverflowing(lan.nowMs), true);
  assert.equal([...lan.snooper.memberships(lan.nowMs)].length, 1);
  lan.nowMs++;
  assert.equal(lan.snooper.isOverflowing(lan.nowMs), false);
  assert.equal([...lan.snooper.memberships(lan.nowMs)].length, 0, 'nor is a membership told of that is over');
});
