import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExchangeBench } from '../../../test/support/exchange-bench.ts';

/** A node `b` that is reached, and from which nothing has come yet. */
function reached(): ExchangeBench {
  const bench = new ExchangeBench();
  bench.exchange.linkUp('b', bench.nowMs);
  return bench;
}

/** The times at which node `b` is asked for all of its stations, in milliseconds from now on. */
function askedWithin(bench: ExchangeBench, ms: number): number[] {
  const times: number[] = [];
  for (let at = 0; at < ms / 50; at++) {
    bench.pass(50);
    if (bench.sent().includes('b wantWhole')) times.push((at + 1) * 50);
  }
  return times;
}

test('a node is asked for its stations at once, and again each second until it answers', () => {
  const bench = reached();
  assert.deepEqual(bench.sent(), ['b wantWhole']);
  assert.deepEqual(askedWithin(bench, 3500), [1000, 2000, 3000]);
  assert.equal(bench.exchange.knowsAllOf('b'), false);
  bench.receive('b', 'announce 9');
  assert.deepEqual(askedWithin(bench, 1000), [500], 'a single message is no answer');
  bench.receive('b', 'wholeBegin');
  assert.deepEqual(askedWithin(bench, 9950), []);
  bench.receive('b', 'announce 2');
  assert.deepEqual(askedWithin(bench, 9950), [], 'an answer may take its time, while parts of it come');
  assert.deepEqual(askedWithin(bench, 100), [50]);
  bench.receive('b', 'wholeBegin', 'announce 2');
  assert.equal(bench.exchange.knowsAllOf('b'), false);
  bench.receive('b', 'wholeEnd 2');
  assert.equal(bench.exchange.knowsAllOf('b'), true);
  assert.deepEqual(askedWithin(bench, 70_000), []);
});

test('an answer that does not agree with its digest is asked for again, ever more rarely, until one agrees', () => {
  const bench = reached();
  bench.sent();
  const repairs: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    bench.receive('b', 'wholeBegin', 'announce 2', 'wholeEnd 2 3');
    assert.equal(bench.exchange.knowsAllOf('b'), false);
    const startMs = bench.nowMs;
    while (bench.sent().filter((message) => message === 'b wantWhole').length === 0) bench.pass(500);
    repairs.push((bench.nowMs - startMs) / 1000);
  }
  assert.deepEqual(repairs, [1, 2, 4, 8, 16, 32, 60, 60]);
  bench.receive('b', 'wholeBegin', 'announce 2', 'wholeEnd 2');
  assert.deepEqual(askedWithin(bench, 70_000), []);
  bench.receive('b', 'digest 2 3');
  assert.deepEqual(bench.sent(), ['b wantWhole'], 'at once');
  bench.receive('b', 'wholeBegin', 'announce 2', 'wholeEnd 2 3');
  assert.deepEqual(askedWithin(bench, 1500), [1000], 'soon again');
});

test('what a node does not tell in its answer is forgotten, whatever has come by single messages meanwhile', () => {
  const bench = new ExchangeBench('b', 'c');
  bench.receive('b', 'announce 2 3 4 5');
  bench.receive('c', 'announce 6');
  bench.overhear(7, 'b');
  bench.see(8);
  bench.receive('b', 'wholeBegin', 'announce 2', 'withdraw 4', 'announce 4');
  assert.equal(bench.known.length, 7);
  bench.receive('b', 'wholeEnd 2 4');
  assert.deepEqual(bench.known, ['2 b told#0', '4 b told#0', '6 c told#0', '7 b learned#0', '8 here learned#0']);
  assert.equal(bench.exchange.knowsAllOf('b'), true);
  bench.receive('b', 'announce 3', 'wholeEnd 2 3 4');
  assert.equal(bench.exchange.knowsAllOf('b'), true, 'an end without a beginning forgets nothing');
});

