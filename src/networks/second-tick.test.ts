import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { Switch } from './switch.ts';

const frameOf = (station: number): Buffer =>
  Buffer.from(`ffffffffffff02000000000${station}88b5${'00'.repeat(46)}`, 'hex');

test('each second addresses age, and one that moves to and fro is told, until the switch is closed', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let nowMs = 1_000_000;
  t.mock.method(performance, 'now', () => nowMs);
  const pass = (seconds: number): void => {
    for (let second = 0; second < seconds; second++) {
      nowMs += 1000;
      t.mock.timers.tick(1000);
    }
  };
  const warnings: string[] = [];
  const logger = { ...SILENT, warn: (_fields: object, message: string) => void warnings.push(message) };
  const etherSwitch = new Switch({ ageingTimeMs: 30_000, logger });
  const kinds: string[] = [];
  etherSwitch.events.subscribe(
    (events) => kinds.push(...events.map(({ event }) => event)),
    ['address-flapping', 'loop'],
  );
  const [one, other] = [new MemoryPort(), new MemoryPort()];
  for (const port of [one, other]) etherSwitch.attach(port);

  for (let move = 0; move < 12; move++) {
    for (const station of [1, 2, 3]) (move % 2 === 0 ? one : other).deliver(frameOf(station));
  }
  assert.deepEqual(warnings, []);
  pass(1);
  assert.match(warnings.join(), /^loop between ports 1 and 2/);
  etherSwitch.events.flush();
  assert.ok(kinds.includes('loop'), kinds.join());
  assert.equal(etherSwitch.network('default').bridge.fdbSize, 3);
  pass(31);
  assert.equal(etherSwitch.network('default').bridge.fdbSize, 0);

  await etherSwitch.close();
  const before = nowMs;
  const ticked = t.mock.method(etherSwitch.network('default'), 'tick');
  pass(3);
  assert.deepEqual([ticked.mock.callCount(), nowMs - before], [0, 3000]);
});
