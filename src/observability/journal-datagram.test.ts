import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeJournalEntry, journalFieldName } from './journal-datagram.ts';

test('a value is a line, one with a line end has its length in front', () => {
  const entry = encodeJournalEntry([
    ['MESSAGE', 'grün=1'],
    ['ETHERWS_STACK', 'one\ntwo\n'],
    ['PRIORITY', '6'],
  ]);
  const length = '\u0008\u0000\u0000\u0000\u0000\u0000\u0000\u0000';
  assert.equal(entry.toString(), `MESSAGE=grün=1\nETHERWS_STACK\n${length}one\ntwo\n\nPRIORITY=6\n`);
});

test('any values come back from an entry, and no value makes another field', () => {
  const name = fc.string().map(journalFieldName);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string({ unit: 'grapheme' }))), (fields) => {
      assert.deepEqual(decode(encodeJournalEntry(fields)), fields);
    }),
  );
});

test('names of fields have only the characters that journald takes, and at most 64', () => {
  assert.equal(journalFieldName('port'), 'ETHERWS_PORT');
  assert.equal(journalFieldName('portName'), 'ETHERWS_PORT_NAME');
  assert.equal(journalFieldName('tx-octets.é'), 'ETHERWS_TX_OCTETS__');
  fc.assert(fc.property(fc.string(), (key) => /^[A-Z][A-Z0-9_]{0,63}$/.test(journalFieldName(key))));
});

/** Reads an entry as journald does. */
function decode(entry: Buffer): [string, string][] {
  const fields: [string, string][] = [];
  for (let at = 0; at < entry.length; ) {
    const end = entry.indexOf('\n', at);
    const line = entry.toString('utf8', at, end);
    const equals = line.indexOf('=');
    at = end + 1;
    if (equals >= 0) {
      fields.push([line.slice(0, equals), line.slice(equals + 1)]);
      continue;
    }
    const length = Number(entry.readBigUInt64LE(at));
    fields.push([line, entry.toString('utf8', at + 8, at + 8 + length)]);
    assert.equal(entry[at + 8 + length], 10);
    at += 8 + length + 1;
  }
  return fields;
}
