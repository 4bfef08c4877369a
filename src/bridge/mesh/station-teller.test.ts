import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExchangeBench, ownPort } from '../../../test/support/exchange-bench.ts';
import type { MeshStation } from './mesh-station.ts';

/** Messages in short: lists of stations by their number. */
function brief(messages: readonly string[]): string[] {
  return messages.map((message) => {
    const [node, kind, ...rest] = message.split(' ');
    return rest.length > 3 ? `${node} ${kind} of ${rest.length}` : message;
  });
}

test('the first station is announced at once, those of the next 5 ms together', () => {
  const bench = new ExchangeBench('a', 'b');
  for (const mac of [2, 3, 4]) bench.see(mac);
  assert.deepEqual(bench.sent(), ['a announce 2#0', 'b announce 2#0']);
  assert.deepEqual([bench.exchange.announced, bench.exchange.waiting], [1, 2]);
  bench.pass(4);
  assert.deepEqual(bench.sent(), []);
  bench.pass(1);
  assert.deepEqual(bench.sent(), ['a announce 3#0 4#0', 'b announce 3#0 4#0']);
  bench.see(5);
  bench.pass(5);
  assert.deepEqual(bench.sent(), ['a announce 5#0', 'b announce 5#0']);
  bench.pass(5);
  bench.see(6);
  assert.deepEqual(bench.sent(), ['a announce 6#0', 'b announce 6#0'], 'at once again after a pause');
});

test('an announcement says what is known of a station', () => {
  const bench = new ExchangeBench('a');
  bench.see(2, bench.port, 'static');
  bench.pass(5);
  bench.see(3, bench.isolated, 'sticky');
  bench.pass(5);
  bench.see(4);
  bench.see(5);
  bench.nowMs += 1200;
  bench.pass(0);
  assert.deepEqual(bench.sent().slice(0, 4), [
    'a announce 2#0h',
    'a announce 3#0hi',
    'a announce 4#0',
    'a announce 5#0@1200',
  ]);
});

test('a station that leaves is withdrawn; one that the others were not told of is not', () => {
  const bench = new ExchangeBench('a');
  for (const mac of [2, 3, 4]) bench.see(mac);
  bench.leave(3);
  bench.leave(2);
  bench.sent();
  bench.pass(5);
  assert.deepEqual(bench.sent(), ['a withdraw 2', 'a announce 4#0']);
  bench.pass(2000);
  assert.deepEqual(bench.sent(), ['a digest agrees']);
  bench.leave(4);
  assert.deepEqual(bench.sent(), ['a withdraw 4'], 'at once');
});

test('many stations go in as few messages as fit; of the last ones one message says that there are none', () => {
  const bench = new ExchangeBench('a');
  for (let mac = 2; mac < 402; mac++) bench.see(mac);
  bench.pass(5);
  assert.deepEqual(brief(bench.sent()), [
    'a announce 2#0',
    ...['a announce of 100', 'a announce of 100', 'a announce of 100', 'a announce of 99'],
  ]);
  for (let mac = 2; mac < 352; mac++) bench.leave(mac);
  bench.pass(5);
  assert.deepEqual(brief(bench.sent()), ['a withdraw of 175', 'a withdraw of 175']);
  for (let mac = 352; mac < 402; mac++) bench.leave(mac);
  bench.pass(5);
  assert.deepEqual(brief(bench.sent()), ['a withdraw of 50']);
  for (let mac = 2; mac < 402; mac++) bench.see(mac);
  bench.pass(5);
  bench.sent();
  bench.see(500);
  for (let mac = 2; mac < 402; mac++) bench.leave(mac);
  bench.leave(500);
  bench.pass(5);
  assert.deepEqual(brief(bench.sent()), ['a flush']);
  bench.pass(2000);
  assert.deepEqual(bench.sent(), ['a digest agrees']);
});

test('32 messages are sent within 5 ms, and 2000 stations a second', () => {
  const bench = new ExchangeBench('a');
  for (let mac = 2; mac < 6002; mac++) bench.see(mac);
  bench.pass(5);
  assert.equal(bench.exchange.announced, 2001);
  bench.pass(500);
  assert.equal(bench.exchange.announced, 3001);
  assert.equal(bench.exchange.waiting, 2999);
  bench.pass(1500);
  assert.deepEqual([bench.exchange.announced, bench.exchange.waiting], [6000, 0]);
});

