import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, connect as dial, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { missingAddon } from '../../../../test/support/offload-addon.ts';
import { plainOctets } from '../../../../test/support/plain-octets.ts';
import { fuzzSeed, Random } from '../../../../test/support/random.ts';
import {
  anyIdentity,
  greet,
  octetsFor,
  readToEnd,
  type SocketPair,
  socketPair,
  TransportRecorder,
} from '../../../../test/support/socket-pair.ts';
import { missingTools } from '../../../../test/support/tools.ts';
import { once } from '../../../../test/support/waits.ts';
import { listen } from '../../../../test/support/web-socket-peer.ts';
import { nativeAddon } from '../../../native/addon.ts';
import { NativeTransport } from '../native-transport.ts';
import { SUITES } from './key-schedule.ts';

const NOTHING: Buffer = Buffer.alloc(0);
const skip = missingAddon() || missingTools('openssl');
const identity = skip === false ? anyIdentity() : undefined;
const ENDS = ['accepted', 'dialled'] as const;

interface Pair {
  readonly transport: NativeTransport;
  readonly events: TransportRecorder;
  /** the far end: Node's TLS, never taken over */
  readonly far: TLSSocket;
}

async function connect(
  options: { suite?: string; through?: (port: number) => Promise<number> } = {},
): Promise<SocketPair> {
  const { suite = 'TLS_AES_256_GCM_SHA384', through } = options;
  return await socketPair(await identity, {
    isTapped: true,
    ciphers: suite,
    ...(through === undefined ? {} : { through }),
  });
}

function takeOver(pair: SocketPair, end: (typeof ENDS)[number]): Pair {
  const transport = NativeTransport.adopt(pair[end], NOTHING);
  assert.equal(transport?.kind, 'native-tls');
  const events = new TransportRecorder();
  transport.listen(events, octetsFor(events));
  transport.start();
  return { transport, events, far: (end === 'accepted' ? pair.dialled : pair.accepted) as TLSSocket };
}

async function digestOf(socket: Socket, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  let left = bytes;
  socket.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    left -= chunk.length;
    if (left === 0) socket.emit('enough');
  });
  await once(socket, 'enough');
  return hash.digest('hex');
}

/** A hop that forwards octets in pieces of random length. @param change may alter them */
async function hop(
  t: TestContext,
  toPort: number,
  random: Random,
  change: (octets: Buffer, isUp: boolean) => void = () => undefined,
): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    server.close();
    const far = dial({ port: toPort, host: '127.0.0.1', allowHalfOpen: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true).on('error', () => undefined);
      let passed = Promise.resolve();
      t.after(() => void from.destroy());
      from.on('end', () => void passed.then(() => to.end()));
      from.on('close', () => void passed.then(() => to.destroySoon()));
      from.on('data', (octets: Buffer) => {
        change(octets, from === near);
        from.pause();
        passed = passOn(octets, to).then(() => void from.resume());
      });
    }
  });
  const passOn = async (octets: Buffer, to: Socket): Promise<void> => {
    for (let at = 0; at < octets.length; ) {
      const end = Math.min(octets.length, at + 1 + random.below(random.pick([3, 30, 3000, 100_000])));
      to.write(octets.subarray(at, end));
      await turn();
      at = end;
    }
  };
  return await listen(server);
}

