import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AnnouncementTimer } from './announcement-timer.ts';

/** A node whose clock stands until `pass`; it ticks every 250 ms, as its service does. */
function nodeOf(t: TestContext, nodes = 2) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 1000;
  t.mock.method(performance, 'now', () => nowMs);
  const at: number[] = [];
  const node = { isMember: true, nodes };
  const timer = new AnnouncementTimer({
    nodes: () => node.nodes,
    isMember: () => node.isMember,
    announce: () => at.push(nowMs),
  });
  const pass = (ms: number): void => {
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs++;
      t.mock.timers.tick(1);
      if (nowMs % 250 === 0) timer.tick(nowMs);
    }
  };
  return { node, timer, at, pass };
}

test('a node without changes announces itself once an interval, which grows with the cluster', (t) => {
  const { node, at, pass } = nodeOf(t);
  pass(4000);
  assert.deepEqual(at, [1250, 2250, 3250, 4250]);
  node.nodes = 1000;
  pass(20_000);
  assert.deepEqual(at.slice(4), [14_250, 24_250]);
});

test('the first of several changes is told at once, the others together 200 ms later', (t) => {
  const { timer, at, pass } = nodeOf(t);
  for (let change = 0; change < 50; change++) timer.changed();
  pass(100);
  timer.changed();
  pass(400);
  assert.deepEqual(at, [1000, 1201]);
  timer.changed();
  assert.deepEqual(at, [1000, 1201, 1500]);
  timer.changed();
  timer.changedUrgently();
  pass(900);
  assert.deepEqual(at, [1000, 1201, 1500, 1500], 'what waited was told with the urgent change');
});

test('many nodes spread their answers to one that joins over their interval, few answer at once', (t) => {
  const { node, timer, at, pass } = nodeOf(t);
  timer.answer();
  assert.deepEqual(at, [1000]);
  node.nodes = 1000;
  const random = t.mock.method(Math, 'random', () => 0.5);
  timer.answer();
  random.mock.mockImplementation(() => 0.9);
  timer.answer();
  pass(10_000);
  assert.deepEqual(at, [1000, 6000], 'after half the interval of 10 s, and once for both');
  pass(10_000);
  assert.deepEqual(at, [1000, 6000, 16_000], 'then once an interval again');
});

test('a node that takes no part tells nothing, and tells of itself at once when it does', (t) => {
  const { node, timer, at, pass } = nodeOf(t);
  timer.changed();
  timer.changed();
  node.isMember = false;
  pass(5000);
  timer.changedUrgently();
  assert.deepEqual(at, [1000]);
  node.isMember = true;
  timer.changed();
  assert.deepEqual(at, [1000, 6000]);
});

test('a change that waits is not told after the end', (t) => {
  const { timer, at, pass } = nodeOf(t);
  timer.changed();
  timer.changed();
  timer.close();
  pass(240);
  assert.deepEqual(at, [1000]);
});
