import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { TestDaemon } from '../../../../test/support/daemon.ts';
import { missingAddon } from '../../../../test/support/offload-addon.ts';
import { type NativeAddon, nativeAddon } from '../../../native/addon.ts';
import { type AesChoice, chooseAes } from './aes.ts';
import { SUITES } from './key-schedule.ts';
import { hasRecords, type RecordAddon } from './record-keys.ts';

const APPLICATION_DATA = 23;
const BAD_RECORD_MAC = 20;
const CONTENT_BYTES = 1 << 14;
const LENGTHS = [
  1,
  15,
  16,
  17,
  47,
  255,
  256,
  257,
  1400,
  4095,
  CONTENT_BYTES - 1,
  CONTENT_BYTES,
  CONTENT_BYTES + 1,
  50_000,
];

const skip = missingAddon();
/** Wide registers may write more than was asked for. */
const ROOM_BEHIND = 64;
const NOTHING = Buffer.alloc(ROOM_BEHIND);
/** There is nothing to be had for other processors. */
const isProvided = /^flags.*\bavx2\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
const isMissing = skip === false && !String(chooseAes('auto')).startsWith('ipsec-mb');
const skipLibrary = isMissing && 'needs ipsec-mb: apt install libipsec-mb-dev, then node scripts/build-addon.mjs';

function choose(choice: AesChoice): RecordAddon {
  const addon = nativeAddon();
  assert.ok(hasRecords(addon));
  chooseAes(choice);
  return addon;
}

/** What the records of some content must be, by Node. */
function byNode(cipher: string, key: Buffer, iv: Buffer, content: Buffer, sequence: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < content.length; at += CONTENT_BYTES) {
    const piece = content.subarray(at, at + CONTENT_BYTES);
    const protectedBytes = piece.length + 17;
    const header = Buffer.from([APPLICATION_DATA, 3, 3, protectedBytes >> 8, protectedBytes & 0xff]);
    const nonce = Buffer.from(iv);
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ (sequence + records.length)) >>> 0, 8);
    const sealing = createCipheriv(cipher as 'aes-128-gcm', key, nonce, { authTagLength: 16 });
    sealing.setAAD(header);
    const sealed = [sealing.update(piece), sealing.update(Buffer.from([APPLICATION_DATA])), sealing.final()];
    records.push(Buffer.concat([header, ...sealed, sealing.getAuthTag()]));
  }
  return Buffer.concat(records);
}

for (const choice of ['openssl', 'auto'] as const) {
  if (choice === 'auto' && !isProvided) continue;
  for (const [name, { index, cipher, keyBytes }] of Object.entries(SUITES)) {
    test(`--aes ${choice}: records of ${name} are those of Node`, {
      skip: skip || (choice === 'auto' && skipLibrary),
    }, (t) => {
      t.after(() => chooseAes('auto'));
      const addon = choose(choice);
      for (const length of LENGTHS) {
        const [key, iv, content, sequence] = [randomBytes(keyBytes), randomBytes(12), randomBytes(length), length];
        const expected = byNode(cipher, key, iv, content, sequence);
        const sealing = addon.startTlsRecords(index, key, iv, sequence, true);
        const records = Buffer.alloc(expected.length + ROOM_BEHIND);
        addon.sealTlsRecords(sealing, APPLICATION_DATA, content, 0, length, records, 0);
        assert.ok(records.equals(Buffer.concat([expected, NOTHING])), `${length} octets, sealed`);

        const open = (bytes: Buffer): [number, Buffer] => {
          const opening = addon.startTlsRecords(index, key, iv, sequence, false);
          const [target, opened] = [Buffer.alloc(length + 1 + ROOM_BEHIND), new Uint32Array(3)];
          const status = addon.openTlsRecords(opening, bytes, 0, bytes.length, target, 0, target.length, opened);
          addon.endTlsRecords(opening);
          assert.ok(target.subarray(length + 1).equals(NOTHING), 'written behind the content and its type');
          return [status, target.subarray(0, opened[1])];
        };
        const [status, opened] = open(expected);
        assert.equal(status, 0);
        assert.ok(opened.equals(content), `${length} octets, opened`);
        // The length, the content, the type behind it, the tag.
        for (const at of [4, 5, expected.length - 17, expected.length - 16, expected.length - 1]) {
          const spoiled = Buffer.from(expected);
          spoiled[at] = (spoiled[at] as number) ^ 1;
          const [, some] = open(spoiled);
          assert.ok(some.length < length && content.subarray(0, some.length).equals(some), `octet ${at} was spoiled`);
          if (at > 4) assert.equal(open(spoiled)[0], -BAD_RECORD_MAC, `octet ${at} was spoiled`);
        }
      }
    });
  }
}

test('keys of either go on beside each other', { skip: skip || !isProvided || skipLibrary }, (t) => {
  t.after(() => chooseAes('auto'));
  const [key, iv, content] = [randomBytes(16), randomBytes(12), randomBytes(1000)];
  const seal = (choice: AesChoice): (() => Buffer) => {
    const addon = choose(choice);
    const sealing = addon.startTlsRecords(0, key, iv, 0, true);
    return () => {
      const records = Buffer.alloc(content.length + 22);
      addon.sealTlsRecords(sealing, APPLICATION_DATA, content, 0, content.length, records, 0);
      return records;
    };
  };
  const [byLibrary, byOpenssl] = [seal('auto'), seal('openssl')];
  for (let sequence = 0; sequence < 3; sequence++) {
    const expected = byNode('aes-128-gcm', key, iv, content, sequence);
    assert.ok(byLibrary().equals(expected));
    assert.ok(byOpenssl().equals(expected));
  }
});

test('the library is named in words', { skip }, () => {
  const addonWith = (chooseNative?: NativeAddon['chooseAes']): (() => NativeAddon) => {
    const { chooseAes: _, ...rest } = nativeAddon();
    return () => (chooseNative === undefined ? rest : { ...rest, chooseAes: chooseNative });
  };
  const asked: boolean[] = [];
  const answering = (version: string | null): (() => NativeAddon) =>
    addonWith((mayUseLibrary) => {
      asked.push(mayUseLibrary);
      return version;
    });
  assert.equal(chooseAes('auto', answering('1.5.0')), 'ipsec-mb 1.5.0');
  assert.equal(chooseAes('openssl', answering(null)), `OpenSSL ${process.versions.openssl}`);
  assert.deepEqual(asked, [true, false]);
  assert.equal(chooseAes('auto', addonWith()), undefined, 'a Node without these ciphers');
  const absent = (): never => {
    throw new Error('not built');
  };
  assert.equal(chooseAes('auto', absent), undefined);
});

test('the daemon names the library at its start, at level debug', { skip }, async (t) => {
  t.after(() => chooseAes('auto'));
  for (const choice of ['openssl', 'auto'] as const) {
    const { log } = await TestDaemon.start(t, { aes: choice });
    const records = log.filter(({ message }) => message === 'AES-GCM of tunnels');
    assert.deepEqual(records, [{ level: 'debug', message: 'AES-GCM of tunnels', fields: { by: chooseAes(choice) } }]);
  }
});