test('stations of isolated ports are announced at once, and behind the first four together', () => {
  const bench = new ExchangeBench('a');
  const all: MeshStation[] = [];
  for (let mac = 2; mac < 102; mac++) all.push(bench.see(mac, bench.isolated));
  assert.deepEqual(
    bench.sent(),
    [2, 3, 4, 5].map((mac) => `a announce ${mac}#0i`),
  );
  assert.equal(bench.exchange.hasTold(all[4] as MeshStation, 'a'), false, 'its frames are refused meanwhile');
  bench.pass(5);
  assert.deepEqual(brief(bench.sent()), ['a announce of 96']);
  assert.ok(all.every((station) => bench.exchange.hasTold(station, 'a')));
  bench.pass(5);
  bench.see(500, bench.isolated);
  assert.deepEqual(bench.sent(), ['a announce 500#0i']);
  bench.see(501);
  bench.see(502, bench.isolated);
  assert.deepEqual(bench.sent(), ['a announce 501#0 502#0i']);
});

test('with the isolation of its port a station is announced anew, at once', () => {
  const bench = new ExchangeBench('a');
  const station = bench.see(2);
  bench.pass(5);
  bench.sent();
  bench.port.isIsolated = true;
  bench.exchange.isolationChanged(station);
  bench.exchange.isolationChanged(station);
  assert.deepEqual(bench.sent(), ['a announce 2#0i']);
  bench.port.isIsolated = false;
  bench.exchange.isolationChanged(station);
  assert.deepEqual(bench.sent(), ['a announce 2#0'], 'within the rate, as one that is isolated');
  bench.pass(2000);
  assert.deepEqual(bench.sent(), ['a digest agrees']);
});

test('a station that moves between own ports is announced anew if its isolation changes, and waits at its new port', () => {
  const bench = new ExchangeBench('a');
  bench.see(2);
  bench.pass(5);
  bench.sent();
  const second = ownPort();
  bench.see(2, second);
  assert.deepEqual(bench.sent(), []);
  bench.see(2, bench.isolated);
  assert.deepEqual(bench.sent(), ['a announce 2#0i']);
  bench.see(3);
  bench.see(3, second);
  assert.deepEqual([bench.exchange.waiting, bench.sent()], [1, []]);
  bench.leave(3);
  bench.pass(5);
  assert.deepEqual([bench.exchange.waiting, bench.sent()], [0, []]);
});

test('a digest comes a second after a change, and a minute later', () => {
  const bench = new ExchangeBench('a', 'b');
  bench.pass(100_000);
  bench.sent();
  bench.see(2);
  bench.pass(500);
  bench.see(3);
  bench.sent();
  bench.pass(499);
  assert.deepEqual(bench.sent(), []);
  bench.pass(1);
  assert.deepEqual(bench.sent(), ['a digest agrees', 'b digest agrees']);
  bench.pass(59_999);
  assert.deepEqual(bench.sent(), []);
  bench.pass(1);
  assert.deepEqual(bench.sent(), ['a digest agrees', 'b digest agrees']);
});

test('a node without stations sends a digest a minute after the first node is reached, and none without nodes', () => {
  const bench = new ExchangeBench('a');
  bench.pass(59_989);
  assert.deepEqual(bench.sent(), []);
  bench.pass(1);
  assert.deepEqual(bench.sent(), ['a digest agrees']);
  bench.exchange.linkDown('a');
  bench.pass(200_000);
  assert.deepEqual(bench.sent(), []);
});

test('stations of before the first node come with the answer to its question', () => {
  const bench = new ExchangeBench();
  for (const mac of [2, 3, 4]) bench.see(mac);
  bench.leave(3);
  assert.deepEqual([bench.exchange.announced, bench.exchange.waiting], [2, 0]);
  bench.exchange.linkUp('a', bench.nowMs);
  assert.deepEqual(bench.sent(), ['a wantWhole']);
  bench.receive('a', 'wantWhole');
  assert.deepEqual(bench.sent(), ['a wholeBegin', 'a announce 2#0 4#0', 'a wholeEnd agrees']);
  bench.see(5);
  bench.see(6);
  bench.leave(4);
  bench.exchange.linkDown('a');
  bench.exchange.linkUp('b', bench.nowMs);
  assert.deepEqual([bench.exchange.announced, bench.exchange.waiting], [3, 0], 'what has waited is in the answer, too');
  bench.sent();
  bench.receive('b', 'wantWhole');
  bench.pass(5);
  assert.deepEqual(bench.sent(), ['b wholeBegin', 'b announce 2#0 5#0 6#0', 'b wholeEnd agrees']);
});

