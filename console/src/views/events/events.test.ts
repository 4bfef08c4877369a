import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { DISCARD_REASONS } from '../../../../src/bridge/port.ts';
import { isOfAddress, EVENT_KINDS as KINDS_OF_SWITCH } from '../../../../src/events/event.ts';
import { factsOf, KNOWN_FACTS } from './event-facts.ts';
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

  test('refused frames are told by what their reason means, for each reason', () => {
    const { sentence } = tell(event('violation', { reason: 'serverDenied', frames: 1, user: 'ada' }));
    assert.equal(
      sentence,
      '1 frame of the user ada refused: such frames come from a DHCP server or a router, which may not be behind this port',
    );
    for (const reason of DISCARD_REASONS) {
      const { sentence } = tell(event('violation', { reason, frames: 2, user: null }));
      assert.ok(!sentence.endsWith(reason), sentence);
    }
  });

  test('a kind of a newer switch is shown by its name', () => {
    assert.deepEqual(tell(event('eclipse')), { severity: 'info', sentence: 'eclipse' });
    assert.deepEqual(tell(event('toString')), { severity: 'info', sentence: 'toString' });
  });
});

describe('the facts of an event', () => {
  /** The tables of facts in the reference. */
  function factsOfReference(): string[] {
    const page = readFileSync('docs/reference/control-api.md', 'utf8');
    const section = page.slice(page.indexOf('\n## Events\n'), page.indexOf('`user` is the user of the credentials'));
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    return rows.flatMap((row) => {
      const [first = '', , third] = row.split('|').slice(1);
      // Two columns: of all events. Three: the kind, when it is sent, its facts.
      const names = third?.trim() ? third : first;
      return [...names.matchAll(/`(\w+)`/g)].flatMap(([, name = '']) => (/shut/.test(name) ? [] : name));
    });
  }

  test('each one of the reference has words, and no other', () => {
    const told = [...new Set(factsOfReference())].filter((name) => name !== 'time' && name !== 'event');
    assert.ok(told.length > 30, `${told.length} facts`);
    assert.deepEqual([...KNOWN_FACTS].sort(), [...new Set([...told, 'lost'])].sort());
  });

  test('are shown in words, without those that are null', () => {
    const line = event('violation', { port: 4, portName: null, reason: 'locked', frames: 3, user: null });
    assert.deepEqual(factsOf(line).slice(1), [
      ['Port', '4'],
      ['Reason', 'locked: frames that have a source that is not entered at this locked port'],
      ['Frames', '3'],
    ]);
    const moves = event('address-flapping', { ports: [1, 2], vid: 0, withinMs: 10_000, own: true, later: { a: 1 } });
    assert.deepEqual(factsOf(moves).slice(1), [
      ['Between ports', '1, 2'],
      ['VLAN', 'none: without a tag'],
      ['Within', '10\u00a0s'],
      ['This switch is it', 'yes'],
      ['later', '{"a":1}'],
    ]);
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
