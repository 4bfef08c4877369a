import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { MemoryPort } from '../ports/memory-port.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import { Bridge } from './bridge.ts';
import type { BridgePort } from './bridge-port.ts';
import type { Congestion, DiscardReason } from './port.ts';

const CONGESTION: Congestion = { onceRelieved: () => undefined };
/** As long as the bridge wants to have seen nothing else. */
const LONG_MS = 100;

class CongestedPort extends MemoryPort {
  congestion: Congestion | undefined = CONGESTION;
  refusal: DiscardReason | undefined;

  override send(...frame: Parameters<MemoryPort['send']>): DiscardReason | undefined {
    return this.refusal ?? super.send(...frame);
  }
}

let bridge: Bridge;
let ports: CongestedPort[];
/** The addresses behind the bridge ports are their numbers. */
let attached: BridgePort[];

beforeEach(() => {
  bridge = new Bridge();
  ports = Array.from({ length: 3 }, () => new CongestedPort());
  attached = ports.map((port) => bridge.attach(port));
  for (const port of ports) {
    port.open({ receive: () => undefined, linkChanged: () => undefined, discarded: () => undefined });
  }
  for (const [at, port] of attached.entries()) bridge.receive(port, batchOf(frame(at, at)), 0);
});

function frame(destination: number, source: number): Buffer {
  return Buffer.from([2, 0, 0, 0, 0, destination, 2, 0, 0, 0, 0, source, 0x88, 0xb5, ...Buffer.alloc(46)]);
}

function at(index: number): BridgePort {
  return attached[index] as BridgePort;
}

/** One batch of port 0, a frame for each of these ports. @returns what it is told */
function send(nowMs: number, ...destinations: number[]): Congestion | undefined {
  return bridge.receive(at(0), batchOf(...destinations.map((destination) => frame(destination, 0))), nowMs);
}

test('congestion is told once everything has gone to one port for long enough', () => {
  assert.equal(send(1000, 1), undefined);
  assert.equal(send(1000 + LONG_MS - 1, 1, 1), undefined);
  assert.equal(send(1000 + LONG_MS, 1), CONGESTION);
  assert.equal(send(9000, 1, 1), CONGESTION);
});

test('a port that has room again is no reason to wait', () => {
  send(1000, 1);
  (ports[1] as CongestedPort).congestion = undefined;
  assert.equal(send(2000, 1), undefined);
});

test('a port that sends to two ports is never told, as one would wait for the other', () => {
  for (let nowMs = 1000; nowMs < 3000; nowMs += 50) {
    assert.equal(send(nowMs, 1, 2), undefined, 'in one batch');
  }
  for (let nowMs = 3000; nowMs < 5000; nowMs += LONG_MS) {
    assert.equal(send(nowMs, 1), undefined, 'in turn');
    assert.equal(send(nowMs + 50, 2), undefined, 'in turn');
  }
  const broadcast = Buffer.concat([Buffer.alloc(6, 0xff), frame(0, 0).subarray(6)]);
  assert.equal(bridge.receive(at(0), batchOf(broadcast), 6000), undefined);
  assert.equal(bridge.receive(at(0), batchOf(broadcast), 7000), undefined, 'flooded');
});

test('a frame to elsewhere begins the time anew', () => {
  send(1000, 1);
  assert.equal(send(2000, 1), CONGESTION);
  send(2001, 2);
  assert.equal(send(2002, 1), undefined);
  assert.equal(send(2001 + LONG_MS, 1), undefined);
  assert.equal(send(2002 + LONG_MS, 1), CONGESTION);
});

test('a port that refuses everything is seen to be congested', () => {
  (ports[1] as CongestedPort).refusal = 'queueFull';
  send(1000, 1);
  assert.equal(send(1000 + LONG_MS, 1), CONGESTION);
  assert.equal(at(1).tx.discards.queueFull, 2);
});

test('frames that stay on their side count as nothing', () => {
  send(1000, 1);
  assert.equal(send(1000 + LONG_MS, 0), undefined);
  assert.equal(send(1001 + LONG_MS, 1, 0), CONGESTION);
});

test('a shut port waits for none, and none waits for a port that is shut, down or gone', () => {
  send(1000, 1);
  bridge.setShut(at(0), true);
  assert.equal(send(2000, 1), undefined);
  bridge.setShut(at(0), false);
  assert.equal(send(2001, 1), CONGESTION);
  bridge.setShut(at(1), true);
  assert.equal(send(2002, 1), undefined);
  bridge.setShut(at(1), false);
  bridge.setLink(at(1), 'away');
  assert.equal(send(2003, 1), undefined);
  bridge.setLink(at(1), 'up');
  assert.equal(send(2004, 1), CONGESTION);
  bridge.detach(at(1));
  assert.equal(send(2005, 1), undefined);
});
