import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileFilter } from '../../../../src/capture/filter.ts';
import { filterOf, macOf, portIn, portsOf } from './wanted.ts';

test('a station is found in its usual spellings', () => {
  for (const text of ['02:00:00:00:00:0A', ' 02-00-00-00-00-0a', '0200.0000.000a', '02000000000a']) {
    assert.equal(macOf(text), '02:00:00:00:00:0a', text);
  }
  for (const text of ['', '02:00:00:00:00', '02:00:00:00:00:0g', 'host']) assert.equal(macOf(text), undefined, text);
});

test('following a station is a filter, also beside another one', () => {
  assert.equal(filterOf('', ' tcp '), 'tcp');
  assert.equal(filterOf('02:00:00:00:00:0a', ''), 'ether host 02:00:00:00:00:0a');
  const both = filterOf('02:00:00:00:00:0a', 'tcp or udp');
  const frame = Buffer.from(`02000000000b02000000000c0800${'45'.padEnd(18, '0')}11${'00'.repeat(30)}`, 'hex');
  assert.equal(compileFilter(both)(frame, 0, frame.length), false, 'the station limits both sides of "or"');
});

test('a port is meant by its name, its number, or both', () => {
  const ports = [
    { port: 3, name: 'uplink' },
    { port: 4, name: null },
  ];
  assert.deepEqual(
    ['uplink', '3', 'uplink (3)', ' 4 ', '5', ''].map((text) => portIn(text, ports)),
    [3, 3, 3, 4, undefined, undefined],
  );
});

test('the list of ports is another one only when a port came, left or got another name', () => {
  const listed = (...ports: [number, string | null][]) => ports.map(([port, name]) => ({ port, name, rxFrames: 1 }));
  const first = portsOf(listed([2, null], [1, null]), []);
  assert.deepEqual(first, [
    { port: 1, name: null },
    { port: 2, name: null },
  ]);
  assert.equal(portsOf(listed([1, null], [2, null]), first), first);
  const named = portsOf(listed([1, 'office'], [2, null]), first);
  assert.equal(portIn('office', named), 1);
  assert.equal(portIn('3', portsOf(listed([1, 'office'], [3, null]), named)), 3, 'one left while another came');
  assert.deepEqual(portsOf([], named), []);
});