describe('TLS taken over from Node, which goes on at the other end', { skip }, () => {
  const sizes = Array.from({ length: 16_386 }, (_, size) => size);
  const content = plainOctets(16_386);

  for (const suite of Object.keys(SUITES)) {
    for (const end of ENDS) {
      const some = suite.includes('AES_256') && end === 'accepted' ? sizes : sizes.filter((size) => size % 97 < 2);
      test(`${suite}, ${end}: records of ${some.length} sizes, both ways`, async () => {
        const pair = await connect({ suite });
        await greet(pair);
        assert.equal((pair[end] as TLSSocket).getCipher().standardName, suite);
        const { transport, events, far } = takeOver(pair, end);
        const expected = createHash('sha256');
        for (const size of some) expected.update(content.subarray(0, size));
        const digest = expected.digest('hex');
        const total = some.reduce((sum, size) => sum + size, 0);

        const heard = digestOf(far, total);
        for (const size of some) {
          events.writes = 0;
          if (!transport.write(content.subarray(0, size))) await events.until(() => events.writes > 0);
        }
        assert.equal(await heard, digest);

        for (const size of some) if (!far.write(content.subarray(0, size))) await once(far, 'drain');
        await events.until(() => events.receivedBytes >= total);
        assert.equal(createHash('sha256').update(events.octets).digest('hex'), digest);
        transport.end();
        far.end();
        await events.until(() => events.closings.length > 0);
        assert.deepEqual(events.closings, [undefined]);
      });
    }
  }

  for (const end of ENDS) {
    test(`${end}: cut anywhere on the way, also while it is taken over`, async (t) => {
      const random = new Random(fuzzSeed());
      t.diagnostic(`FUZZ_SEED=${random.seed}`);
      for (let round = 0; round < 12; round++) {
        const pair = await connect({ through: (port) => hop(t, port, random) });
        await greet(pair);
        const other = end === 'accepted' ? pair.dialled : pair.accepted;
        const pieces = Array.from({ length: 40 }, () => plainOctets(1 + random.below(random.pick([10, 1000, 40_000]))));
        const sent = Buffer.concat(pieces);
        for (const piece of pieces) other.write(piece);
        // At this time octets are in Node, in the relay, in the kernel, and still under way.
        for (let turns = random.below(12); turns > 0; turns--) await turn();
        const { transport, events, far } = takeOver(pair, end);
        const heard = readToEnd(far);
        const answer = plainOctets(100_000);
        if (!transport.write(answer)) await events.until(() => events.writes > 0);
        await events.until(() => events.receivedBytes >= sent.length);
        assert.equal(Buffer.compare(events.octets, sent), 0);
        transport.end();
        assert.equal(Buffer.compare(await heard, answer), 0);
        far.end();
        await events.until(() => events.closings.length > 0);
        assert.deepEqual(events.closings, [undefined]);
      }
    });

    test(`${end}: one spoiled octet, and both know that the connection is broken`, async (t) => {
      let isSpoiling = false;
      const spoil = (octets: Buffer, isUp: boolean): void => {
        if (!isSpoiling || isUp !== (end === 'accepted')) return;
        isSpoiling = false;
        octets[octets.length - 1] = (octets.at(-1) ?? 0) ^ 1;
      };
      const pair = await connect({ through: (port) => hop(t, port, new Random(1), spoil) });
      await greet(pair);
      const { events, far } = takeOver(pair, end);
      isSpoiling = true;
      const failed = once(far, 'error') as Promise<[NodeJS.ErrnoException]>;
      far.resume().write('spoiled');
      await events.until(() => events.closings.length > 0);
      assert.match(events.closings[0]?.message ?? '', /the peer broke TLS: bad_record_mac/);
      assert.equal(events.receivedBytes, 0);
      // The name of the error depends on the version of OpenSSL.
      assert.match((await failed)[0].code ?? '', /ALERT_BAD_RECORD_MAC$/);
    });
  }

  test('what cannot be taken over stays with Node, and works', async () => {
    const talks = async ({ accepted, dialled }: SocketPair, why: string): Promise<void> => {
      for (const [from, to] of [
        [accepted, dialled],
        [dialled, accepted],
      ] as const) {
        from.write('still here');
        const [said] = (await once(to, 'data')) as [Buffer];
        assert.equal(String(said), 'still here', why);
      }
      accepted.destroy();
      dialled.destroy();
    };
    const early = await connect();
    assert.equal(NativeTransport.adopt(early.accepted, NOTHING), undefined);
    await talks(early, 'nothing was said that tells where the records are');

    const old = await socketPair(await identity, { isTapped: true, maxVersion: 'TLSv1.2' });
    await greet(old);
    assert.equal(NativeTransport.adopt(old.dialled, NOTHING), undefined);
    await talks(old, 'TLS 1.2');

    const bare = await connect();
    await greet(bare);
    const { startTlsRecords: _, ...without } = nativeAddon();
    assert.equal(
      NativeTransport.adopt(bare.dialled, NOTHING, () => without),
      undefined,
    );
    await talks(bare, 'no ciphers');

    const short = await connect();
    await greet(short);
    const broken = (): never => {
      throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
    };
    assert.equal(
      NativeTransport.adopt(short.accepted, NOTHING, () => ({ ...nativeAddon(), adoptSocket: broken })),
      undefined,
    );
    await talks(short, 'no descriptors');

    const busy = await connect();
    await greet(busy);
    busy.dialled.pause();
    busy.accepted.write(Buffer.alloc(24 * 1024 * 1024));
    assert.equal(NativeTransport.adopt(busy.accepted, NOTHING), undefined);
    const left = once(busy.accepted, 'drain');
    busy.dialled.resume();
    await left;
    busy.accepted.destroy();
    busy.dialled.destroy();
  });
});
