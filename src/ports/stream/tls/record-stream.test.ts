import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { missingAddon } from '../../../../test/support/offload-addon.ts';
import { socketPair } from '../../../../test/support/socket-pair.ts';
import { nativeAddon } from '../../../native/addon.ts';
import { descriptorOf } from '../../../net/socket-descriptor.ts';
import { TRY_AGAIN } from '../kernel-stream.ts';
import { nextSecret, SUITES, type Suite, trafficKey } from './key-schedule.ts';
import { hasRecords, type RecordAddon, RecordKeys } from './record-keys.ts';
import { RecordStream } from './record-stream.ts';

const NOTHING: Buffer = Buffer.alloc(0);
const { TLS_AES_128_GCM_SHA256: AES_128 } = SUITES;
const SUITE = AES_128 as Suite;
const TICKET = Buffer.concat([Buffer.from([4, 0, 0x30, 0x39]), Buffer.alloc(12_345)]);
const KEY_UPDATE = Buffer.from([24, 0, 0, 1, 0]);
const KEY_UPDATE_REQUEST = Buffer.from([24, 0, 0, 1, 1]);

/** Seals records with Node's own ciphers. */
class Sealer {
  #secret: Buffer;
  #sequence = 0;

  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  record(type: number, content: Buffer | string, padding = 0): Buffer {
    return this.inner(Buffer.concat([Buffer.from(content), Buffer.from([type]), Buffer.alloc(padding)]));
  }

