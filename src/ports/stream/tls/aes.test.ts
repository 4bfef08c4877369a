import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { TestDaemon } from '../../../../test/support/daemon.ts';
import { closeDescriptor } from '../../../../test/support/descriptors.ts';
import { missingAddon } from '../../../../test/support/offload-addon.ts';
import { plainOctets } from '../../../../test/support/plain-octets.ts';
import { socketPair } from '../../../../test/support/socket-pair.ts';
import { type RecordKey, sealData } from '../../../../test/support/tls-records.ts';
import { until } from '../../../../test/support/waits.ts';
import { type NativeAddon, nativeAddon } from '../../../native/addon.ts';
import { type Descriptor, READABLE } from '../../../native/descriptors.ts';
import type { TlsRecords } from '../../../native/tls.ts';
import { descriptorOf } from '../../../net/socket-descriptor.ts';
import { frameList } from '../frame-list.ts';
import { type AesChoice, chooseAes } from './aes.ts';
import { SUITES, type Suite } from './key-schedule.ts';
import { hasRecords, type RecordAddon } from './record-keys.ts';

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
/** ipsec-mb is used only on processors with AVX2. */
const isProvided = /^flags.*\bavx2\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
const isMissing = skip === false && !String(chooseAes('auto')).startsWith('ipsec-mb');
const skipLibrary = isMissing && 'needs ipsec-mb: apt install libipsec-mb-dev, then node scripts/build-addon.mjs';

function choose(choice: AesChoice): RecordAddon {
  const addon = nativeAddon();
  assert.ok(hasRecords(addon));
  chooseAes(choice);
  return addon;
}

/** A tunnel whose records native code seals and opens, and the socket at its far end. */
interface End {
  readonly descriptor: Descriptor;
  /** the opened plaintexts */
  readonly opened: Buffer[];
  /** statuses of records of other types than data, and of those that cannot be opened */
  readonly statuses: number[];
  /** the sealed records */
  readonly sealed: Buffer[];
  readonly peer: Socket;
}

/** @param key of both directions */
async function openEnd(
  t: TestContext,
  addon: RecordAddon,
  suite: Suite,
  { key, iv, sequence }: RecordKey,
): Promise<End> {
  const { accepted, dialled: peer } = await socketPair();
  const descriptor = addon.adoptSocket(descriptorOf(accepted) as number);
  accepted.destroy();
  const end: End = { descriptor, opened: [], statuses: [], sealed: [], peer };
  peer.on('data', (octets: Buffer) => end.sealed.push(octets));
  frameList(addon);
  addon.watch(descriptor, (_status, count) => {
    if (count <= 0) addon.await(descriptor, 0);
  });
  // Without the parser of messages, octets are delivered as opened.
  addon.openTunnel(descriptor, false, false, 0, (bytes, _frames, _odd, _length, from, to) => {
    end.opened.push(Buffer.from(bytes.subarray(from, to)));
    return ~to;
  });
  const [opening, sealing] = [false, true].map((isSealing) =>
    addon.startTlsRecords(suite.index, key, iv, sequence, isSealing),
  ) as [TlsRecords, TlsRecords];
  addon.sealTunnel(descriptor, opening, sealing, 2 ** 24, Buffer.alloc(0), (status) => {
    end.statuses.push(status);
    return 0;
  });
  addon.await(descriptor, READABLE);
  t.after(async () => {
    peer.destroy();
    await closeDescriptor(descriptor);
  });
  return end;
}

function bytesOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((bytes, piece) => bytes + piece.length, 0);
}

function randomKey({ cipher, keyBytes }: Suite, sequence: number): RecordKey {
  return { cipher, key: randomBytes(keyBytes), iv: randomBytes(12), sequence };
}

for (const choice of ['openssl', 'auto'] as const) {
  if (choice === 'auto' && !isProvided) continue;
  for (const [name, suite] of Object.entries(SUITES)) {
    test(`--aes ${choice}: records of ${name} are those of Node`, {
      skip: skip || (choice === 'auto' && skipLibrary),
    }, async (t) => {
      t.after(() => chooseAes('auto'));
      const addon = choose(choice);
      for (const length of LENGTHS) {
        const key = randomKey(suite, length);
        const content = plainOctets(length);
        const expected = sealData({ ...key }, content);
        const end = await openEnd(t, addon, suite, key);
        assert.equal(addon.sendOctets(end.descriptor, content, 0, length), 0);
        await until(() => bytesOf(end.sealed) >= expected.length);
        assert.ok(Buffer.concat(end.sealed).equals(expected), `${length} octets, sealed`);

        end.peer.write(expected);
        await until(() => bytesOf(end.opened) >= length);
        assert.ok(Buffer.concat(end.opened).equals(content), `${length} octets, opened`);
        assert.deepEqual(end.statuses, []);
      }
    });

    test(`--aes ${choice}: no spoiled record of ${name} is opened`, {
      skip: skip || (choice === 'auto' && skipLibrary),
    }, async (t) => {
      t.after(() => chooseAes('auto'));
      const addon = choose(choice);
      for (const length of LENGTHS.filter((length) => length <= CONTENT_BYTES)) {
        const key = randomKey(suite, length);
        const sealed = sealData({ ...key }, plainOctets(length));
        // An octet of the content, the type, and the first and the last octet of the tag.
        for (const at of [5, sealed.length - 17, sealed.length - 16, sealed.length - 1]) {
          const spoiled = Buffer.from(sealed);
          spoiled[at] = (spoiled[at] as number) ^ 1;
          const { peer, statuses, opened } = await openEnd(t, addon, suite, key);
          peer.write(spoiled);
          await until(() => statuses.length > 0);
          assert.deepEqual([statuses, opened], [[-BAD_RECORD_MAC], []], `octet ${at} of ${length} was spoiled`);
        }
      }
    });
  }
}

test('keys of either go on beside each other', { skip: skip || !isProvided || skipLibrary }, async (t) => {
  t.after(() => chooseAes('auto'));
  const { TLS_AES_128_GCM_SHA256: AES_128 } = SUITES;
  const suite = AES_128 as Suite;
  const content = plainOctets(1000);
  const key = randomKey(suite, 0);
  const ends: End[] = [];
  for (const choice of ['auto', 'openssl'] as const) ends.push(await openEnd(t, choose(choice), suite, key));
  const expected = Buffer.concat(Array.from({ length: 3 }, () => sealData(key, content)));
  for (let record = 0; record < 3; record++) {
    for (const { descriptor } of ends) assert.equal(nativeAddon().sendOctets(descriptor, content, 0, 1000), 0);
  }
  for (const { sealed } of ends) {
    await until(() => bytesOf(sealed) >= expected.length);
    assert.ok(Buffer.concat(sealed).equals(expected));
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