test('all stations of a node that come unasked are judged like an answer', () => {
  const bench = new ExchangeBench('b');
  bench.pass(20_000);
  bench.sent();
  bench.receive('b', 'wholeBegin', 'announce 2');
  assert.ok(bench.exchange.knowsAllOf('b'), 'what it has announced before is known');
  bench.receive('b', 'wholeEnd 2 3');
  assert.deepEqual(askedWithin(bench, 1500), [1000]);
});

test('a digest that agrees answers the question, and one that differs asks it once', () => {
  const bench = reached();
  bench.receive('b', 'digest');
  assert.ok(bench.exchange.knowsAllOf('b'));
  bench.sent();
  assert.deepEqual(askedWithin(bench, 5000), []);
  bench.receive('b', 'digest 2', 'digest 2');
  assert.deepEqual(bench.sent(), ['b wantWhole']);
});

test('a station that another node announces while all of the former one arrive stays at the other one', () => {
  const bench = new ExchangeBench('b', 'c');
  bench.receive('c', 'announce 2 3', 'wholeBegin');
  bench.receive('b', 'announce 2#1');
  bench.receive('c', 'wholeEnd');
  assert.deepEqual(bench.known, ['2 b told#1']);
});

test('a station of an answer that was displaced before its end is not asked for again', () => {
  const bench = reached();
  bench.receive('b', 'announce 2');
  bench.leave(2);
  bench.receive('b', 'wholeEnd 2');
  bench.sent();
  assert.deepEqual(askedWithin(bench, 5000), []);
});

test('a second node is asked, and what waits for the first one is announced to both', () => {
  const bench = new ExchangeBench('b');
  for (const mac of [2, 3]) bench.see(mac);
  bench.sent();
  bench.exchange.linkUp('c', bench.nowMs);
  bench.pass(5);
  assert.deepEqual(bench.sent(), ['c wantWhole', 'b announce 3#0', 'c announce 3#0']);
});

test('while an answer arrives a digest of before it is not compared, later it is', () => {
  const bench = new ExchangeBench('b');
  bench.receive('b', 'announce 5');
  bench.receive('b', 'wholeBegin', 'announce 2', 'digest 2 3');
  assert.deepEqual(bench.sent(), []);
  bench.pass(9_999);
  bench.receive('b', 'digest 2 3');
  assert.deepEqual(bench.sent(), []);
  bench.pass(1);
  bench.receive('b', 'digest 2 3');
  assert.deepEqual(bench.sent(), ['b wantWhole'], 'the rest of the answer was lost');
  bench.receive('b', 'wholeEnd 2 5');
  assert.deepEqual(bench.known, ['2 b told#0', '5 b told#0'], 'which may have had the others');
});

test('withdrawals are of stations of the node alone, also of those that were learned from its frames', () => {
  const bench = new ExchangeBench('b', 'c');
  bench.receive('b', 'announce 2 3');
  bench.receive('c', 'announce 4');
  bench.overhear(5, 'b');
  bench.see(6);
  bench.receive('b', 'withdraw 2 4 5 6 7');
  assert.deepEqual(bench.known, ['3 b told#0', '4 c told#0', '6 here learned#0']);
  bench.receive('b', 'digest 3');
  bench.receive('b', 'flush');
  assert.deepEqual(bench.known, ['4 c told#0', '6 here learned#0']);
  bench.receive('b', 'digest');
  bench.sent();
  assert.deepEqual(askedWithin(bench, 500), []);
  assert.ok(bench.exchange.knowsAllOf('b'));
});

test('a node that is reached no longer takes its stations with it, and is unknown when it comes back', () => {
  const bench = new ExchangeBench('b', 'c');
  bench.receive('b', 'announce 2');
  bench.receive('c', 'announce 3');
  bench.overhear(4, 'b');
  bench.exchange.linkDown('b');
  assert.deepEqual(bench.known, ['3 c told#0']);
  assert.equal(bench.exchange.knowsAllOf('b'), false);
  bench.receive('b', 'announce 5');
  assert.deepEqual(bench.known, ['3 c told#0'], 'a message of before');
  bench.sent();
  bench.exchange.linkUp('b', bench.nowMs);
  assert.deepEqual(bench.sent(), ['b wantWhole']);
  bench.receive('b', 'wholeBegin', 'announce 5', 'wholeEnd 5');
  assert.ok(bench.exchange.knowsAllOf('b'));
  assert.equal(bench.exchange.hasTold(bench.see(6), 'x'), true, 'a node that is not reached has lost nothing');
  assert.equal(bench.exchange.knowsAllOf('x'), false);
});

