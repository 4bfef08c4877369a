import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPort } from '../ports/memory-port.ts';
import { batchOf, type FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { TAGS_NONE } from '../wire/ethernet/frame-length.ts';
import { Bridge } from './bridge.ts';
import type { BridgeOptions } from './bridge-options.ts';
import type { BridgePort } from './bridge-port.ts';
import { IngressPolicy, SourceClaims } from './ingress-policy.ts';
import type { PortTap } from './port-tap.ts';

/* What others see of a bridge: taps of ports, the listener of addresses, and limits that change. */

const BROADCAST = 0xffff_ffff_ffff;

/** A frame between stations, whose addresses are made of a number. */
function frame(to: number, from: number): Buffer {
  const bytes = Buffer.alloc(60);
  bytes.writeUIntBE(to === BROADCAST ? to : 0x02_0000_0000_00 + to, 0, 6);
  bytes.writeUIntBE(0x02_0000_0000_00 + from, 6, 6);
  bytes.writeUInt16BE(0x88b5, 12);
  return bytes;
}

class FlowPort extends MemoryPort {
  readonly flowSource: object = {};
  readonly flowTarget: object = {};
}

/** A bridge with three ports, and how often its flows were invalidated. */
class Bench {
  readonly ports = [new FlowPort(), new FlowPort(), new FlowPort({ maxFrameBytes: 30 })];
  readonly bridge: Bridge;
  readonly attached: BridgePort[];
  invalidations = 0;
  installed = 0;

  constructor(options: BridgeOptions = {}) {
    const flowTable = { install: () => void this.installed++, invalidate: () => void this.invalidations++ };
    this.bridge = new Bridge({ flowTable, ...options });
    this.attached = this.ports.map((port) => this.bridge.attach(port));
    for (const port of this.ports) {
      port.open({ receive: () => undefined, linkChanged: () => undefined, discarded: () => undefined });
    }
  }

  at(index: number): BridgePort {
    return this.attached[index] as BridgePort;
  }

  receive(index: number, batch: FrameBatch, nowMs = 0): void {
    this.bridge.receive(this.at(index), batch, nowMs);
  }
}

/** A tap that notes what it sees: the source addresses of frames. */
class Notes implements PortTap {
  readonly lines: string[] = [];

  received(batch: FrameBatch): void {
    this.lines.push(`received ${batch.count}`);
  }

  sent(batch: FrameBatch, index: number): void {
    this.lines.push(`sent ${batch.frame(index)[11]}`);
  }

  discarded(direction: string, reason: string, batch: FrameBatch, index: number): void {
    this.lines.push(`${direction} ${reason} ${batch.frame(index)[11]}`);
  }
}

test('a tap sees what its port receives and sends, and each discard with its reason', () => {
  const bench = new Bench();
  const [near, short] = [new Notes(), new Notes()];
  bench.bridge.addTap(bench.at(0), near);
  bench.bridge.addTap(bench.at(2), short);
  bench.receive(0, batchOf(frame(BROADCAST, 1), frame(1, 2)));
  assert.deepEqual(near.lines, ['received 2', 'rx filtered 2']);
  assert.deepEqual(short.lines, ['tx tooLong 1'], 'what the port refuses is not sent');
  near.lines.length = 0;
  bench.receive(1, batchOf(frame(1, 3)));
  assert.deepEqual(near.lines, ['sent 3']);

  bench.bridge.setShut(bench.at(0), true);
  near.lines.length = 0;
  bench.receive(0, batchOf(frame(3, 1), frame(3, 2), frame(3, 4)));
  assert.deepEqual(near.lines, ['received 3', 'rx shut 1', 'rx shut 2', 'rx shut 4']);
  assert.equal(bench.at(0).rx.discards.shut, 3);

  bench.bridge.setShut(bench.at(0), false);
  bench.bridge.removeTap(bench.at(0), near);
  near.lines.length = 0;
  bench.receive(0, batchOf(frame(3, 1)));
  bench.receive(1, batchOf(frame(1, 3)));
  assert.deepEqual(near.lines, [], 'a tap that was taken away sees nothing');
});

test('several taps of a port see the same, and one may be taken away', () => {
  const bench = new Bench();
  const [first, second] = [new Notes(), new Notes()];
  for (const tap of [first, second]) bench.bridge.addTap(bench.at(0), tap);
  const speak = (): void => {
    bench.receive(0, batchOf(frame(BROADCAST, 1), frame(1, 2)));
    bench.receive(1, batchOf(frame(1, 3)));
  };
  speak();
  assert.deepEqual(first.lines, ['received 2', 'rx filtered 2', 'sent 3']);
  assert.deepEqual(second.lines, first.lines);
  bench.bridge.removeTap(bench.at(0), first);
  speak();
  assert.equal(first.lines.length, 3);
  assert.equal(second.lines.length, 6);
});

test('each of several taps hears of a flush before the octets of sent frames may change', () => {
  const bench = new Bench();
  const order: string[] = [];
  const tap = (name: string): PortTap =>
    Object.assign(new Notes(), { flushing: () => void order.push(`${name} hears`) });
  const silent = new Notes();
  for (const each of [tap('one'), silent, tap('two')]) bench.bridge.addTap(bench.at(1), each);
  (bench.ports[1] as MemoryPort).flush = () => void order.push('flush');
  bench.receive(0, batchOf(frame(BROADCAST, 1)));
  assert.deepEqual(order, ['one hears', 'two hears', 'flush']);
});

test('a tapped port sends what it sent before, and has no flows; other properties are its own', () => {
  const bench = new Bench();
  const sent: number[] = [];
  bench.ports[1]?.onFrames((frames) => sent.push(frames.length));
  const own = bench.at(1).port;
  const speak = (): void => {
    bench.receive(1, batchOf(frame(BROADCAST, 5)));
    bench.receive(0, batchOf(frame(5, 1)));
  };
  speak();
  assert.deepEqual([bench.installed, bench.invalidations], [1, 0]);
  const notes = new Notes();
  bench.bridge.addTap(bench.at(1), notes);
  assert.equal(bench.invalidations, 1, 'the flow to it ends');
  speak();
  assert.equal(bench.installed, 1, 'and none begins');
  sent.length = 0;
  const tapped = bench.at(1).port;
  assert.notEqual(tapped, own);
  assert.deepEqual([tapped.type, tapped.target, tapped.maxFrameBytes], [own.type, own.target, own.maxFrameBytes]);
  assert.deepEqual([tapped.flowSource, tapped.flowTarget, tapped.tagAllowance], [undefined, undefined, TAGS_NONE]);
  bench.receive(0, batchOf(frame(BROADCAST, 1), frame(BROADCAST, 1)));
  assert.deepEqual(sent, [2], 'one flush for the batch');
  const states: string[] = [];
  tapped.open({ receive: () => undefined, linkChanged: (state) => states.push(state), discarded: () => undefined });
  bench.ports[1]?.setLink('down');
  assert.deepEqual(states, ['down']);
  bench.ports[1]?.setLink('up');
  bench.bridge.removeTap(bench.at(1), notes);
  assert.equal(bench.at(1).port, own);
  speak();
  assert.equal(bench.installed, 2);
});

test('the listener of addresses is told what is learned, moves, ages, and is displaced', () => {
  const bench = new Bench({ fdbCapacity: 2, ageingTimeMs: 1000 });
  const told: string[] = [];
  bench.bridge.addressListener = {
    learned: ({ mac, port }) => told.push(`learned ${mac % 256} at ${port.number}`),
    moved: ({ mac, port }, from) => told.push(`moved ${mac % 256} from ${from} to ${port.number}`),
    aged: ({ mac }, isDisplaced) => told.push(`${isDisplaced ? 'displaced' : 'aged'} ${mac % 256}`),
  };
  bench.receive(0, batchOf(frame(BROADCAST, 1)));
  bench.receive(1, batchOf(frame(BROADCAST, 1)), 10);
  bench.receive(1, batchOf(frame(BROADCAST, 2)), 20);
  assert.equal(bench.bridge.fdbDisplaced, 0);
  bench.receive(1, batchOf(frame(BROADCAST, 3)), 30);
  assert.equal(bench.bridge.fdbDisplaced, 1);
  bench.bridge.age(2000);
  assert.deepEqual(told, [
    'learned 1 at 1',
    'moved 1 from 1 to 2',
    'learned 2 at 2',
    'displaced 1',
    'learned 3 at 2',
    'aged 2',
    'aged 3',
  ]);
});

test('ageing time and capacity change while the bridge runs, within their bounds', () => {
  const bench = new Bench();
  bench.receive(0, batchOf(frame(BROADCAST, 1)));
  bench.receive(0, batchOf(frame(BROADCAST, 2)), 500);
  assert.throws(() => bench.bridge.setAgeingTime(0), /RangeError: ageingTimeMs must be above 0, got 0/);
  assert.throws(() => bench.bridge.setFdbCapacity(0, 0), RangeError);
  bench.bridge.setAgeingTime(700);
  bench.bridge.age(1000);
  assert.equal(bench.bridge.fdbSize, 1, 'only what was heard within 700 ms is left');
  bench.receive(0, batchOf(frame(BROADCAST, 3)), 1000);
  bench.bridge.setFdbCapacity(1, 1000);
  assert.deepEqual([bench.bridge.fdbSize, bench.bridge.fdbCapacity], [1, 1]);
});

test('a policy tells its rules, also those that it was changed to', () => {
  const policy = new IngressPolicy({ claims: 2 }, new SourceClaims(), 0);
  assert.deepEqual(policy.rules, { claims: 2 });
  policy.change({ forbidsDhcpServer: true }, 0);
  assert.deepEqual(policy.rules, { forbidsDhcpServer: true });
});
