import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOfAddress, EVENT_KINDS as KINDS_OF_SWITCH } from '../../../../src/events/event.ts';
import { EventLog, jsonLines, matching } from './event-log.ts';
import { ADDRESS_KINDS, EVENT_KINDS, type ShownEvent, tell } from './sentences.ts';

let sequence = 0;
function event(kind: string, facts: Readonly<Record<string, unknown>> = {}): ShownEvent {
  return { sequence: ++sequence, time: '2026-11-29T02:10:00.000Z', event: kind, ...facts } as ShownEvent;
}

describe('a sentence', () => {
  test('there is one for each kind of event, also without facts', () => {
    assert.deepEqual([...EVENT_KINDS].sort(), [...KINDS_OF_SWITCH].sort());
    assert.deepEqual(ADDRESS_KINDS, KINDS_OF_SWITCH.filter(isOfAddress));
    for (const kind of [...EVENT_KINDS, 'lost', 'gap']) {
      const { sentence } = tell(event(kind));
      assert.ok(sentence.length > 10, kind);
      assert.doesNotMatch(sentence, /\[object/, kind);
    }
  });

  test('says what happened in words, and how bad it is', () => {
    assert.deepEqual(tell(event('storm', { phase: 'start', kind: 'broadcast', limit: 1000, frames: 3 })), {
      severity: 'fault',
      sentence: 'A storm: more than 1\u202f000 broadcast frames a second; what is beyond is discarded',
    });
    assert.equal(tell(event('storm', { phase: 'end', kind: 'unicast', frames: 7 })).severity, 'good');
    assert.deepEqual(tell(event('loop', { action: 'shut', ports: [1, 2], reason: 'a probe came back' })), {
      severity: 'fault',
      sentence: 'A loop was found between port 1 and port 2, and this port was shut: a probe came back',
    });
    assert.match(tell(event('loop', { ports: [1, 2], addresses: 4, moves: 80 })).sentence, /^A loop: 4 addresses move/);
    assert.equal(tell(event('port-down', { state: 'shut', reason: null })).severity, 'info');
    assert.equal(tell(event('port-down', { state: 'backoff', reason: 'reset' })).severity, 'warning');
    assert.equal(tell(event('lost', { lost: 1 })).sentence.startsWith('1 event lost here'), true);
    assert.equal(tell(event('reload', { failures: 0 })).severity, 'good');
    assert.equal(tell(event('reload', { failures: 2 })).severity, 'fault');
  });

  test('a kind of a newer switch is shown by its name', () => {
    assert.deepEqual(tell(event('eclipse')), { severity: 'info', sentence: 'eclipse' });
    assert.deepEqual(tell(event('toString')), { severity: 'info', sentence: 'toString' });
  });
});

describe('the log', () => {
  test('keeps the last ones, and counts those that went', () => {
    const log = new EventLog(3);
    log.add([event('port-up', { port: 1 }), event('port-up', { port: 2 })]);
    log.add([event('port-up', { port: 3 }), event('port-up', { port: 4 })]);
    assert.deepEqual(
      log.lines.map(({ line, event: { port } }) => [line, port]),
      [
        [2, 2],
        [3, 3],
        [4, 4],
      ],
    );
    assert.equal(log.dropped, 1);
    log.clear();
    assert.deepEqual([log.lines.length, log.dropped], [0, 0]);
  });

  test('is filtered by kind, port, network and text, the newest first; lost ones always show', () => {
    const log = new EventLog();
    log.add([
      event('port-up', { port: 1, portName: 'uplink', network: 'default' }),
      event('loop', { ports: [1, 2], addresses: 3, moves: 40, network: 'guests' }),
      event('lost', { lost: 5 }),
      event('address-learned', { port: 2, portName: null, network: 'guests', vid: 0, mac: '02:00:00:00:00:0A' }),
    ]);
    const kindsOf = (filter: Parameters<typeof matching>[1]): string[] =>
      matching(log.lines, filter).map((line) => line.event.event);
    assert.deepEqual(kindsOf({}), ['address-learned', 'lost', 'loop', 'port-up']);
    assert.deepEqual(kindsOf({ kinds: new Set(['loop']) }), ['lost', 'loop']);
    assert.deepEqual(kindsOf({ port: '1' }), ['lost', 'loop', 'port-up']);
    assert.deepEqual(kindsOf({ port: 'uplink' }), ['lost', 'port-up']);
    assert.deepEqual(kindsOf({ network: 'guests' }), ['address-learned', 'lost', 'loop']);
    assert.deepEqual(kindsOf({ text: '02:00:00:00:00:0a' }), ['address-learned', 'lost']);
  });

  test('is downloaded as one JSON object a line', () => {
    const log = new EventLog();
    const hostile = event('port-added', { port: 1, type: 'client', target: 'wss://a/\n"><script>' });
    log.add([hostile, event('reload', { failures: 0 })]);
    const lines = jsonLines(log.lines).trimEnd().split('\n');
    assert.equal(lines.length, 2);
    assert.deepEqual(JSON.parse(lines[0] ?? ''), hostile);
  });
});