test('a whole set is sent by 32 messages each 5 ms, without stations that have left meanwhile', () => {
  const bench = new ExchangeBench();
  for (let mac = 2; mac < 4002; mac++) bench.see(mac);
  for (const node of ['a', 'b']) bench.exchange.linkUp(node, bench.nowMs);
  bench.sent();
  bench.receive('a', 'wantWhole');
  bench.receive('b', 'wantWhole');
  assert.equal(bench.sent().length, 33 + 1, 'a batch, and the beginning of the other one');
  for (let mac = 3202; mac < 3302; mac++) bench.leave(mac);
  bench.leave(3302);
  bench.pass(5);
  const second = brief(bench.sent());
  assert.equal(second[0], 'a withdraw of 101');
  assert.equal(second[1], 'b withdraw of 101');
  assert.equal(second[2], 'a announce of 99');
  assert.deepEqual(second.slice(8, 11), ['a announce of 100', 'a wholeEnd agrees', 'b announce of 100']);
  bench.pass(10);
  assert.equal(brief(bench.sent()).at(-1), 'b wholeEnd agrees');
  bench.pass(900);
  assert.deepEqual(bench.sent(), []);
});

for (const kind of ['announce', 'withdraw']) {
  test(`a node to which a message ${kind} was lost gets all again a second later`, () => {
    const bench = new ExchangeBench('a', 'b');
    bench.see(2);
    bench.pass(5);
    if (kind === 'withdraw') bench.see(3);
    bench.pass(5000);
    bench.sent();
    let losses = 0;
    bench.isLost = (message) => message.startsWith(kind) && losses++ === 0;
    if (kind === 'withdraw') bench.leave(3);
    else assert.equal(bench.exchange.hasTold(bench.see(3), 'a'), false);
    const [, sent = ''] = [losses, ...bench.sent()];
    assert.match(sent, /^b /, 'the other node has got it');
    bench.pass(999);
    assert.deepEqual(bench.sent(), []);
    bench.pass(1);
    const [begin, records, end] = bench.sent();
    assert.deepEqual([begin, end], ['a wholeBegin', 'a wholeEnd agrees']);
    assert.match(records ?? '', kind === 'announce' ? /^a announce 2#0@6000 3#0@1000$/ : /^a announce 2#0@\d+$/);
    if (kind === 'announce') assert.equal(bench.exchange.hasTold(bench.stations.get(3) as MeshStation, 'a'), true);
    bench.pass(300_000);
    assert.ok(bench.sent().every((message) => message.endsWith('digest agrees')));
  });
}

test('the node alone to which an announcement was lost gets all again, also if others are announced meanwhile', () => {
  const bench = new ExchangeBench('a');
  bench.isLost = () => true;
  bench.see(2);
  bench.isLost = () => false;
  bench.pass(300);
  bench.see(3);
  assert.deepEqual(bench.sent(), ['a announce 3#0']);
  bench.pass(699);
  assert.deepEqual(bench.sent(), []);
  bench.pass(1);
  assert.deepEqual(bench.sent().slice(0, 3), ['a wholeBegin', 'a announce 2#0@1000 3#0@700', 'a wholeEnd agrees']);
});

test('a repair comes a second after the loss, also behind the digest of an earlier change', () => {
  const bench = new ExchangeBench('a');
  bench.see(2);
  bench.pass(500);
  bench.isLost = () => true;
  bench.see(3);
  bench.isLost = () => false;
  bench.pass(999);
  assert.deepEqual(bench.sent(), ['a announce 2#0', 'a digest differs']);
  bench.pass(1);
  assert.deepEqual(bench.sent(), ['a wholeBegin', 'a announce 2#0@1500 3#0@1000', 'a wholeEnd agrees']);
});

test('what a tunnel does not take of a whole set is tried once each 5 ms', () => {
  const bench = new ExchangeBench('a');
  let attempts = 0;
  bench.isLost = (message) => message.startsWith('wholeEnd') && ++attempts > 0;
  bench.receive('a', 'wantWhole');
  assert.equal(attempts, 1);
  bench.pass(10);
  assert.equal(attempts, 3);
});

test('a whole set goes on where a message of it was lost, and a lost digest needs no repair', () => {
  const bench = new ExchangeBench();
  for (let mac = 2; mac < 252; mac++) bench.see(mac);
  bench.exchange.linkUp('a', bench.nowMs);
  bench.receive('a', 'wholeBegin', 'wholeEnd');
  bench.sent();
  let attempts = 0;
  bench.isLost = (message) => !message.startsWith('wholeBegin') && attempts++ % 2 === 1;
  bench.receive('a', 'wantWhole');
  assert.deepEqual(brief(bench.sent()), ['a wholeBegin', 'a announce of 100']);
  bench.pass(20);
  assert.deepEqual(brief(bench.sent()), ['a announce of 100', 'a announce of 50', 'a wholeEnd agrees']);
  bench.isLost = (message) => message.startsWith('digest');
  bench.pass(61_000);
  assert.deepEqual(bench.sent(), []);
  bench.isLost = () => false;
  bench.pass(60_000);
  assert.deepEqual(bench.sent(), ['a digest agrees']);
});
