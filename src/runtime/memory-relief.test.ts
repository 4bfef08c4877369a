import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MemoryOfProcess, MemoryRelief } from './memory-relief.ts';

const MIB = 1024 * 1024;

class FakeMemory implements MemoryOfProcess {
  bytes = 60 * MIB;
  load = 0;
  reliefs = 0;
  readonly anonymousBytes = (): number => this.bytes;
  readonly utilization = (): number => this.load;
  readonly relieve = async (): Promise<void> => {
    this.reliefs++;
    this.bytes = Math.min(this.bytes, 50 * MIB);
  };
}

test('memory is given back behind each growth until little is to be had, and never while there is work', async (t) => {
  const memory = new FakeMemory();
  const relief = new MemoryRelief(memory);
  t.after(() => relief.close());
  await relief.look();
  assert.equal(memory.reliefs, 1);
  await relief.look();
  assert.equal(memory.reliefs, 2, 'the first gave much');
  await relief.look();
  assert.equal(memory.reliefs, 2, 'nothing has grown since');

  memory.bytes = 140 * MIB;
  memory.load = 0.5;
  await relief.look();
  assert.equal(memory.reliefs, 2, 'frames go before');
  memory.load = 0.001;
  for (let look = 0; look < 4; look++) await relief.look();
  assert.equal(memory.reliefs, 4);
});

test('what relief cannot give back is not asked for again', async (t) => {
  const memory = new FakeMemory();
  const relief = new MemoryRelief({
    ...memory,
    relieve: async () => {
      memory.reliefs++;
      throw new Error('no inspector');
    },
  });
  t.after(() => relief.close());
  memory.bytes = 140 * MIB;
  for (let look = 0; look < 3; look++) await relief.look();
  assert.equal(memory.reliefs, 1);
});
