import assert from 'node:assert/strict';
import { test } from 'node:test';
import { journalFields, type LogRecord } from './journal-record.ts';
import { JournalSink } from './journal-sink.ts';

const record = (msg: string, level = 30): LogRecord => ({ level, time: 1, room: 'switch', port: 2, msg });

/** A journald that refuses with a code, and what came to it and to standard error. */
class Journald {
  readonly entries: string[] = [];
  lines = '';
  refusal: string | undefined;
  calls = 0;
  readonly sink = new JournalSink(
    (socket, octets) => {
      this.calls++;
      assert.equal(socket, '/run/systemd/journal/socket');
      if (this.refusal !== undefined) throw Object.assign(new Error('refused'), { code: this.refusal });
      this.entries.push(Buffer.from(octets).toString());
    },
    (lines) => {
      this.lines += lines;
    },
  );
}

test('a record is an entry with a field for each of its fields', () => {
  const told = { level: 40, time: 5, room: 'ports', portName: 'uplink', up: true, mac: null, ports: [1, 2] };
  const text = 'link changed {"room":"ports","portName":"uplink","up":true,"mac":null,"ports":[1,2]}';
  assert.deepEqual(journalFields({ ...told, msg: 'link changed' }), [
    ['MESSAGE', text],
    ['PRIORITY', '4'],
    ['SYSLOG_IDENTIFIER', 'etherws'],
    ['ETHERWS_ROOM', 'ports'],
    ['ETHERWS_PORT_NAME', 'uplink'],
    ['ETHERWS_UP', 'true'],
    ['ETHERWS_PORTS', '[1,2]'],
    ['ETHERWS_MSG', 'link changed'],
  ]);
});

test('levels are priorities, and an error in etherws has its stack trace', () => {
  const priorities = [20, 30, 40, 50, 60].map((level) => journalFields(record('x', level))[1]?.[1]);
  assert.deepEqual(priorities, ['7', '6', '4', '3', '3']);
  const err = { type: 'Error', message: 'broken', stack: 'Error: broken\n    at f' };
  assert.deepEqual(journalFields({ level: 50, err, msg: 'failed' }), [
    ['MESSAGE', 'failed\nError: broken\n    at f'],
    ['PRIORITY', '3'],
    ['SYSLOG_IDENTIFIER', 'etherws'],
    ['ETHERWS_ERR', 'Error: broken\n    at f'],
    ['ETHERWS_MSG', 'failed'],
  ]);
});

test('what journald does not take is on standard error, each line with its priority, and counted', () => {
  const journald = new Journald();
  journald.sink.write(record('one'));
  for (const code of ['ENOENT', 'EAGAIN', 'EMSGSIZE']) {
    journald.refusal = code;
    journald.sink.write({ ...record(`not ${code}`, 50), err: { stack: 'Error\n at f' } });
  }
  assert.equal(journald.sink.refused, 3);
  const of = (code: string): string => `<3>not ${code} {"room":"switch","port":2}\n<3>Error\n<3> at f\n`;
  assert.equal(journald.lines, of('ENOENT') + of('EAGAIN') + of('EMSGSIZE'));
  journald.refusal = undefined;
  journald.sink.write(record('two'));
  journald.sink.write(record('three'));
  assert.equal(journald.sink.refused, 0);
  const messages = journald.entries.map((entry) => /^ETHERWS_MSG=(.*)$/m.exec(entry)?.[1]);
  const notice = 'journald did not take 3 lines of the log (EMSGSIZE): they are on standard error';
  assert.deepEqual(messages, ['one', 'two', notice, 'three']);
  assert.match(journald.entries[2] ?? '', /^PRIORITY=4\n(.|\n)*^ETHERWS_REFUSED_LINES=3\n/m);
});

test('without the addon all lines are on standard error, and nothing is tried again', () => {
  const journald = new Journald();
  journald.refusal = 'ADDON_MISSING';
  for (const level of [20, 40]) journald.sink.write(record('x', level));
  assert.equal(journald.lines, '<7>x {"room":"switch","port":2}\n<4>x {"room":"switch","port":2}\n');
  assert.deepEqual([journald.sink.refused, journald.calls], [0, 1]);
});