test('addresses that no station has are passed over', () => {
  const bench = new ExchangeBench('b');
  bench.receive('b', 'announce 0 2 1099511627776 3');
  assert.deepEqual(bench.known, ['2 b told#0', '3 b told#0']);
});

test('messages that are no lists, and kinds that are unknown, change nothing', () => {
  const bench = new ExchangeBench('b');
  bench.receive('b', 'announce 2');
  for (let kind = 0; kind < 20; kind++) {
    if (kind === 3 || kind === 6 || kind === 7) continue;
    bench.exchange.received('b', kind, new Uint8Array(13), bench.nowMs);
  }
  assert.deepEqual([bench.known, bench.sent()], [['2 b told#0'], []]);
});

test('between two nodes that have a station the claim that supersedes counts, and the other node is told', () => {
  // What node c has told before, what node b tells then, where the station is, and the answer to b.
  for (const [before, told, known, answer] of [
    ['2#1', '2#2', '2 b told#2', []],
    ['2#2', '2#1', '2 c told#2', ['b newer 2#2']],
    ['2#1', '2#1', '2 b told#1', []],
    ['2#1h', '2#5', '2 c told#1h', ['b newer 2#1h']],
    ['2#5', '2#1h', '2 b told#1h', []],
    ['2#1i', '2#0', '2 c told#1i', ['b newer 2#1i']],
  ] as const) {
    const bench = new ExchangeBench('b', 'c');
    bench.receive('c', `announce ${before}`);
    bench.receive('b', `announce ${told}`);
    assert.deepEqual([bench.known, bench.sent()], [[known], answer]);
    // Each node has announced its station, and knows itself which of them are elsewhere.
    const [, holder] = known.split(' ');
    bench.receive('c', holder === 'c' ? `digest ${before}` : 'digest');
    bench.receive('b', holder === 'b' ? `digest ${told}` : 'digest');
    assert.deepEqual(bench.sent(), []);
  }
  const bench = new ExchangeBench('a', 'b');
  bench.receive('a', 'announce 2#1');
  bench.receive('b', 'announce 2#1');
  assert.deepEqual([bench.known, bench.sent()], [['2 a told#1'], ['b newer 2#1']], 'of equal ones the lower node');
  bench.receive('a', 'announce 4#2@700');
  bench.pass(300);
  bench.receive('b', 'announce 4#1');
  assert.deepEqual(bench.sent(), ['b newer 4#2@1000'], 'with the time since it was seen');
  bench.overhear(3, 'a');
  bench.receive('b', 'announce 3');
  assert.deepEqual(bench.sent(), [], 'what was only learned from a frame is no claim');
  assert.equal(bench.known[1], '3 b told#0');
});

test('what a node tells of an own station: where it was seen last, it stays', () => {
  // Own station and when it was seen, what node b tells, where the station is then, and what is sent to b.
  for (const [kind, agoMs, told, known, sent] of [
    ['learned', 0, '2#1@3100', '2 here learned#2', ['announce 2#2']],
    ['learned', 0, '2#1@3000', '2 b told#1', ['withdraw 2']],
    ['learned', 10_000, '2#1', '2 b told#1', ['withdraw 2']],
    ['learned', 10_000, '2#1@8000', '2 b told#1', ['withdraw 2']],
    ['learned', 10_000, '2#1@13000', '2 b told#1', ['withdraw 2']],
    ['learned', 10_000, '2#1@13100', '2 here learned#2', ['announce 2#2@10000']],
    ['learned', 10_000, '2#0', '2 b told#0', ['withdraw 2']],
    ['static', 10_000, '2#1', '2 here static#0', ['announce 2#0h@10000']],
    ['sticky', 10_000, '2#1', '2 here sticky#0', ['announce 2#0h@10000']],
    ['learned', 0, '2#1h', '2 b told#1h', ['withdraw 2']],
    ['static', 0, '2#1h', '2 b told#1h', ['withdraw 2']],
    ['static', 0, '2#0h', '2 b told#0h', ['withdraw 2']],
  ] as const) {
    const bench = new ExchangeBench('b');
    bench.see(2, bench.port, kind);
    bench.pass(agoMs);
    bench.sent();
    bench.receive('b', `announce ${told}`);
    bench.pass(5);
    assert.deepEqual([bench.known, bench.sent()], [[known], sent.map((message) => `b ${message}`)], `${kind} ${told}`);
    bench.pass(2000);
    assert.ok(bench.sent().every((message) => message === 'b digest agrees'));
  }
});

