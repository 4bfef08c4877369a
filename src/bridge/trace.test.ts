import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPort } from '../ports/memory-port.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import { formatMacAddress } from '../wire/ethernet/mac-address.ts';
import { Bridge } from './bridge.ts';
import type { BridgePort } from './bridge-port.ts';

/** A bridge with three ports that writes down what its trace is told. */
class Bench {
  readonly told: string[] = [];
  readonly bridge = new Bridge({
    ageingTimeMs: 1000,
    trace: {
      learned: ({ vid, mac, port, from }) => {
        const moved = from === undefined ? '' : ` from ${from}`;
        this.told.push(`${formatMacAddress(mac)} in ${vid} at ${port}${moved}`);
      },
      aged: ({ vid, mac, port }) => this.told.push(`${formatMacAddress(mac)} in ${vid} at ${port.number} aged`),
      forwarded: (from, to, length) => this.told.push(`${length} octets from ${from} to ${to.join(' ')}`),
    },
  });
  readonly ports = Array.from({ length: 3 }, () => this.bridge.attach(new MemoryPort()));

  receive(at: number, ...frames: Buffer[]): void {
    this.bridge.receive(this.ports[at - 1] as BridgePort, batchOf(...frames), 0);
  }
}

function frame(destination: string, source: number, length = 60): Buffer {
  return Buffer.concat([Buffer.from(`${destination}02000000000${source}88b5`, 'hex')], length);
}

const ONE = '020000000001';
const BROADCAST = 'ffffffffffff';

test('a trace is told of each frame: where its source was learned, and which ports it goes to', () => {
  const bench = new Bench();
  bench.receive(1, frame(BROADCAST, 1));
  bench.receive(2, frame(ONE, 2, 64), frame(ONE, 2, 65));
  bench.receive(1, frame(ONE, 3));
  assert.deepEqual(bench.told, [
    '02:00:00:00:00:01 in 0 at 1',
    '60 octets from 1 to 2 3',
    '02:00:00:00:00:02 in 0 at 2',
    '64 octets from 2 to 1',
    '65 octets from 2 to 1',
    '02:00:00:00:00:03 in 0 at 1',
    '60 octets from 1 to ',
  ]);
});

test('a trace is told of stations that move and that age', () => {
  const bench = new Bench();
  bench.receive(1, frame('0180c2000000', 1));
  bench.receive(3, frame('0180c2000000', 1));
  bench.bridge.age(999);
  bench.bridge.age(1000);
  assert.deepEqual(bench.told, [
    '02:00:00:00:00:01 in 0 at 1',
    '02:00:00:00:00:01 in 0 at 3 from 1',
    '02:00:00:00:00:01 in 0 at 3 aged',
  ]);
});
