import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { missingAddon } from '../../../test/support/offload-addon.ts';
import { plainOctets } from '../../../test/support/plain-octets.ts';
import {
  anyIdentity,
  greet,
  octetsFor,
  readToEnd,
  socketPair,
  TransportRecorder,
} from '../../../test/support/socket-pair.ts';
import { missingTools } from '../../../test/support/tools.ts';
import { once } from '../../../test/support/waits.ts';
import type { ServerIdentity } from '../../../test/support/web-socket-peer.ts';
import { NativeTransport } from './native-transport.ts';
import { openTransport } from './open-transport.ts';
import { SocketTransport } from './socket-transport.ts';
import type { Transport } from './transport.ts';

/** More than the kernel buffers for a peer that does not read. */
const LONG = plainOctets(24 * 1024 * 1024);
const NOTHING: Buffer = Buffer.alloc(0);

const noAddon = missingAddon();
const noCertificates = missingTools('openssl');
const identity = noCertificates === false ? anyIdentity() : undefined;

function withoutAddon(): never {
  throw new Error('there is no addon');
}

for (const end of ['accepted', 'dialled'] as const) {
  transportContract(`native TCP, ${end}`, end, NativeTransport, { skip: noAddon });
  transportContract(`TCP of Node, ${end}`, end, SocketTransport, { loadAddon: withoutAddon });
  transportContract(`native TLS, ${end}`, end, NativeTransport, {
    skip: noAddon || noCertificates,
    identity: () => identity,
    isTapped: true,
  });
  transportContract(`TLS of Node, ${end}`, end, SocketTransport, { skip: noCertificates, identity: () => identity });
}