  inner(plaintext: Buffer): Buffer {
    const { key, iv } = trafficKey(SUITE, this.#secret);
    iv.writeUInt32BE((iv.readUInt32BE(8) ^ this.#sequence++) >>> 0, 8);
    const length = plaintext.length + 16;
    const header = Buffer.from([23, 3, 3, length >> 8, length & 0xff]);
    const cipher = createCipheriv('aes-128-gcm', key, iv);
    cipher.setAAD(header);
    return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  update(): void {
    this.#secret = nextSecret(SUITE, this.#secret);
    this.#sequence = 0;
  }
}

function recordAddon(): RecordAddon {
  const addon = nativeAddon();
  assert.ok(hasRecords(addon));
  return addon;
}

interface End {
  readonly stream: RecordStream;
  read(): number;
  readonly heard: Buffer[];
}

function streamOver(socket: Socket, opening: Buffer, sealing: Buffer, isClient: boolean, recordsAKey?: number): End {
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
  const room = Buffer.alloc(256 * 1024);
  const heard: Buffer[] = [];
  const read = (): number => {
    const count = stream.read(room, 0, room.length);
    if (count > 0) heard.push(Buffer.from(room.subarray(0, count)));
    return count;
  };
  return { stream, read, heard };
}

/** A stream of ours, and a plain socket at its other end that says what it likes. */
async function against(
  t: TestContext,
  isClient = true,
): Promise<End & { peer: Socket; sealer: Sealer; secret: Buffer }> {
  const { accepted, dialled } = await socketPair();
  const [theirs, ours] = [randomBytes(32), randomBytes(32)];
  const end = streamOver(accepted, theirs, ours, isClient);
  t.after(() => {
    end.stream.close();
    dialled.destroy();
  });
  return { ...end, peer: dialled, sealer: new Sealer(theirs), secret: ours };
}

/** Reads until there is something else than nothing. */
async function readOn(end: End): Promise<number> {
  for (;;) {
    const count = end.read();
    if (count !== TRY_AGAIN) return count;
    await turn();
  }
}

/** The description of the one alert that the peer gets, in its record, under our first key. */
async function alertTo(peer: Socket, secret: Buffer): Promise<number> {
  const [record] = (await once(peer, 'data')) as [Buffer];
  for (let description = 0; description < 256; description++) {
    if (new Sealer(secret).record(21, Buffer.from([2, description])).equals(record)) return description;
  }
  return assert.fail('no alert');
}

describe('the record layer', { skip: missingAddon() }, () => {
  for (const [what, make] of [
    ['padded data', (s: Sealer) => [s.record(23, 'data', 1), s.record(23, '', 7), s.record(23, 'and more', 16_000)]],
    ['a ticket in one record', (s: Sealer) => [s.record(22, TICKET), s.record(23, 'dataand more')]],
    [
      'tickets in pieces, of which one ends where the next begins',
      (s: Sealer) => [
        s.record(22, TICKET.subarray(0, 3)),
        s.record(22, TICKET.subarray(3, 9000)),
        s.record(22, Buffer.concat([TICKET.subarray(9000), TICKET.subarray(0, 2)])),
        s.record(22, TICKET.subarray(2)),
        s.record(23, 'dataand more'),
      ],
    ],
    [
      'other keys',
      (s: Sealer) => {
        const records = [s.record(23, 'data'), s.record(22, KEY_UPDATE)];
        s.update();
        records.push(s.record(23, 'and more'));
        return records;
      },
    ],
    ['an alert that means nothing', (s: Sealer) => [s.record(21, Buffer.from([1, 90])), s.record(23, 'dataand more')]],
  ] as const) {
    test(`lets pass: ${what}`, async (t) => {
      const end = await against(t);
      end.peer.write(Buffer.concat(make(end.sealer)));
      while (Buffer.concat(end.heard).length < 12) assert.ok((await readOn(end)) > 0);
      assert.equal(String(Buffer.concat(end.heard)), 'dataand more');
      assert.equal(end.stream.unsentBytes, 0);
      assert.equal(end.read(), TRY_AGAIN);
    });
  }

  for (const [what, alert, make] of [
    ['a record that is not protected', 10, () => [Buffer.from([22, 3, 3, 0, 4, 4, 0, 0, 0])]],
    ['a change of the cipher', 10, () => [Buffer.from([20, 3, 3, 0, 1, 1])]],
    ['a record that is too long outside', 22, () => [Buffer.from([23, 3, 3, 0x41, 0x01])]],
    ['a record that is too long inside', 22, (s: Sealer) => [s.record(23, Buffer.alloc(16_385))]],
    ['a record with too much padding', 22, (s: Sealer) => [s.record(23, 'x', 16_384)]],
    ['a record without a tag', 20, () => [Buffer.from([23, 3, 3, 0, 3, 1, 2, 3])]],
    ['a record without a type', 10, (s: Sealer) => [s.inner(Buffer.alloc(5))]],
    ['a record with nothing in it', 10, (s: Sealer) => [s.inner(NOTHING)]],
    ['an unknown type', 10, (s: Sealer) => [s.record(25, 'x')]],
    ['a handshake without a message', 10, (s: Sealer) => [s.record(22, '')]],
    ['a second hello', 10, (s: Sealer) => [s.record(22, Buffer.from([1, 0, 0, 0]))]],
    ['a request for a certificate', 10, (s: Sealer) => [s.record(22, Buffer.from([13, 0, 0, 0]))]],
    ['data within a message', 10, (s: Sealer) => [s.record(22, TICKET.subarray(0, 9)), s.record(23, 'x')]],
    [
      'an alert within a message',
      10,
      (s: Sealer) => [s.record(22, TICKET.subarray(0, 9)), s.record(21, Buffer.from([1, 0]))],
    ],
    [
      'a key update that is not all of its record',
      10,
      (s: Sealer) => [s.record(22, Buffer.concat([KEY_UPDATE, KEY_UPDATE]))],
    ],
    ['a key update of another length', 50, (s: Sealer) => [s.record(22, Buffer.from([24, 0, 0, 2, 0, 0]))]],
    ['a key update that asks for something else', 47, (s: Sealer) => [s.record(22, Buffer.from([24, 0, 0, 1, 2]))]],
    ['an alert of another length', 50, (s: Sealer) => [s.record(21, Buffer.from([2, 40, 0]))]],
    ['one empty record after the other', 10, (s: Sealer) => Array.from({ length: 33 }, () => s.record(23, ''))],
    [
      'one key update after the other',
      10,
      (s: Sealer) =>
        Array.from({ length: 33 }, () => {
          const record = s.record(22, KEY_UPDATE);
          s.update();
          return record;
        }),
    ],
    ['a record twice', 20, (s: Sealer) => Array<Buffer>(2).fill(s.record(23, ''))],
  ] as const) {
    test(`answers alert ${alert} to ${what}, behind what came before`, async (t) => {
      const end = await against(t);
      const good = end.sealer.record(23, 'good');
      end.peer.write(Buffer.concat([good, ...make(end.sealer)]));
      const said = alertTo(end.peer, end.secret);
      assert.equal(await readOn(end), 4);
      const status = await readOn(end);
      assert.ok(status < 0);
      assert.match(end.stream.errorOf(status).message, /^the peer broke TLS: [a-z_]+$/);
      assert.equal(await said, alert);
      assert.equal(end.read(), status, 'it goes on behind a failure');
    });
  }

  test('a server takes no tickets', async (t) => {
    const end = await against(t, false);
    end.peer.write(end.sealer.record(22, TICKET));
    assert.ok((await readOn(end)) < 0);
  });

  test('close_notify is the end, every other alert a failure; and so ends what ends without', async (t) => {
    const ended = await against(t);
    ended.peer.write(Buffer.concat([ended.sealer.record(23, 'last'), ended.sealer.record(21, Buffer.from([1, 0]))]));
    assert.equal(await readOn(ended), 4);
    assert.equal(ended.stream.hasMore, true);
    assert.equal(ended.read(), 0);
    assert.equal(ended.stream.hasMore, false);
    const failed = await against(t);
    failed.peer.write(failed.sealer.record(21, Buffer.from([1, 40])));
    assert.equal(failed.stream.errorOf(await readOn(failed)).message, 'the peer ended TLS: handshake_failure');
    const cut = await against(t);
    cut.peer.end(cut.sealer.record(23, 'cut off').subarray(0, 20));
    assert.equal(await readOn(cut), 0);
  });

  test('a key update that is asked for comes, once for all that asked, and in front of what is sent next', async (t) => {
    const { accepted, dialled } = await socketPair();
    const [theirs, ours] = [randomBytes(32), randomBytes(32)];
    const end = streamOver(accepted, theirs, ours, true);
    t.after(() => {
      end.stream.close();
      dialled.destroy();
    });
    const sealer = new Sealer(theirs);
    const requests = Array.from({ length: 3 }, () => {
      const record = sealer.record(22, KEY_UPDATE_REQUEST);
      sealer.update();
      return record;
    });
    dialled.write(Buffer.concat([...requests, sealer.record(23, 'go')]));
    assert.equal(await readOn(end), 2);
    const expected = new Sealer(ours);
    const update = expected.record(22, KEY_UPDATE);
    expected.update();
    const wanted = Buffer.concat([update, expected.record(23, 'gone')]);
    assert.equal(end.stream.write(Buffer.from('gone'), 0, 4), 4);
    let got: Buffer = NOTHING;
    while (got.length < wanted.length) got = Buffer.concat([got, ((await once(dialled, 'data')) as [Buffer])[0]]);
    assert.ok(got.equals(wanted));
  });

  test('keys are changed before they wear out, as often as it takes', async (t) => {
    const { accepted, dialled } = await socketPair();
    const [up, down] = [randomBytes(32), randomBytes(32)];
    const near = streamOver(accepted, up, down, true, 5);
    const far = streamOver(dialled, down, up, false);
    t.after(() => {
      near.stream.close();
      far.stream.close();
    });
    const sent = randomBytes(3_000_000);
    let at = 0;
    let received = 0;
    while (received < sent.length) {
      const taken = near.stream.write(sent, at, Math.min(sent.length, at + 40_000));
      assert.ok(taken >= 0);
      at += taken;
      for (let count = far.read(); count !== TRY_AGAIN; count = far.read()) {
        assert.ok(count > 0);
        received += count;
      }
      await turn();
    }
    assert.ok(Buffer.concat(far.heard).equals(sent));
  });
});
