import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { openDescriptors } from '../../../test/support/descriptors.ts';
import { collectUntil } from '../../../test/support/garbage.ts';
import { missingAddon } from '../../../test/support/offload-addon.ts';
import { anyIdentity, octetsFor, socketPair, TransportRecorder } from '../../../test/support/socket-pair.ts';
import { missingTools } from '../../../test/support/tools.ts';
import { once } from '../../../test/support/waits.ts';
import { listen } from '../../../test/support/web-socket-peer.ts';
import { type NativeAddon, nativeAddon } from '../../native/addon.ts';
import { NativeTransport } from './native-transport.ts';

const MOST_GROWN_BYTES = 16 * 1024 * 1024;
const skip = missingAddon();
const LONG = Buffer.alloc(24 * 1024 * 1024, 7);
const NOTHING: Buffer = Buffer.alloc(0);

function start(socket: Socket): { transport: NativeTransport; events: TransportRecorder } {
  const transport = NativeTransport.adopt(socket, NOTHING);
  assert.ok(transport !== undefined);
  const events = new TransportRecorder();
  transport.listen(events, octetsFor(events));
  transport.start();
  return { transport, events };
}

/** Shows that a socket works as ever. */
async function talk(from: Socket, to: Socket): Promise<void> {
  from.write('hello');
  const [said] = (await once(to, 'data')) as [Buffer];
  assert.equal(String(said), 'hello');
}

test('three hundred opened and closed, in every way, leave nothing', { skip }, async () => {
  const round = async (count: number): Promise<void> => {
    const closed: Promise<void>[] = [];
    for (let number = 0; number < count; number++) {
      const { accepted, dialled } = await socketPair();
      if (number % 5 === 0) {
        // Never listened to: as when the switch stops in between.
        NativeTransport.adopt(accepted, NOTHING)?.destroy();
        dialled.destroy();
        continue;
      }
      const { transport, events } = start(accepted);
      dialled.pause();
      if (number % 5 === 1) transport.write(LONG);
      if (number % 5 === 2) dialled.write('half a message');
      if (number % 5 === 3) dialled.end();
      if (number % 5 === 4) dialled.resetAndDestroy();
      await turn();
      transport.destroy();
      dialled.destroy();
      closed.push(events.until(() => events.closings.length > 0));
    }
    await Promise.all(closed);
    for (let turns = 0; turns < 20; turns++) await turn();
  };
  await round(10);
  const before = openDescriptors();
  const { arrayBuffers } = process.memoryUsage();
  await round(300);
  assert.deepEqual(openDescriptors(), before);
  // What is still referred to counts: when V8 collects the rest differs between its versions.
  const grownBytes = (): number => process.memoryUsage().arrayBuffers - arrayBuffers;
  await collectUntil(() => grownBytes() < MOST_GROWN_BYTES);
  assert.ok(grownBytes() < MOST_GROWN_BYTES, `${grownBytes()} octets of buffers more than before`);
});

test('a socket that cannot be adopted stays as it was', { skip: skip || missingTools('openssl') }, async () => {
  const refuse = (what: string): (() => NativeAddon) => {
    return () => assert.fail(`the addon was asked for ${what}`);
  };
  const tls = await socketPair(await anyIdentity());
  assert.equal(NativeTransport.adopt(tls.accepted, NOTHING, refuse('TLS')), undefined);
  await talk(tls.accepted, tls.dialled);
  await talk(tls.dialled, tls.accepted);

  const busy = await socketPair();
  busy.dialled.pause();
  busy.accepted.write(LONG);
  assert.equal(NativeTransport.adopt(busy.accepted, NOTHING, refuse('a busy socket')), undefined);
  busy.dialled.destroy();
  busy.accepted.destroy();
  assert.equal(NativeTransport.adopt(busy.accepted, NOTHING, refuse('a dead socket')), undefined);

  const plain = await socketPair();
  const withoutAddon = (): never => {
    throw new Error('there is no addon');
  };
  assert.equal(NativeTransport.adopt(plain.accepted, NOTHING, withoutAddon), undefined);
  const withoutDescriptors = (): NativeAddon => ({ ...nativeAddon(), adoptSocket: withoutAddon });
  assert.equal(NativeTransport.adopt(plain.accepted, NOTHING, withoutDescriptors), undefined);
  await talk(plain.accepted, plain.dialled);
  for (const { accepted, dialled } of [tls, plain]) {
    accepted.destroy();
    dialled.destroy();
  }
});

test('a connection that the kernel will not watch is closed, and costs no more', { skip }, async () => {
  const { accepted, dialled } = await socketPair();
  const failure = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  const loadAddon = (): NativeAddon => ({
    ...nativeAddon(),
    watch: () => {
      throw failure;
    },
  });
  const transport = NativeTransport.adopt(accepted, NOTHING, loadAddon);
  const events = new TransportRecorder();
  const isOver = once(dialled.resume(), 'end');
  transport?.listen(events, octetsFor(events));
  transport?.start();
  assert.deepEqual(events.closings, []);
  await events.until(() => events.closings.length > 0);
  assert.deepEqual(events.closings, [failure]);
  await isOver;
  dialled.destroy();
});

test('a worker that exits with open transports closes their connections', { skip }, async (t) => {
  const server = createServer();
  t.after(() => server.close());
  const listenPort = await listen(server);
  const urlOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const worker = new Worker(
    `
    const { connect } = await import('node:net');
    const { NativeTransport } = await import(${urlOf('./native-transport.js')});
    for (const isWriting of [true, false]) {
      const socket = connect(${listenPort}, '127.0.0.1', () => {
        const transport = NativeTransport.adopt(socket, Buffer.alloc(0));
        transport.listen(
          { received: (_bytes, _from, end) => end, progressed() {}, written() {}, ended() {}, closed() {} },
          { isMasking: true, isBatched: false, maxMessageBytes: 0, events: { arrived: () => 0 } },
        );
        transport.start();
        transport.write(Buffer.alloc(isWriting ? ${LONG.length} : 1));
      });
    }
    setInterval(() => undefined, 1000);
    `,
    { eval: true, execArgv: ['--input-type=module'] },
  );
  t.after(() => worker.terminate());
  const peers: Socket[] = [];
  server.on('connection', (peer) => {
    peer.on('error', () => undefined);
    // It has written, so it is a transport by now.
    peer.once('readable', () => {
      peers.push(peer);
      server.emit('peer');
    });
  });
  while (peers.length < 2) await once(server, 'peer');
  const over = peers.map((peer) => once(peer, 'close'));
  await worker.terminate();
  for (const peer of peers) peer.resume();
  await Promise.all(over);
});