/** The contract of transport.ts, for each implementation over a socket. */
function transportContract(
  kind: string,
  end: 'accepted' | 'dialled',
  expected: typeof NativeTransport | typeof SocketTransport,
  options: {
    skip?: string | false;
    loadAddon?: () => never;
    identity?: () => Promise<ServerIdentity> | undefined;
    isTapped?: boolean;
  },
): void {
  /** One end as a transport, the other as a socket of Node. */
  async function connect(): Promise<{ near: Socket; far: Socket; adopt: (head?: Buffer) => Transport }> {
    const pair = await socketPair(await options.identity?.(), { isTapped: options.isTapped ?? false });
    const near = pair[end];
    const isSecure = options.isTapped === true;
    if (isSecure) await greet(pair);
    const adopt = (head = NOTHING): Transport => {
      const transport = openTransport(
        near,
        head,
        options.loadAddon === undefined ? {} : { loadAddon: options.loadAddon },
      );
      assert.ok(transport instanceof expected);
      assert.equal(transport.kind === 'native-tls', isSecure);
      return transport;
    };
    return { near, far: end === 'accepted' ? pair.dialled : pair.accepted, adopt };
  }

  async function start(): Promise<{ transport: Transport; events: TransportRecorder; far: Socket }> {
    const { adopt, far } = await connect();
    const transport = adopt();
    const events = new TransportRecorder();
    transport.listen(events, octetsFor(events));
    transport.start();
    return { transport, events, far };
  }

  async function closedOnce(events: TransportRecorder): Promise<NodeJS.ErrnoException | undefined> {
    await events.until(() => events.closings.length > 0);
    for (let turns = 0; turns < 10; turns++) await turn();
    assert.equal(events.closings.length, 1);
    return events.closings[0];
  }

  describe(`a transport over ${kind}`, { skip: options.skip ?? false }, () => {
    test('what came before the start comes first: the head, what the stream holds, what the kernel holds', async () => {
      const { near, far, adopt } = await connect();
      const parts = ['head', 'stream', 'kernel', 'later'].map((name, index) => Buffer.from(name.repeat(500 + index)));
      const [head, inStream, inKernel, later] = parts as [Buffer, Buffer, Buffer, Buffer];
      const ignore = (): void => undefined;
      near.on('readable', ignore);
      far.write(inStream);
      while (near.readableLength < inStream.length) await once(near, 'readable');
      near.off('readable', ignore);
      far.write(inKernel);
      await turn();
      const transport = adopt(head);
      const events = new TransportRecorder();
      transport.listen(events, octetsFor(events));
      for (let turns = 0; turns < 5; turns++) await turn();
      assert.equal(events.receivedBytes, 0, 'received before the start');
      transport.start();
      assert.equal(events.receivedBytes, 0, 'received from inside start');
      far.write(later);
      const all = Buffer.concat(parts);
      await events.until(() => events.receivedBytes >= all.length);
      assert.equal(Buffer.compare(events.octets, all), 0);
      transport.destroy();
      await closedOnce(events);
      far.destroy();
    });

    test('long messages arrive whole, wherever the kernel cuts them', async () => {
      const { transport, events, far } = await start();
      events.messageBytes = 700_001;
      const sent = LONG.subarray(0, 10 * 700_001);
      far.write(sent);
      await events.until(() => events.receivedBytes >= sent.length);
      assert.equal(Buffer.compare(events.octets, sent), 0);
      transport.destroy();
      await closedOnce(events);
      far.destroy();
    });

    test('a write that does not fit is told when it is done, and its end comes behind it', async () => {
      const { transport, events, far } = await start();
      far.pause();
      assert.equal(transport.write(LONG), false);
      transport.end();
      for (let turns = 0; turns < 20; turns++) await turn();
      assert.equal(events.writes, 0);
      assert.ok(transport.pendingBytes > 0 && transport.pendingBytes <= LONG.length);
      assert.equal(Buffer.compare(await readToEnd(far), LONG), 0);
      await events.until(() => events.writes === 1);
      assert.equal(transport.pendingBytes, 0);
      far.end();
      assert.equal(await closedOnce(events), undefined);
      assert.equal(events.writes, 1);
    });

    test('what fits is told at once, and is the caller’s again', async () => {
      const { transport, events, far } = await start();
      const bytes = Buffer.alloc(1000);
      for (let number = 0; number < 50; number++) {
        bytes.fill(number);
        if (!transport.write(bytes)) await events.until(() => events.writes > 0);
        events.writes = 0;
        bytes.fill(0xff);
      }
      transport.end();
      const wanted = Buffer.concat(Array.from({ length: 50 }, (_, number) => Buffer.alloc(1000, number)));
      assert.equal(Buffer.compare(await readToEnd(far), wanted), 0);
      far.end();
      assert.equal(await closedOnce(events), undefined);
    });

    test('a write that waits is followed by another', async () => {
      const { transport, events, far } = await start();
      const all = readToEnd(far);
      for (let number = 1; number <= 3; number++) {
        if (!transport.write(LONG)) await events.until(() => events.writes > 0);
        events.writes = 0;
      }
      transport.end();
      assert.equal((await all).length, 3 * LONG.length);
      far.end();
      assert.equal(await closedOnce(events), undefined);
    });

    test('the peer ends first: told once, and the connection is over with our end', async () => {
      const { transport, events, far } = await start();
      const heard = readToEnd(far);
      far.end('last words');
      await events.until(() => events.ends === 1);
      assert.equal(String(events.octets), 'last words');
      transport.write(Buffer.from('answer'));
      transport.end();
      transport.end();
      assert.equal(String(await heard), 'answer');
      assert.equal(await closedOnce(events), undefined);
      assert.equal(events.ends, 1);
    });

    test('we end first: what the peer still says arrives', async () => {
      const { transport, events, far } = await start();
      const heard = readToEnd(far);
      transport.write(Buffer.from('goodbye'));
      transport.end();
      far.write('one ');
      assert.equal(String(await heard), 'goodbye');
      far.end('more');
      await events.until(() => events.ends === 1);
      assert.equal(String(events.octets), 'one more');
      assert.equal(await closedOnce(events), undefined);
    });

    test('a reset is a failure', async () => {
      const { events, far } = await start();
      if (options.identity !== undefined) return void far.destroy(); // Node resets no TLS
      far.resetAndDestroy();
      assert.equal((await closedOnce(events))?.code, 'ECONNRESET');
      assert.equal(events.ends, 0);
    });

    test('what came before a reset still arrives', async () => {
      const { transport, events, far } = await start();
      if (options.identity !== undefined) return void far.destroy(); // Node resets no TLS
      far.write('last words');
      far.resetAndDestroy();
      await events.until(() => events.ends + events.closings.length > 0);
      // libuv reports a reset right after octets as an end.
      if (expected === SocketTransport) transport.destroy();
      else assert.equal(events.closings[0]?.code, 'ECONNRESET');
      await closedOnce(events);
      assert.equal(String(events.octets), 'last words');
    });

    test('a write that meets a reset fails later, and what came before it is not lost', async () => {
      const { transport, events, far } = await start();
      if (options.identity !== undefined) return void far.destroy();
      far.write('last words');
      far.resetAndDestroy();
      transport.write(Buffer.from('hello?'));
      assert.equal(events.receivedBytes, 0, 'received from inside a write');
      assert.match((await closedOnce(events))?.code ?? '', /^(ECONNRESET|EPIPE)$/);
      // Node drops these octets.
      if (expected === NativeTransport) assert.equal(String(events.octets), 'last words');
    });

    test('a write that waits when the peer resets is never told as done', async () => {
      const { transport, events, far } = await start();
      far.pause();
      assert.equal(transport.write(LONG), false);
      await turn();
      far.destroy();
      await closedOnce(events);
      assert.equal(events.writes, 0);
    });

    test('destroyed with a write under way: closed, and nothing else', async () => {
      const { transport, events, far } = await start();
      far.pause();
      assert.equal(transport.write(LONG), false);
      transport.destroy();
      transport.destroy();
      assert.equal(events.closings.length, 0, 'closed from inside destroy');
      assert.equal(await closedOnce(events), undefined);
      assert.equal(events.writes, 0);
      transport.write(Buffer.from('too late'));
      transport.end();
      far.destroy();
    });

    test('destroyed at any moment of its life it is closed once', async () => {
      for (const moment of ['before listen', 'long before listen', 'before start', 'behind start'] as const) {
        const { adopt, far } = await connect();
        far.write('early');
        await turn();
        const transport = adopt(Buffer.from('head'));
        const events = new TransportRecorder();
        if (moment.endsWith('before listen')) transport.destroy();
        if (moment === 'long before listen') for (let turns = 0; turns < 10; turns++) await turn();
        transport.listen(events, octetsFor(events));
        if (moment === 'before start') transport.destroy();
        transport.start();
        transport.destroy();
        assert.equal(await closedOnce(events), undefined, moment);
        assert.equal(events.receivedBytes, 0, `received ${moment}`);
        far.destroy();
      }
    });

    test('destroyed from inside a delivery it delivers nothing more', async () => {
      for (const hasHead of [true, false]) {
        const { adopt, far } = await connect();
        const transport = adopt(hasHead ? Buffer.from('head') : NOTHING);
        const events = new TransportRecorder();
        let deliveries = 0;
        events.onReceived = () => {
          deliveries++;
          transport.destroy();
        };
        transport.listen(events, octetsFor(events));
        transport.start();
        far.write(LONG.subarray(0, 3_000_000));
        await closedOnce(events);
        assert.equal(deliveries, 1);
        far.destroy();
      }
    });

    test('nothing starts without a listener', async () => {
      const { adopt, far } = await connect();
      const transport = adopt();
      assert.throws(() => transport.start(), TypeError);
      transport.destroy();
      far.destroy();
    });
  });
}
