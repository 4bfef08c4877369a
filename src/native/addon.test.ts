import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { closeDescriptor, openDescriptors } from '../../test/support/descriptors.ts';
import { collectUntil } from '../../test/support/garbage.ts';
import { enterOwnNamespace } from '../../test/support/own-namespace.ts';
import { missingTools } from '../../test/support/tools.ts';
import { once, within } from '../../test/support/waits.ts';
import { nativeAddon } from './addon.ts';
import type { Descriptor } from './descriptors.ts';
import { setSocketOptions } from './sockets.ts';

const skip = enterOwnNamespace();

/** Opens one descriptor of each kind, watched or not, and waits for `go`. */
const WORKER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const addon = require(workerData.addon);
  const tap = addon.openTap('worker%d', -1, 2 ** 31 - 1);
  const { index } = addon.readLink(tap.name);
  addon.changeLink(index, 1, -1, -1);
  const open = [tap.descriptor, addon.openPacketSocket(index, true, 1 << 20), addon.openLinkEvents()];
  if (workerData.isWatched) for (const descriptor of open) addon.watch(descriptor, () => open.length);
  parentPort.on('message', () => process.exit(0));
  parentPort.postMessage(tap.name);
`;
const ADDON = `${process.cwd()}/build/Release/etherws.node`;

for (const isWatched of [false, true]) {
  for (const end of ['exits', 'is terminated'] as const) {
    const name = `a worker thread that ${end} closes its ${isWatched ? 'watched' : 'idle'} descriptors`;
    test(name, { skip }, async () => {
      nativeAddon();
      const run = async (): Promise<string> => {
        const worker = new Worker(WORKER, { eval: true, workerData: { addon: ADDON, isWatched } });
        const [device] = (await once(worker, 'message')) as [string];
        assert.ok(nativeAddon().readLink(device).isUp);
        const exited = once(worker, 'exit');
        if (end === 'exits') worker.postMessage('go');
        else void worker.terminate();
        await exited;
        return device;
      };
      await run(); // what the first worker opens for the whole process stays
      const before = openDescriptors();
      const device = await run();
      assert.deepEqual(openDescriptors(), before);
      assert.throws(() => nativeAddon().readLink(device), { code: 'ENODEV' });
    });
  }
}

test('what is forgotten is closed when it is collected', { skip }, async () => {
  const before = openDescriptors();
  (() => {
    for (let i = 0; i < 50; i++) nativeAddon().openLinkEvents();
  })();
  await collectUntil(() => openDescriptors().length <= before.length);
  assert.deepEqual(openDescriptors(), before);
});

test('an exception in onReady is uncaught, not swallowed', { skip }, async () => {
  const addon = nativeAddon();
  const descriptor = addon.openLinkEvents();
  const thrown = new Error('from the callback');
  const caught = new Promise((resolve) => {
    process.setUncaughtExceptionCaptureCallback(resolve);
  });
  addon.watch(descriptor, () => {
    addon.readLinkEvents(descriptor);
    throw thrown;
  });
  const tap = addon.openTap('thrower', -1, 1 << 20);
  assert.equal(await within(caught, 'uncaught exception'), thrown);
  process.setUncaughtExceptionCaptureCallback(null);
  await Promise.all([descriptor, tap.descriptor].map(closeDescriptor));
});

test('the data path refuses what lies outside of its slab, and closed descriptors', { skip }, async () => {
  const addon = nativeAddon();
  const { descriptor } = addon.openTap('strict', 0, 1 << 20);
  const bytes = new Uint8Array(1000);
  const tally = new Uint32Array(5);
  const write = (start: number, length: number, index = 0, hasHeaders = false): number =>
    addon.writeFrames(
      descriptor,
      bytes,
      Uint32Array.of(start),
      Uint32Array.of(length),
      Uint32Array.of(index),
      1,
      hasHeaders,
      0,
      tally,
    );
  for (const [start, length, index, hasHeaders] of [
    [0, 1001, 0, false],
    [999, 2, 0, false],
    [1001, 0, 0, false],
    [4_294_967_295, 2, 0, false],
    [0, 60, 1, false],
    [9, 60, 0, true],
  ] as const) {
    assert.throws(() => write(start, length, index, hasHeaders), RangeError);
  }
  assert.equal(write(10, 60), 0);
  assert.equal(tally[1], 1, 'the device is down');
  assert.throws(() => addon.readsFrames({} as Descriptor, 100), TypeError);
  assert.throws(() => addon.readsFrames(descriptor, -1), RangeError);
  assert.throws(() => addon.readsFrames(descriptor, 1 << 20), RangeError);
  assert.throws(() => addon.shareDeviceSlab(bytes, tally, tally, new Uint32Array(4)), RangeError);

  // A slab whose memory was given away has no frame in it.
  const detached = new Uint8Array(1000);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const word = (value: number): Uint32Array => Uint32Array.of(value);
  assert.throws(
    () => addon.writeFrames(descriptor, detached, word(0), word(60), word(0), 1, false, 0, tally),
    RangeError,
  );

  await closeDescriptor(descriptor);
  await closeDescriptor(descriptor);
  assert.equal(write(10, 60), 0);
  assert.equal(tally[1], 1);
  assert.throws(() => addon.watch(descriptor, () => undefined), { code: 'EBADF' });
});

/** Prints TCP_NODELAY and TCP_NOTSENT_LOWAT of the socket that it inherits as descriptor 3. */
const READ_OPTIONS = `
import socket
tuned = socket.socket(fileno=3)
print(tuned.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), tuned.getsockopt(socket.IPPROTO_TCP, 25))
`;

test('sockets are tuned by their descriptor', { skip: skip || missingTools('python3') }, async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening').catch(() => undefined);
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  assert.equal(setSocketOptions(fd, { noDelay: 1, notSentLowatBytes: 16_384 }), true);
  const { status, stdout, stderr } = spawnSync('python3', ['-c', READ_OPTIONS], {
    stdio: ['ignore', 'pipe', 'pipe', fd],
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.deepEqual([status, stdout], [0, '1 16384\n'], stderr);
  assert.equal(setSocketOptions(-1, { noDelay: 1 }), false);
});

test('code that is not what its file holds stays when memory is trimmed', {
  skip: process.platform !== 'linux',
}, () => {
  // Node copies its code to anonymous memory where the kernel has large pages; --use-largepages=silent asks for it.
  const program = `
    const addon = require(${JSON.stringify(ADDON)});
    for (let round = 0; round < 3; round++) {
      addon.trimMemory();
      require('crypto').createHash('sha256').update(JSON.stringify(process.memoryUsage())).digest();
      new Function('return ' + round)();
    }
    console.log('alive');`;
  for (const pages of ['silent', 'off']) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [`--use-largepages=${pages}`, '--eval', program], {
      timeout: 60_000,
      encoding: 'utf8',
    });
    assert.deepEqual([status, stdout, stderr], [0, 'alive\n', ''], pages);
  }
});