test('own stations win of equal claims against higher nodes, and nodes that have both set one do not answer each other', () => {
  const bench = new ExchangeBench('x');
  bench.see(2);
  bench.pass(5);
  bench.see(3, bench.port, 'static');
  bench.pass(5);
  bench.see(4);
  bench.see(5);
  bench.sent();
  bench.receive('x', 'announce 2#0 3#0h 5#0');
  assert.deepEqual(bench.sent(), ['x announce 2#0'], 'and what waits is announced anyway');
  assert.equal(bench.exchange.waiting, 1);
  bench.pass(5);
  assert.deepEqual(bench.sent(), ['x announce 5#0']);
});

test('a node that hears of a later move elsewhere announces a station anew if it was seen here last', () => {
  // Own station and when it was seen, what node b knows of node c, and the answer to both.
  for (const [kind, agoMs, newer, sequence] of [
    ['learned', 1000, '2#3@2000', 4],
    ['learned', 1000, '2#3@1000', 4],
    ['learned', 1000, '2#3@900', undefined],
    ['learned', 1000, '2#0@2000', 1],
    ['learned', 1000, '2#3h@2000', undefined],
    ['static', 1000, '2#3@2000', undefined],
    ['sticky', 1000, '2#3@2000', undefined],
  ] as const) {
    const bench = new ExchangeBench('b', 'c');
    bench.see(2, bench.port, kind);
    bench.pass(agoMs);
    bench.sent();
    bench.receive('b', `newer ${newer}`);
    const sent = sequence === undefined ? [] : ['b', 'c'].map((node) => `${node} announce 2#${sequence}@${agoMs}`);
    assert.deepEqual(bench.sent(), sent, `${kind} ${newer}`);
    assert.deepEqual(bench.known, [`2 here ${kind}#${sequence ?? 0}`]);
  }
  const bench = new ExchangeBench('b', 'c');
  bench.receive('c', 'announce 2#1');
  bench.receive('b', 'newer 2#3 9#3');
  assert.deepEqual([bench.known, bench.sent()], [['2 c told#1'], []], 'it is no station of this node');
  bench.see(2);
  bench.pass(5);
  bench.receive('b', 'newer 2#1@5000');
  assert.deepEqual(bench.known, ['2 here learned#2'], 'an older claim than that which was announced');
});

test('a station that a node has told and that is seen here has moved: its number rises, and the node is not asked', () => {
  const bench = new ExchangeBench('b', 'c');
  bench.receive('b', 'announce 2#4 3#1h 5');
  bench.overhear(4, 'b');
  bench.see(2);
  bench.see(3);
  bench.see(4);
  bench.pass(5);
  assert.deepEqual(bench.known, ['2 here learned#5', '3 here learned#2', '4 here learned#0', '5 b told#0']);
  assert.deepEqual(
    bench.sent().filter((message) => message.startsWith('c')),
    ['c announce 2#5', 'c announce 3#2 4#0'],
  );
  bench.receive('b', 'digest 5');
  assert.deepEqual(bench.sent(), [], 'the node has withdrawn both');
  // One that moves while all come is not forgotten with those that have not come.
  bench.receive('b', 'wholeBegin');
  bench.see(5);
  bench.receive('b', 'wholeEnd');
  assert.equal(bench.known[3], '5 here learned#1');
});

