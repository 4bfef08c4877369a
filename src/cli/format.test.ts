import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Column, escapeCell, escapeSentence, formatJson, formatTable } from './format.ts';

interface Row {
  n: number;
  name: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'Port', isNumber: true, cell: ({ n }) => String(n) },
  { title: 'Type', isNumber: false, cell: ({ name }) => name },
  { title: 'Target', isNumber: false, cell: ({ name }) => name },
];

describe('a table', () => {
  it('is indented by two spaces, with two between the columns and none at the ends', () => {
    const table = formatTable(COLUMNS, [
      { n: 1, name: 'tap' },
      { n: 12345, name: 'netdev' },
    ]);
    const lines = ['   Port  Type    Target', '      1  tap     tap', '  12345  netdev  netdev', ''];
    assert.equal(table, lines.join('\n'));
  });

  it('without rows is its titles', () => {
    assert.equal(formatTable(COLUMNS, []), '  Port  Type  Target\n');
  });

  it('stays in line whatever its cells hold', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ n: fc.nat(), name: fc.string({ unit: 'binary' }) })), (rows) => {
        const lines = formatTable(COLUMNS, rows).split('\n');
        assert.equal(lines.length, rows.length + 2);
        for (const line of lines) assert.match(line, /^[\x20-\x7e]*$/);
      }),
      { seed: 1 },
    );
  });
});

describe('what comes from a peer', () => {
  it('cannot reach the terminal', () => {
    assert.equal(
      escapeCell('ws://a/\x1b[2J\r\n\u202e\u200b漢\\'),
      'ws://a/\\u{1b}[2J\\u{d}\\u{a}\\u{202e}\\u{200b}\\u{6f22}\\\\',
    );
    assert.equal(
      escapeSentence('naïve 漢\x1b]0;x\x07\u009b\u2028\u2066\ud800'),
      'naïve 漢\\u{1b}]0;x\\u{7}\\u{9b}\\u{2028}\\u{2066}\\u{d800}',
    );
  });

  it('is told apart from an escape that was typed', () => {
    assert.notEqual(escapeCell('\\u{1b}'), escapeCell('\x1b'));
  });

  it('comes through JSON unchanged and in ASCII', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, name) => {
        const text = formatJson({ value, name });
        assert.match(text, /^[\x20-\x7e]*\n$/);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify({ value, name })));
      }),
      { seed: 1 },
    );
  });
});
