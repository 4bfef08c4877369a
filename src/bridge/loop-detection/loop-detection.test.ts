import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADA, BOB, BROADCAST, plain } from '../../../test/support/memory-lan.ts';
import { cable, ProbingLan, probes } from '../../../test/support/probing-lan.ts';
import { parseLoopProbe } from '../../wire/ethernet/loop-probe.ts';

test('a probe that comes back by another port shuts the younger one, and it is opened 30 s after the last', () => {
  const lan = new ProbingLan();
  const [one, two, three] = [lan.join(), lan.join(), lan.join()];
  lan.seconds(1, cable(one, two));
  assert.deepEqual(lan.said, ['1 by 2: shut 2']);
  assert.match(two.port.protection?.reason ?? '', /a loop with port 1/);
  three.take();
  three.send(plain(BROADCAST, ADA));
  assert.equal(two.take().length, 0);
  two.send(plain(BROADCAST, ADA));
  assert.equal(two.port.rx.discards.protected > 0, true);
  // While probes come back it stays shut, however long.
  lan.seconds(100, cable(one, two));
  assert.deepEqual(lan.said, ['1 by 2: shut 2']);
  lan.seconds(26);
  assert.equal(two.port.isForwarding, false);
  lan.seconds(6);
  assert.deepEqual(lan.said, ['1 by 2: shut 2', 'open 2']);
  assert.equal(two.port.isForwarding, true);
});

test('a port whose own frames come back is shut', () => {
  const lan = new ProbingLan();
  const [one, two] = [lan.join(), lan.join()];
  lan.seconds(1, () => one.send(...one.take()));
  assert.deepEqual(lan.said, ['1 by 1: shut 1']);
  assert.match(one.port.protection?.reason ?? '', /come back/);
  assert.equal(two.port.isForwarding, true);
  // Beside them come frames that are none, or too short to be one, also by the other port.
  lan.seconds(100, () => {
    two.send(plain(BROADCAST, BOB).slice(0, 28));
    one.send(Buffer.alloc(3), ...one.take().flatMap((frame) => [frame, plain(BROADCAST, ADA)]));
  });
  assert.deepEqual(lan.said, ['1 by 1: shut 1'], 'it stays shut while they do');
});

test('a port that the operator has shut takes no probe', () => {
  const lan = new ProbingLan();
  const [one, two] = [lan.join(), lan.join()];
  lan.seconds(1);
  const [probe = ''] = probes(two.take());
  lan.bridge.setShut(one.port, true);
  one.send(probe);
  assert.deepEqual([lan.said, one.port.rx.discards.shut], [[], 1]);
  lan.bridge.setShut(one.port, false);
  one.send(probe);
  assert.deepEqual(lan.said, ['2 by 1: shut 2']);
});

test('a probe does not open a port that its address limit has shut', () => {
  const lan = new ProbingLan();
  const one = lan.join({ macLimit: 1, macLimitAction: 'shut' });
  lan.seconds(1);
  const [own = ''] = probes(one.take());
  one.send(plain(BROADCAST, ADA), plain(BROADCAST, BOB));
  assert.equal(one.port.protection?.cause, 'macLimit');
  one.send(own);
  assert.deepEqual(lan.said, []);
  lan.seconds(60);
  assert.equal(one.port.protection?.cause, 'macLimit');
});

test('three ways in parallel: one stays open', () => {
  const lan = new ProbingLan();
  const ports = [lan.join(), lan.join(), lan.join()];
  lan.seconds(20, () => {
    const sent = ports.map((each) => each.take());
    for (const [at, each] of ports.entries()) each.send(...sent.filter((_, from) => from !== at).flat());
  });
  assert.deepEqual(
    ports.map(({ port }) => port.isForwarding),
    [true, false, false],
  );
});

test('probes of other bridges, forged ones and old ones are relayed or ignored', () => {
  const lan = new ProbingLan();
  const [one, two, three] = [lan.join(), lan.join(), lan.join()];
  lan.seconds(1);
  const [own = ''] = probes(one.take());
  for (const each of [two, three]) each.take();
  const forged = `${own.slice(0, -28 - 2 * 4)}ff${own.slice(-28 - 2 * 4 + 2)}`;
  assert.notEqual(parseLoopProbe(Buffer.from(own, 'hex'), 0, own.length / 2), undefined);
  two.send(forged, own.slice(0, 60), `${own.slice(0, 24)}88b6${own.slice(28)}`);
  assert.deepEqual(lan.said, []);
  assert.equal(three.take().length, 3, 'they are flooded like any other frame');
  lan.nowMs += 5000;
  two.send(own);
  assert.deepEqual(lan.said, []);
  assert.equal(three.take().length, 0, 'an old one of its own is taken');
  assert.equal(two.port.rx.discards.protected, 0);
});

test('probes go out each 5 s in mode on; in mode auto only at suspected ports, each second, for 10 s; in mode off never', () => {
  const lan = new ProbingLan();
  const [one, two] = [lan.join(), lan.join()];
  const sent = (seconds: number): number[] => {
    lan.seconds(seconds);
    return [one, two].map((each) => probes(each.take()).length);
  };
  assert.deepEqual(sent(11), [3, 3]);
  lan.detection.setMode('auto');
  assert.deepEqual(sent(20), [0, 0]);
  lan.detection.suspect(two.port, [], lan.nowMs);
  assert.deepEqual(sent(30), [0, 9]);
  lan.detection.suspect(two.port, [], lan.nowMs);
  lan.seconds(1, () => two.send(...two.take()));
  assert.equal(two.port.isForwarding, false);
  lan.detection.setMode('off');
  assert.equal(two.port.isForwarding, true);
  lan.detection.suspect(two.port, [], lan.nowMs);
  assert.deepEqual(sent(10), [0, 0]);
});

test('the operator opens a port that was shut, and it is shut again by the next probe', () => {
  const lan = new ProbingLan();
  const [one, two] = [lan.join(), lan.join()];
  lan.seconds(1, cable(one, two));
  lan.bridge.setShut(two.port, false);
  assert.equal(two.port.isForwarding, true);
  lan.seconds(6, cable(one, two));
  assert.deepEqual(
    lan.said.map((line) => line.replace(/^.*: /, '')),
    ['shut 2', 'shut 2'],
  );
});

test('a removed port is forgotten', () => {
  const lan = new ProbingLan();
  const [one, two] = [lan.join(), lan.join()];
  lan.seconds(1);
  const [own = ''] = probes(one.take());
  lan.bridge.detach(one.port);
  two.send(own);
  assert.deepEqual(lan.said, []);
});
