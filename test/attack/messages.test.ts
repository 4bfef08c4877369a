import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { eventually } from '../support/etherws.ts';
import { clientMessage, frameOf } from '../support/peer-frames.ts';
import { RawTunnel } from '../support/raw-tunnel.ts';
import { SwitchProcess } from '../support/switch-process.ts';

const MAX_MESSAGE_BYTES = 256 * 1024;
const FRAME = frameOf({ from: '02:00:00:00:00:0a', payload: 'still here' });
const ONE_OCTET = clientMessage(Buffer.alloc(1), { opcode: 0, isFinal: false });
const MIB = 1024 * 1024;

function residentBytes(lan: SwitchProcess): number {
  const status = readFileSync(`/proc/${lan.process.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

function announced(bytes: number, isFinal: boolean): Buffer {
  const head = Buffer.alloc(14);
  head[0] = isFinal ? 0x82 : 0x02;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(bytes), 2);
  return head;
}

/** Asserts that a tunnel still carries frames to another one. */
async function stillCarries(t: TestContext, lan: SwitchProcess): Promise<void> {
  const [from, to] = [await RawTunnel.open(t, lan.tunnelPort), await RawTunnel.open(t, lan.tunnelPort)];
  let received = Buffer.alloc(0);
  to.socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
  });
  await from.send(clientMessage(FRAME));
  await eventually(
    async () => received,
    (bytes) => bytes.includes(FRAME),
  );
  from.socket.destroy();
  to.socket.destroy();
}

test('messages that are too long, or never end, cost one tunnel and no memory', async (t) => {
  const lan = await SwitchProcess.start(t);
  // A decompression bomb: 100 MiB of zeros in 100 KiB, with RSV1 set (RFC 7692).
  const bomb = clientMessage(deflateRawSync(Buffer.alloc(100 * MIB)), { reserved: 4 });
  const cases: [string, () => Iterable<Buffer>, number][] = [
    ['one octet too long', () => [announced(MAX_MESSAGE_BYTES + 1, true)], 1009],
    ['2^63 - 1 octets', () => [Buffer.from('82ff7fffffffffffffff00000000', 'hex')], 1009],
    [
      'too long by its last fragment',
      () => [clientMessage(Buffer.alloc(MAX_MESSAGE_BYTES), { isFinal: false }), ONE_OCTET],
      1009,
    ],
    ['fragments of one octet, by the hundred thousand', manyFragments, 1009],
    ['a bomb by permessage-deflate', () => [bomb], 1002],
  ];
  for (const [name, octets, code] of cases) {
    await t.test(`${name}: ${code}`, async (t) => {
      const before = residentBytes(lan);
      const tunnel = await RawTunnel.open(t, lan.tunnelPort);
      for (const piece of octets()) await tunnel.send(piece);
      assert.equal(await tunnel.closeCode(), code);
      await stillCarries(t, lan);
      const grown = residentBytes(lan) - before;
      assert.ok(grown < 48 * MIB, `${grown} octets more than before`);
    });
  }

  await t.test('100 tunnels in the midst of their messages hold what those may have, and no more', async (t) => {
    const before = residentBytes(lan);
    const tunnels = await Promise.all(Array.from({ length: 100 }, () => RawTunnel.open(t, lan.tunnelPort)));
    const half = Buffer.alloc(MAX_MESSAGE_BYTES - 1);
    const unfinished = clientMessage(half, { isFinal: false });
    await Promise.all(
      tunnels.map((tunnel, index) => tunnel.send(index % 2 === 0 ? unfinished : unfinished.subarray(0, -1))),
    );
    await stillCarries(t, lan);
    const grown = residentBytes(lan) - before;
    assert.ok(grown < 100 * 2 * MAX_MESSAGE_BYTES + 48 * MIB, `${grown} octets more than before`);
    assert.equal(tunnels.filter(({ socket }) => socket.destroyed).length, 0);
  });
});

function* manyFragments(): Iterable<Buffer> {
  yield clientMessage(Buffer.alloc(1), { isFinal: false });
  const thousand = Buffer.concat(Array.from({ length: 1000 }, () => ONE_OCTET));
  for (let sent = 0; sent < 300; sent++) yield thousand;
}

/** Sends the `count`th message too long for a frame. @returns whether its frame was discarded, or the tunnel ended */
async function fateOf(lan: SwitchProcess, tunnel: RawTunnel, bytes: number, count: number): Promise<string> {
  await tunnel.send(clientMessage(Buffer.alloc(bytes)));
  const fate = async (): Promise<string> => {
    if (tunnel.closeCodeSoFar !== undefined) return `ended with ${tunnel.closeCodeSoFar}`;
    const { tooLong } = (await lan.ports())[0]?.rxDiscards ?? {};
    return tooLong === count ? 'taken' : '';
  };
  return eventually(fate, (said) => said !== '');
}

test('--max-message is the longest message that is taken', async (t) => {
  const lan = await SwitchProcess.start(t, ['--max-message', '70000']);
  const tunnel = await RawTunnel.open(t, lan.tunnelPort);
  assert.equal(await fateOf(lan, tunnel, 70_000, 1), 'taken', 'a message of 70000 octets');
  assert.equal(await fateOf(lan, tunnel, 70_001, 2), 'ended with 1009', 'a message of 70001 octets');
});