test('an own station that a port of the mesh takes over is withdrawn', () => {
  const bench = new ExchangeBench('b');
  const station = bench.see(2);
  bench.see(3);
  bench.sent();
  const from = station.port;
  Object.assign(station, { port: { meshNode: 'b', isIsolated: false } });
  bench.exchange.moved(station, from, 'learned');
  bench.pass(5);
  assert.deepEqual(bench.sent(), ['b withdraw 2', 'b announce 3#0']);
});

test('a node whose isolated station is known elsewhere is in doubt until a digest of it agrees', () => {
  const begin = (): ExchangeBench => {
    const bench = new ExchangeBench('b', 'c');
    bench.receive('b', 'announce 2i 3');
    assert.ok(bench.exchange.knowsAllOf('b'));
    return bench;
  };
  for (const happens of [
    (bench: ExchangeBench) => void bench.see(2),
    (bench: ExchangeBench) => bench.receive('c', 'announce 2#1'),
  ]) {
    const bench = begin();
    happens(bench);
    assert.deepEqual([bench.exchange.knowsAllOf('b'), bench.exchange.knowsAllOf('c')], [false, true]);
    bench.receive('b', 'digest 3');
    assert.ok(bench.exchange.knowsAllOf('b'));
  }
  for (const happens of [
    (bench: ExchangeBench) => void bench.see(3),
    (bench: ExchangeBench) => bench.receive('c', 'announce 3#1'),
    (bench: ExchangeBench) => bench.receive('b', 'announce 2i'),
    (bench: ExchangeBench) => bench.receive('c', 'announce 3'),
  ]) {
    const bench = begin();
    happens(bench);
    assert.deepEqual([bench.exchange.knowsAllOf('b'), bench.exchange.knowsAllOf('c')], [true, true]);
  }
  // A claim that does not win is of a station that may be at that node all the same.
  const bench = begin();
  bench.receive('c', 'announce 2i');
  assert.deepEqual([bench.exchange.knowsAllOf('b'), bench.exchange.knowsAllOf('c')], [true, false]);
});

test('a node of which stations were displaced is asked again when there is room, or after a minute', () => {
  const begin = (): ExchangeBench => {
    const bench = new ExchangeBench('b');
    bench.receive('b', 'announce 2 3 4 5');
    bench.receive('b', 'wholeBegin', 'announce 2 3 4 5', 'wholeEnd 2 3 4 5');
    for (const mac of [3, 4]) bench.leave(mac);
    bench.sent();
    assert.equal(bench.exchange.knowsAllOf('b'), false);
    bench.room = 1;
    bench.receive('b', 'digest 2 3 4 5');
    assert.deepEqual(bench.sent(), [], 'there is room for one of two');
    return bench;
  };
  const roomy = begin();
  roomy.room = 2;
  roomy.receive('b', 'digest 2 3 4 5');
  assert.deepEqual(roomy.sent(), ['b wantWhole']);
  roomy.receive('b', 'wholeBegin', 'announce 2 3 4', 'wholeEnd 2 3 4 5');
  assert.deepEqual(askedWithin(roomy, 1500), [1000], 'nothing was displaced since, so something was lost');
  const full = begin();
  full.pass(59_999);
  full.receive('b', 'digest 2 3 4 5');
  assert.ok(!full.sent().includes('b wantWhole'));
  full.pass(1);
  full.sent();
  full.receive('b', 'digest 2 3 4 5');
  assert.deepEqual(full.sent(), ['b wantWhole']);
  full.receive('b', 'wholeBegin', 'announce 2');
  full.leave(2);
  full.receive('b', 'wholeEnd 2 3 4 5');
  full.pass(5000);
  assert.ok(!full.sent().includes('b wantWhole'), 'what was displaced by its own answer is not asked for again');
  const back = begin();
  back.receive('b', 'withdraw 3 4', 'digest 2 5');
  assert.ok(back.exchange.knowsAllOf('b'));
});
