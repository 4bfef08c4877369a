import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtherwsError } from '../../errors.ts';
import { type NativeAddon, nativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import type { TcpPath } from '../../native/streams.ts';
import { CongestionControl, type CongestionOptions, requireCongestionControl } from './congestion-control.ts';
import { Heartbeat } from './heartbeat.ts';

const DESCRIPTOR = {} as Descriptor;
const SHORT: TcpPath = { shortestUs: 40, roundTripUs: 150, variationUs: 60, unsentBytes: 0 };
const LONG: TcpPath = { shortestUs: 9000, roundTripUs: 9500, variationUs: 400, unsentBytes: 0 };
const QUEUED: TcpPath = { shortestUs: 40, roundTripUs: 15_000, variationUs: 900, unsentBytes: 100_000 };

/** A connection whose system paces, and that can do all but what is `missing`. */
class FakeConnection implements Pick<NativeAddon, 'readCongestionControl' | 'setCongestionControl' | 'readPath'> {
  algorithm = 'bbr';
  path = SHORT;
  hasWaited = false;
  readonly missing = new Set<string>();
  readonly set: string[] = [];

  readCongestionControl(): string {
    return this.algorithm;
  }

  setCongestionControl(_descriptor: Descriptor, name: string): void {
    if (this.missing.has(name)) throw Object.assign(new Error('setsockopt'), { code: 'EPERM' });
    this.algorithm = name;
    this.set.push(name);
  }

  readPath(): TcpPath {
    return this.path;
  }

  takeHasWaited(): boolean {
    const { hasWaited } = this;
    this.hasWaited = false;
    return hasWaited;
  }
}

function open(addon: FakeConnection, options: Partial<CongestionOptions> = {}) {
  const clock = { ms: 0 };
  const heartbeat = new Heartbeat(1000, () => clock.ms);
  const control = new CongestionControl({ addon, descriptor: DESCRIPTOR, heartbeat, ...options });
  /** Something waited, and a second passes. */
  const loadedSecond = (path: TcpPath): void => {
    addon.hasWaited = true;
    addon.path = path;
    clock.ms += 1000;
    heartbeat.tick();
  };
  return { control, loadedSecond };
}

test('on a short way a system that paces is not followed, on a long one it is', () => {
  const short = new FakeConnection();
  const long = Object.assign(new FakeConnection(), { path: LONG });
  open(short).control.close();
  open(long).control.close();
  assert.deepEqual(short.set, ['cubic']);
  assert.deepEqual(long.set, []);
});

test('where cubic is not allowed it is reno, which every user may take', () => {
  const addon = new FakeConnection();
  addon.missing.add('cubic');
  open(addon).control.close();
  assert.deepEqual(addon.set, ['reno']);
});

test('a system that does not pace is followed everywhere', () => {
  const addon = Object.assign(new FakeConnection(), { algorithm: 'vegas' });
  const { control, loadedSecond } = open(addon);
  loadedSecond(QUEUED);
  loadedSecond(SHORT);
  control.close();
  assert.deepEqual(addon.set, []);
});

test('what was chosen is set at once, and system is left alone', () => {
  const chosen = Object.assign(new FakeConnection(), { path: LONG });
  open(chosen, { choice: 'reno' }).control.close();
  assert.deepEqual(chosen.set, ['reno']);
  const left = new FakeConnection();
  open(left, { choice: 'system' }).control.close();
  assert.deepEqual(left.set, []);
});

test("a queue on the way brings the system's algorithm back, and ten seconds later without one it goes again", () => {
  const addon = new FakeConnection();
  const { control, loadedSecond } = open(addon);
  loadedSecond(SHORT);
  assert.equal(addon.algorithm, 'cubic');
  loadedSecond(QUEUED);
  assert.equal(addon.algorithm, 'bbr');
  for (let second = 0; second < 9; second++) loadedSecond(SHORT);
  assert.equal(addon.algorithm, 'bbr', 'held');
  loadedSecond(QUEUED);
  assert.equal(addon.algorithm, 'bbr', 'still queued');
  loadedSecond(SHORT);
  assert.equal(addon.algorithm, 'cubic');
  control.close();
});

test('a late acknowledgement at a pause is no queue, nor is an old round trip where nothing waits', () => {
  const addon = new FakeConnection();
  const { control, loadedSecond } = open(addon);
  loadedSecond({ ...QUEUED, unsentBytes: 0 });
  loadedSecond({ ...QUEUED, roundTripUs: 5400, variationUs: 10_800 });
  assert.equal(addon.algorithm, 'cubic');
  control.close();
});

test('an idle tunnel is not asked for its way', () => {
  const addon = new FakeConnection();
  const { control, loadedSecond } = open(addon);
  let asked = 0;
  addon.readPath = () => {
    asked++;
    return SHORT;
  };
  control.tick(1000);
  assert.equal(asked, 0);
  loadedSecond(SHORT);
  assert.equal(asked, 1);
  control.close();
});

test('a connection that has died costs nothing but itself', () => {
  const addon = new FakeConnection();
  const { control, loadedSecond } = open(addon);
  const dead = (): never => {
    throw Object.assign(new Error('getsockopt'), { code: 'EBADF' });
  };
  addon.readPath = dead;
  loadedSecond(QUEUED);
  control.close();
  addon.readCongestionControl = dead;
  open(addon).control.close();
  assert.deepEqual(addon.set, ['cubic']);
});

test('an algorithm that the kernel does not have is told with those that it has', () => {
  for (const choice of ['auto', 'system', 'reno']) requireCongestionControl(choice);
  assert.throws(
    () => requireCongestionControl('nosuchthing'),
    (error: unknown) =>
      error instanceof EtherwsError &&
      error.code === 'ARGUMENT_INVALID' &&
      error.message.includes('nosuchthing') &&
      /auto, system, .*reno/.test(error.hint ?? ''),
  );
  const forbidden = (): never => {
    throw Object.assign(new Error('setsockopt'), { code: 'EPERM' });
  };
  assert.throws(
    () => requireCongestionControl('cubic', () => ({ ...nativeAddon(), tryCongestionControl: forbidden })),
    (error: unknown) => error instanceof EtherwsError && /tcp_allowed_congestion_control/.test(error.hint ?? ''),
  );
});
