import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/support/site.ts';
import type { Tunnel } from '../bridge/port.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { Switch } from './switch.ts';

/** The port of one more tunnel to the same switch. */
class ParallelPort extends MemoryPort {
  readonly tunnel: Tunnel;

  constructor(rank: number) {
    super();
    const facts = { instance: 'other', tunnelId: `tunnel ${rank}`, rank, isParallelAllowed: false };
    this.tunnel = {
      peer: { ...facts, isDialled: true, user: null },
      announceLoss: () => undefined,
      abandon: () => undefined,
    };
  }
}

test('tunnels that stand by again and again are told of so often, and no more', async (t) => {
  const warnings: string[] = [];
  const logger: Logger = { ...SILENT, warn: (_fields, message) => warnings.push(message), isLevelEnabled: () => false };
  const etherSwitch = new Switch({ logger });
  t.after(() => etherSwitch.close());
  etherSwitch.attach(new ParallelPort(0));
  for (let rank = 1; rank <= 30; rank++) void etherSwitch.detach(etherSwitch.attach(new ParallelPort(rank)));
  assert.deepEqual(warnings, Array(10).fill('a second tunnel to the same switch stands by'));
});

test('ports that begin to drop frames for a fault, many times, do not keep a loop from being reported', async (t) => {
  const warnings: string[] = [];
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_fields, message) => warnings.push(message),
    error: () => undefined,
    isLevelEnabled: (level) => level !== 'debug',
  };
  const etherSwitch = new Switch({ logger });
  t.after(() => etherSwitch.close());
  const [one, other] = [new MemoryPort(), new MemoryPort()];
  const short = new MemoryPort({ maxFrameBytes: 20 });
  for (const port of [one, other, short]) etherSwitch.attach(port);
  const frameOf = (station: number, length: number) =>
    Buffer.concat([Buffer.from(`ffffffffffff02000000000${station}88b5`, 'hex'), Buffer.alloc(length - 14)]);

  // A client that connects repeatedly is a new port each time, with a first fault of its own.
  for (let client = 0; client < 30; client++) {
    const number = etherSwitch.attach(new MemoryPort({ maxFrameBytes: 20 }));
    one.deliver(frameOf(9, 60));
    void etherSwitch.detach(number);
  }
  const faults = warnings.filter((line) => line.includes('begins to drop'));
  assert.equal(faults.length, 10, 'the rest is not logged');
  for (let move = 0; move < 12; move++) {
    for (const station of [1, 2, 3]) (move % 2 === 0 ? one : other).deliver(frameOf(station, 20));
  }
  await until(
    () => warnings.some((line) => line.startsWith('loop between ports 1 and 2')),
    () => warnings.join('\n'),
  );
});

test('a port remembers how often a connection came, and since when it has its state', (t) => {
  const etherSwitch = new Switch();
  t.after(() => etherSwitch.close());
  const port = new MemoryPort();
  const attached = etherSwitch.attachedPort(etherSwitch.attach(port));
  const born = attached.history();
  assert.equal(born.connections, 1);
  assert.notEqual(born.connectedMs, undefined);
  port.setLink('down', 'lost');
  assert.deepEqual([attached.history().connections, attached.history().connectedMs], [1, undefined]);
  port.setLink('up');
  port.setLink('up');
  assert.equal(attached.history().connections, 3, 'also one that took over from another');
  const { ageMs, stateMs, connectedMs = Number.NaN } = attached.history();
  assert.ok(ageMs >= stateMs && stateMs >= connectedMs, `${ageMs} ${stateMs} ${connectedMs}`);
});

test('ports that had a number get it again, in any order, and new ones get higher numbers', async () => {
  const etherSwitch = new Switch();
  etherSwitch.reserveNumbers(7);
  const attach = (number?: number): number => etherSwitch.attach(new MemoryPort(), { number });
  assert.deepEqual([attach(7), attach(), attach(2), attach(12), attach(2), attach()], [7, 8, 2, 12, 13, 14]);
  assert.deepEqual([...etherSwitch.ports.keys()], [2, 7, 8, 12, 13, 14]);
  assert.deepEqual(
    [...etherSwitch.attachedPorts()].map(({ bridgePort }) => bridgePort.number),
    [2, 7, 8, 12, 13, 14],
  );
  await etherSwitch.close();
});

test('a port whose end fails keeps neither the other ports nor the networks from ending', async (t) => {
  const etherSwitch = new Switch();
  const [first, last] = [new MemoryPort(), new MemoryPort()];
  t.mock.method(last, 'close', () => Promise.reject(new Error('no space')));
  let isFirstClosed = false;
  t.mock.method(first, 'close', async () => {
    await new Promise(setImmediate);
    isFirstClosed = true;
  });
  for (const port of [first, last]) etherSwitch.attach(port);
  const ended = t.mock.method(etherSwitch.network('default'), 'close');
  await assert.rejects(etherSwitch.close(), { message: 'no space' });
  assert.equal(isFirstClosed, true);
  assert.equal(ended.mock.callCount(), 1);
});
