import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Logger, SILENT } from '../../observability/logger.ts';
import { readOuiLine } from './oui-line.ts';
import { LOCALLY_ADMINISTERED, USUAL_TABLES, VendorTable } from './vendor-table.ts';

const directory = mkdtempSync(join(tmpdir(), 'etherws-vendors-'));
after(() => rmSync(directory, { recursive: true }));

const SUN = { bits: 24, prefix: 0x08_0020, vendor: 'Oracle Corporation' };

test('lines of the IEEE, nmap and Wireshark', () => {
  assert.deepEqual(readOuiLine('08-00-20   (hex)\t\tOracle Corporation '), SUN);
  assert.deepEqual(readOuiLine('080020 Oracle Corporation'), SUN);
  assert.deepEqual(readOuiLine('08:00:20\tOracle\tOracle Corporation'), SUN);
  assert.deepEqual(readOuiLine('08:00:20             \tOracle               \tOracle Corporation'), SUN);
  assert.deepEqual(readOuiLine('08:00:20\tOracle Corporation'), SUN);
  const small = { bits: 36, prefix: 0x00_1bc5_0fa, vendor: 'Fractal Systems' };
  assert.deepEqual(readOuiLine('00:1B:C5:0F:A0:00/36\tFractal\tFractal Systems'), small);
  assert.deepEqual(readOuiLine('001BC50FA Fractal Systems'), small);
  assert.deepEqual(readOuiLine('0055DA0 Shinko'), { bits: 28, prefix: 0x00_55da_0, vendor: 'Shinko' });
});

test('other lines, and other lengths of prefixes, are passed over', () => {
  for (const line of [
    '# 080020 Oracle',
    '080020     (base 16)\t\tOracle Corporation',
    '\t\t\t\tSanta Clara  CA  95054',
    '01:80:C2:00:00:00/45\tBridge',
    '08:00:20/28\tShort',
    '',
    '080020 ',
  ]) {
    assert.equal(readOuiLine(line), undefined, line);
  }
});

test('the longest prefix wins; a locally administered address says so, whatever the table says', async () => {
  const file = join(directory, 'table');
  writeFileSync(file, `001BC5 IEEE\n001BC50FA ${'x'.repeat(100)}\n020000 Nonsense\r\n080020 Oracle\r\n`);
  const table = new VendorTable(file, SILENT);
  assert.equal(table.vendorOf(0x08_0020_00_0001), null, 'it is not loaded yet');
  await Promise.all([table.load(), table.load()]);
  assert.equal(table.vendorOf(0x00_1bc5_0f_a001), 'x'.repeat(64));
  assert.equal(table.vendorOf(0x00_1bc5_00_0001), 'IEEE');
  assert.equal(table.vendorOf(0x08_0020_00_0001), 'Oracle');
  assert.equal(table.vendorOf(0x08_0021_00_0001), null);
  assert.equal(table.vendorOf(0x02_0000_00_0001), LOCALLY_ADMINISTERED);
});

test('a table that is gone is told in the log; without one of the usual places nothing is', async () => {
  const lines: unknown[] = [];
  const logger: Logger = { ...SILENT, warn: (...line: unknown[]) => void lines.push(line) };
  const table = new VendorTable(join(directory, 'none'), logger);
  await table.load();
  assert.equal(table.vendorOf(1), null);
  assert.equal(lines.length, 1);
  await new VendorTable(undefined, logger).load();
  assert.equal(lines.length, 1);
});

const present = USUAL_TABLES.find((path) => existsSync(path));
test('the table of this host', { skip: present === undefined ? 'no package has one' : false }, async () => {
  const table = new VendorTable(undefined, SILENT);
  await table.load();
  assert.match(table.vendorOf(0x08_0020_00_0001) ?? '', /oracle|sun/i);
});
