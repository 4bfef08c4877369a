import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../test/support/process.ts';
import { missingTools } from '../../test/support/tools.ts';
import { PcapngReader } from './pcapng-reader.ts';
import {
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  type PacketRecord,
  sectionHeader,
} from './pcapng-writer.ts';

/** 2026-11-29 02:10:00.000123 UTC: more than 32 bits of microseconds. */
const TIME_US = Date.UTC(2026, 10, 29, 2, 10) * 1000 + 123;

function packet(change: Partial<PacketRecord> = {}): PacketRecord {
  const bytes = Buffer.from(`02000000000202000000000188b5${'ab'.repeat(47)}`, 'hex');
  const length = bytes.length;
  return { interfaceId: 0, timeUs: TIME_US, direction: 'rx', bytes, length, comments: [], lost: 0, ...change };
}

const BROADCAST = Buffer.from(`ffffffffffff02000000000188b5${'00'.repeat(46)}`, 'hex');
const PACKETS = [
  packet(),
  packet({ interfaceId: 1, direction: 'tx', timeUs: TIME_US + 1, comments: ['discarded: queueFull'] }),
  packet({ bytes: BROADCAST.subarray(0, 20), length: 60, lost: 7, comments: ['one', 'zwei ä'] }),
  packet({ bytes: Buffer.from('01005e0000fb', 'hex'), length: 6 }),
  packet({ bytes: new Uint8Array(), length: 0, direction: 'tx' }),
];

const FILE = Buffer.concat([
  sectionHeader('etherws 2.0.0'),
  interfaceDescription({ name: 'uplink', description: 'port 3, client', snapLength: 0, filter: 'tcp or udp' }),
  interfaceDescription({ name: 'port-4', description: 'port 4, tap ethws0', snapLength: 96, filter: '' }),
  ...PACKETS.map(enhancedPacket),
  interfaceStatistics({
    interfaceId: 1,
    startUs: TIME_US,
    endUs: TIME_US + 5_000_000,
    received: 40,
    accepted: 30,
    delivered: 23,
    dropped: 7,
  }),
]);

test('what is written is read again, in pieces of any length', () => {
  for (const step of [1, 7, 100, FILE.length]) {
    const reader = new PcapngReader();
    const read = [];
    for (let at = 0; at < FILE.length; at += step) read.push(...reader.read(FILE.subarray(at, at + step)));
    assert.deepEqual(
      read.map(({ bytes, interfaceName, ...rest }) => ({ ...rest, interfaceName, bytes: Buffer.from(bytes) })),
      PACKETS.map(({ bytes, interfaceId, ...rest }) => ({
        ...rest,
        interfaceName: ['uplink', 'port-4'][interfaceId],
        bytes: Buffer.from(bytes),
      })),
    );
  }
  assert.throws(() => new PcapngReader().read(Buffer.from('no pcapng at all')), RangeError);
});

test('tshark and capinfos read it', { skip: missingTools('tshark', 'capinfos') }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-pcapng-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'it.pcapng');
  writeFileSync(file, FILE);
  const columns = ['frame.interface_name', 'frame.time_epoch', 'frame.packet_flags_direction', 'frame.cap_len'];
  const more = ['frame.packet_flags_reception_type', 'frame.len', 'frame.drop_count', 'frame.comment', '_ws.malformed'];
  const fields = [...columns, ...more].flatMap((name) => ['-e', name]);
  const { stdout, stderr, status } = await run(['tshark', '-r', file, '-T', 'fields', '-E', 'separator=;', ...fields]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    'uplink;1795918200.000123000;0x00000001;61;1;61;;;',
    'port-4;1795918200.000124000;0x00000002;61;1;61;;discarded: queueFull;',
    'uplink;1795918200.000123000;0x00000001;20;3;60;7;one,zwei ä;',
    'uplink;1795918200.000123000;0x00000001;6;2;6;;;[Malformed Packet: Ethernet],_ws.malformed',
    'uplink;1795918200.000123000;0x00000002;0;0;0;;;[Malformed Packet: Ethernet],_ws.malformed',
  ]);
  const facts = await run(['capinfos', file]);
  assert.match(facts.stdout, /Number of packets: +5$/m, facts.stderr);
  assert.match(facts.stdout, /Capture application: +etherws 2\.0\.0$/m);
  assert.match(facts.stdout, /Name = uplink\n +Description = port 3, client[\s\S]*Filter string = tcp or udp/);
  assert.match(
    facts.stdout,
    /Name = port-4\n +Description = port 4, tap ethws0[\s\S]*Capture length = 96[\s\S]*Number of stat entries = 1/,
  );
});
