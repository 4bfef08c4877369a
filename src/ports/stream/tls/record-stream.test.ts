import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { closeDescriptor } from '../../../../test/support/descriptors.ts';
import { missingAddon } from '../../../../test/support/offload-addon.ts';
import { plainOctets } from '../../../../test/support/plain-octets.ts';
import { socketPair } from '../../../../test/support/socket-pair.ts';
import { RecordOpener, RecordSealer } from '../../../../test/support/tls-records.ts';
import { nativeAddon } from '../../../native/addon.ts';
import { type Descriptor, READABLE, WRITABLE } from '../../../native/descriptors.ts';
import { descriptorOf } from '../../../net/socket-descriptor.ts';
import { batchOf } from '../../../wire/ethernet/frame-batch.ts';
import { frameList } from '../frame-list.ts';
import { SUITES, type Suite } from './key-schedule.ts';
import { hasRecords, type RecordAddon, RecordKeys } from './record-keys.ts';
import { RecordStream } from './record-stream.ts';

const NOTHING: Buffer = Buffer.alloc(0);
const { TLS_AES_128_GCM_SHA256: AES_128 } = SUITES;
const SUITE = AES_128 as Suite;
const TICKET = Buffer.concat([Buffer.from([4, 0, 0x30, 0x39]), Buffer.alloc(12_345)]);
const KEY_UPDATE = Buffer.from([24, 0, 0, 1, 0]);
const KEY_UPDATE_REQUEST = Buffer.from([24, 0, 0, 1, 1]);

function recordAddon(): RecordAddon {
  const addon = nativeAddon();
  assert.ok(hasRecords(addon));
  return addon;
}

const DEADLINE_MS = 20_000;

/** Waits in turns of the event loop. @param what names in the error what is missing */
async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const start = performance.now(); !isSo(); await turn()) {
    assert.ok(performance.now() - start < DEADLINE_MS, `no ${what}`);
  }
}

/** A RecordStream over a native tunnel. */
interface End {
  readonly stream: RecordStream;
  readonly descriptor: Descriptor;
  /** the received octets */
  readonly heard: Buffer[];
  /** the codes of the ends */
  readonly over: number[];
}

interface EndOptions {
  readonly opening: Buffer;
  readonly sealing: Buffer;
  readonly isClient?: boolean;
  readonly recordsAKey?: number;
}

function streamOver(
  t: TestContext,
  socket: Socket,
  { opening, sealing, isClient = true, recordsAKey }: EndOptions,
): End {
  const addon = recordAddon();
  const fd = descriptorOf(socket);
  assert.ok(fd !== undefined);
  const descriptor = addon.adoptSocket(fd);
  socket.destroy();
  const stream = new RecordStream({
    addon,
    descriptor,
    isClient,
    opening: new RecordKeys(addon, SUITE, opening, 0, false),
    sealing: new RecordKeys(addon, SUITE, sealing, 0, true),
    prefetched: NOTHING,
    ...(recordsAKey === undefined ? {} : { recordsAKey }),
  });
  const [heard, over] = [[] as Buffer[], [] as number[]];
  frameList(addon);
  const isOver = (status: number): void => {
    over.push(status);
    addon.await(descriptor, 0); // as the transport does
  };
  addon.watch(descriptor, (status, count) => {
    if ((status & WRITABLE) !== 0 && count === 0) stream.drained();
    if ((status & READABLE) !== 0) isOver(count);
  });
  addon.openTunnel(descriptor, true, false, 0, (bytes, _frames, _odd, _length, from, end) => {
    heard.push(Buffer.from(bytes.subarray(from, end)));
    return ~end;
  });
  stream.open(isOver);
  addon.await(descriptor, READABLE);
  t.after(async () => {
    stream.close();
    await closeDescriptor(descriptor);
  });
  return { stream, descriptor, heard, over };
}

/** A RecordStream whose peer is a plain socket, so that a test can send any octets. */
async function against(t: TestContext, options: Partial<EndOptions> = {}) {
  const { accepted, dialled } = await socketPair();
  const [theirs, ours] = [randomBytes(32), randomBytes(32)];
  t.after(() => void dialled.destroy());
  const end = streamOver(t, accepted, { opening: theirs, sealing: ours, ...options });
  const said = new RecordOpener(SUITE, ours);
  dialled.on('data', (octets: Buffer) => said.take(octets));
  return { ...end, peer: dialled, sealer: new RecordSealer(SUITE, theirs), said };
}

