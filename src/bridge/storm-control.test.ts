import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchWithHeaders, superFrameOf } from '../../test/support/frames.ts';
import { ADA, BOB, BROADCAST, CEM, GROUP, MemoryLan, plain, refusals } from '../../test/support/memory-lan.ts';
import { STORM_DEFAULTS } from './storm-control.ts';

const times = (count: number, frame: string): string[] => Array.from({ length: count }, () => frame);

test('each kind of flooded frame has a rate of its own; frames to known stations have none', () => {
  const lan = new MemoryLan();
  const one = lan.join({ storm: { broadcast: 10, multicast: 20, unicast: 30 } });
  const other = lan.join();
  other.send(plain(BROADCAST, BOB));
  one.send(...times(50, plain(BROADCAST, ADA)));
  one.send(...times(50, plain(GROUP, ADA)));
  one.send(...times(50, plain(CEM, ADA)));
  one.send(...times(50, plain(BOB, ADA)));
  const got = other.take();
  const to = (destination: string): number => got.filter((frame) => frame.startsWith(destination)).length;
  assert.deepEqual([BROADCAST, GROUP, CEM, BOB].map(to), [10, 20, 30, 50]);
  assert.deepEqual(refusals(one), { stormBroadcast: 40, stormMulticast: 30, stormUnicast: 20 });
  lan.pass(500);
  one.send(...times(50, plain(BROADCAST, ADA)));
  assert.equal(other.take().length, 5);
});

test('a port without a rate brings any number; a new port has the defaults', () => {
  const lan = new MemoryLan();
  const one = lan.join({ storm: {} });
  assert.equal(one.port.storm, undefined);
  const other = lan.join();
  for (let batch = 0; batch < 10; batch++) one.send(...times(1000, plain(BROADCAST, ADA)));
  assert.equal(other.take().length, 10_000);
  for (let batch = 0; batch < 10; batch++) other.send(...times(1000, plain(BROADCAST, BOB)));
  assert.equal(one.take().length, STORM_DEFAULTS.broadcast);
});

test('a super-frame counts as its frames', () => {
  const lan = new MemoryLan();
  const one = lan.join({ storm: { unicast: 10 } });
  lan.join();
  const payload = Buffer.alloc(5000, 1);
  const superFrames = times(3, '').map(() => superFrameOf({ payload }, 1000));
  lan.bridge.receive(one.port, batchWithHeaders(superFrames), lan.nowMs);
  assert.deepEqual(refusals(one), { stormUnicast: 5 });
});

test('a storm is reported when it begins and when it is over', () => {
  const lan = new MemoryLan();
  const one = lan.join({ storm: { broadcast: 10 } });
  const reports = (): unknown[] => one.port.storm?.reports(lan.nowMs) ?? [];
  one.send(...times(10, plain(BROADCAST, ADA)));
  assert.deepEqual(reports(), []);
  one.send(...times(7, plain(BROADCAST, ADA)));
  assert.deepEqual(reports(), [{ kind: 'broadcast', phase: 'start', limit: 10, frames: 7 }]);
  lan.pass(1000);
  one.send(...times(15, plain(BROADCAST, ADA)));
  assert.deepEqual(reports(), []);
  assert.equal(one.port.storm?.isStorming, true);
  lan.pass(4900);
  assert.deepEqual(reports(), []);
  lan.pass(100);
  assert.deepEqual(reports(), [{ kind: 'broadcast', phase: 'end', limit: 10, frames: 12 }]);
  assert.equal(one.port.storm?.isStorming, false);
});

test('kinds without a rate are not limited, and each storm is counted from its beginning', () => {
  const lan = new MemoryLan();
  const one = lan.join({ storm: { multicast: 10, unicast: 10 } });
  const other = lan.join();
  one.send(...times(30, plain(BROADCAST, ADA)), ...times(12, plain(GROUP, ADA)));
  assert.equal(other.take().length, 30 + 10);
  const reports = (): unknown[] => one.port.storm?.reports(lan.nowMs) ?? [];
  assert.deepEqual(reports(), [{ kind: 'multicast', phase: 'start', limit: 10, frames: 2 }]);
  assert.equal(one.port.storm?.isStorming, true, 'of one kind of two');
  lan.pass(5000);
  assert.deepEqual(reports(), [{ kind: 'multicast', phase: 'end', limit: 10, frames: 2 }]);
  one.send(...times(13, plain(GROUP, ADA)));
  assert.deepEqual(reports(), [{ kind: 'multicast', phase: 'start', limit: 10, frames: 3 }]);
  lan.set(one.port, { storm: { multicast: 5 } });
  one.send(...times(13, plain(GROUP, ADA)));
  assert.equal(one.port.rx.discards.stormMulticast, 2 + 3 + 8, 'a port with one rate');
});

test('settings that do not change the rates keep the tokens', () => {
  const lan = new MemoryLan();
  const one = lan.join({ storm: { broadcast: 10 } });
  const other = lan.join();
  one.send(...times(8, plain(BROADCAST, ADA)));
  lan.set(one.port, { macLimit: 5 });
  one.send(...times(8, plain(BROADCAST, ADA)));
  assert.equal(other.take().length, 10);
});