describe('the record layer', { skip: missingAddon() }, () => {
  for (const [what, make] of [
    [
      'padded data',
      (s: RecordSealer) => [s.record(23, 'data', 1), s.record(23, '', 7), s.record(23, 'and more', 16_000)],
    ],
    ['a ticket in one record', (s: RecordSealer) => [s.record(22, TICKET), s.record(23, 'dataand more')]],
    [
      'tickets in pieces, of which one ends where the next begins',
      (s: RecordSealer) => [
        s.record(22, TICKET.subarray(0, 3)),
        s.record(22, TICKET.subarray(3, 9000)),
        s.record(22, Buffer.concat([TICKET.subarray(9000), TICKET.subarray(0, 2)])),
        s.record(22, TICKET.subarray(2)),
        s.record(23, 'dataand more'),
      ],
    ],
    [
      'other keys',
      (s: RecordSealer) => {
        const records = [s.record(23, 'data'), s.record(22, KEY_UPDATE)];
        s.update();
        records.push(s.record(23, 'and more'));
        return records;
      },
    ],
    [
      'an alert that means nothing',
      (s: RecordSealer) => [s.record(21, Buffer.from([1, 90])), s.record(23, 'dataand more')],
    ],
  ] as const) {
    test(`lets pass: ${what}`, async (t) => {
      const { peer, sealer, heard, over, said } = await against(t);
      peer.write(Buffer.concat(make(sealer)));
      await until('data', () => Buffer.concat(heard).length >= 12);
      assert.equal(String(Buffer.concat(heard)), 'dataand more');
      for (let turns = 0; turns < 5; turns++) await turn();
      assert.deepEqual([over, said.records], [[], []]);
    });
  }

  for (const [what, alert, make] of [
    ['a record that is not protected', 10, () => [Buffer.from([22, 3, 3, 0, 4, 4, 0, 0, 0])]],
    ['a change of the cipher', 10, () => [Buffer.from([20, 3, 3, 0, 1, 1])]],
    ['a record that is too long outside', 22, () => [Buffer.from([23, 3, 3, 0x41, 0x01])]],
    ['a record that is too long inside', 22, (s: RecordSealer) => [s.record(23, Buffer.alloc(16_385))]],
    ['a record with too much padding', 22, (s: RecordSealer) => [s.record(23, 'x', 16_384)]],
    ['a record without a tag', 20, () => [Buffer.from([23, 3, 3, 0, 3, 1, 2, 3])]],
    ['a record without a type', 10, (s: RecordSealer) => [s.inner(Buffer.alloc(5))]],
    ['a record with nothing in it', 10, (s: RecordSealer) => [s.inner(NOTHING)]],
    ['an unknown type', 10, (s: RecordSealer) => [s.record(25, 'x')]],
    ['a handshake without a message', 10, (s: RecordSealer) => [s.record(22, '')]],
    ['a second hello', 10, (s: RecordSealer) => [s.record(22, Buffer.from([1, 0, 0, 0]))]],
    ['a request for a certificate', 10, (s: RecordSealer) => [s.record(22, Buffer.from([13, 0, 0, 0]))]],
    ['data within a message', 10, (s: RecordSealer) => [s.record(22, TICKET.subarray(0, 9)), s.record(23, 'x')]],
    [
      'an alert within a message',
      10,
      (s: RecordSealer) => [s.record(22, TICKET.subarray(0, 9)), s.record(21, Buffer.from([1, 0]))],
    ],
    [
      'a key update that is not all of its record',
      10,
      (s: RecordSealer) => [s.record(22, Buffer.concat([KEY_UPDATE, KEY_UPDATE]))],
    ],
    ['a key update of another length', 50, (s: RecordSealer) => [s.record(22, Buffer.from([24, 0, 0, 2, 0, 0]))]],
    [
      'a key update that asks for something else',
      47,
      (s: RecordSealer) => [s.record(22, Buffer.from([24, 0, 0, 1, 2]))],
    ],
    ['an alert of another length', 50, (s: RecordSealer) => [s.record(21, Buffer.from([2, 40, 0]))]],
    ['one empty record after the other', 10, (s: RecordSealer) => Array.from({ length: 33 }, () => s.record(23, ''))],
    [
      'one key update after the other',
      10,
      (s: RecordSealer) =>
        Array.from({ length: 33 }, () => {
          const record = s.record(22, KEY_UPDATE);
          s.update();
          return record;
        }),
    ],
    ['a record twice', 20, (s: RecordSealer) => Array<Buffer>(2).fill(s.record(23, ''))],
  ] as const) {
    test(`answers alert ${alert} to ${what}, behind what came before`, async (t) => {
      const { stream, peer, sealer, heard, over, said } = await against(t);
      const good = sealer.record(23, 'good');
      peer.write(Buffer.concat([good, ...make(sealer), sealer.record(23, 'what is behind it')]));
      await until('alert', () => said.records.length > 0 && over.length > 0);
      assert.equal(String(Buffer.concat(heard)), 'good');
      assert.match(stream.errorOf(over[0] as number).message, /^the peer broke TLS: [a-z_]+$/);
      assert.deepEqual(said.records, [{ type: 21, content: Buffer.from([2, alert]) }]);
      for (let turns = 0; turns < 5; turns++) await turn();
      assert.equal(over.length, 1, 'it goes on behind a failure');
    });
  }

  test('a server takes no tickets', async (t) => {
    const { peer, sealer, over } = await against(t, { isClient: false });
    peer.write(sealer.record(22, TICKET));
    await until('failure', () => over.length > 0);
    assert.ok((over[0] as number) < 0);
  });

  test('close_notify is the end, every other alert a failure; and so ends what ends without', async (t) => {
    const ended = await against(t);
    ended.peer.write(Buffer.concat([ended.sealer.record(23, 'last'), ended.sealer.record(21, Buffer.from([1, 0]))]));
    await until('end', () => ended.over.length > 0);
    assert.equal(String(Buffer.concat(ended.heard)), 'last');
    assert.deepEqual(ended.over, [0]);
    const failed = await against(t);
    failed.peer.write(failed.sealer.record(21, Buffer.from([1, 40])));
    await until('failure', () => failed.over.length > 0);
    assert.equal(failed.stream.errorOf(failed.over[0] as number).message, 'the peer ended TLS: handshake_failure');
    const cut = await against(t);
    cut.peer.end(cut.sealer.record(23, 'cut off').subarray(0, 20));
    await until('end', () => cut.over.length > 0);
    assert.deepEqual([cut.over, cut.heard], [[0], []]);
  });

  test('a key update that is requested comes at once, and the data behind it is under the new key', async (t) => {
    const { stream, peer, sealer, said, over } = await against(t);
    peer.write(sealer.record(22, KEY_UPDATE_REQUEST));
    sealer.update();
    await until('key update', () => said.records.length > 0);
    assert.equal(stream.send(Buffer.from('gone')), 0);
    await until('data', () => said.data.length > 0);
    assert.deepEqual([String(said.data), said.others, said.counts, over], ['gone', [KEY_UPDATE], [1, 1], []]);
  });

  test('requests of a peer that does not read get one answer, behind what waits', async (t) => {
    const { stream, peer, sealer, said, heard } = await against(t);
    peer.pause();
    const long = plainOctets(24 * 1024 * 1024);
    assert.ok(stream.send(long) > 0);
    for (let number = 0; number < 3; number++) {
      peer.write(sealer.record(22, KEY_UPDATE_REQUEST));
      sealer.update();
    }
    peer.write(sealer.record(23, 'read'));
    await until('data', () => heard.length > 0);
    peer.resume();
    await until('key update', () => said.others.length > 0);
    assert.ok(said.data.equals(long));
    stream.send(Buffer.from('gone'));
    await until('data', () => said.data.length > long.length);
    assert.deepEqual(said.others, [KEY_UPDATE]);
  });

  const LIMIT = 8;
  for (const [what, write] of [
    ['octets', (stream: RecordStream, content: Buffer) => stream.send(content)],
    ['frames', (stream: RecordStream, content: Buffer) => stream.sendFrames(batchOf(content), Uint32Array.of(0), 1, 0)],
  ] as const) {
    test(`our key seals no more records than it may, as often as ${what} are sent`, async (t) => {
      const { stream, said } = await against(t, { recordsAKey: LIMIT });
      const content = plainOctets(1000);
      const sent = 100;
      for (let number = 0; number < sent; number++) assert.equal(write(stream, content), 0);
      await until('data', () => said.records.filter(({ type }) => type === 23).length === sent);
      // Each key seals LIMIT records of data and one key update.
      const { length } = said.others;
      assert.equal(length, Math.ceil(sent / LIMIT) - 1);
      assert.deepEqual(said.counts.slice(0, length), Array(length).fill(LIMIT + 1));
      assert.ok(said.others.every((message) => message.equals(KEY_UPDATE)));
    });
  }

  test('a peer whose key is worn is asked for another one, and goes on under it', async (t) => {
    const { peer, sealer, said, heard, over } = await against(t, { recordsAKey: LIMIT });
    let sent = 0;
    const one = async (): Promise<void> => {
      peer.write(sealer.record(23, 'x'));
      sent++;
      await until('data', () => heard.length === sent);
    };
    for (let key = 1; key <= 3; key++) {
      while (sent < key * LIMIT) await one();
      assert.equal(said.others.length, key - 1);
      await one();
      await until('request', () => said.others.length === key);
      peer.write(sealer.record(22, KEY_UPDATE));
      sealer.update();
      sent = heard.length = key * LIMIT;
    }
    assert.deepEqual([said.others, over], [Array(3).fill(KEY_UPDATE_REQUEST), []]);
  });

  test('a peer that seals far more records than a key may, and does not change it, is refused', async (t) => {
    const { stream, peer, sealer, said, heard, over } = await against(t, { recordsAKey: LIMIT });
    const most = LIMIT + LIMIT / 4;
    for (let sent = 1; sent <= most; sent++) {
      peer.write(sealer.record(23, 'x'));
      await until('data', () => heard.length === sent);
    }
    assert.deepEqual(over, []);
    peer.write(sealer.record(23, 'one too many'));
    await until('failure', () => over.length > 0);
    assert.equal(heard.length, most);
    assert.equal(stream.errorOf(over.at(0) ?? 0).message, 'the peer broke TLS: internal_error');
    await until('alert', () => said.others.length === 2);
    assert.deepEqual(said.others, [KEY_UPDATE_REQUEST, Buffer.from([2, 80])]);
  });
});
