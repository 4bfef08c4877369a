import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPort } from '../../ports/memory-port.ts';
import { Switch } from '../switch.ts';
import { NO_VENDORS, StationList } from './station-list.ts';

/** A switch with two ports, and the list of its stations for one reader. */
function lab() {
  const target = new Switch();
  const [left, right] = [new MemoryPort(), new MemoryPort()];
  for (const [port, name] of [
    [left, 'left'],
    [right, 'right'],
  ] as const) {
    target.attach(port, { name, values: { storm: 'none' } });
  }
  const stations = new StationList(target, NO_VENDORS);
  const lister = stations.open();
  const tell = () => [...lister.each()].map((listed) => listed?.entry);
  const see = (port: MemoryPort, ...addresses: readonly number[]): void => {
    for (const address of addresses) port.deliver(frame(address));
  };
  return { target, left, right, stations, tell, see };
}

function frame(source: number): Buffer {
  const octets = Buffer.alloc(60);
  octets.fill(0xff, 0, 6);
  octets.writeUIntBE(0x020000000000 + source, 6, 6);
  octets.writeUInt16BE(0x0800, 12);
  return octets;
}

/** Without the age, and the time that stands for it, in the order of the addresses. */
function steady(entries: Iterable<object | undefined>): object[] {
  return [...entries]
    .map((entry) => {
      const { age: _, seen: __, ...rest } = entry as { age?: number; seen?: string; mac: string };
      return rest;
    })
    .sort((one, other) => (one.mac < other.mac ? -1 : 1));
}

test('a station is the same object until something but its age changes', async (t) => {
  const { target, left, right, stations, tell, see } = lab();
  t.after(() => target.close());
  see(left, 1, 2, 3);
  const first = tell();
  assert.deepEqual(steady(first), steady(await stations.list()));
  assert.ok(Date.parse(String((first[0] as { readonly seen?: unknown }).seen)) <= Date.now());
  see(left, 1);
  const same = tell();
  assert.deepEqual(
    same.map((entry) => first.includes(entry)),
    [true, true, true],
  );
  see(right, 2);
  const moved = tell();
  assert.equal(moved.filter((entry) => first.includes(entry)).length, 2);
  assert.deepEqual(steady(moved), steady(await stations.list()));
  target.administration.setLabels('left', { name: 'up' });
  const renamed = tell();
  assert.equal(renamed.filter((entry) => moved.includes(entry)).length, 1);
  assert.deepEqual(steady(renamed), steady(await stations.list()));
});

test('stations and ports that go are told no more, and those that come back are', async (t) => {
  const { target, left, right, stations, tell, see } = lab();
  t.after(() => target.close());
  see(left, 1, 2);
  see(right, 3);
  tell();
  await target.detach('left');
  assert.deepEqual(steady(tell()), steady(await stations.list()));
  assert.equal(tell().length, 1);
  see(right, 1);
  assert.deepEqual(steady(tell()), steady(await stations.list()));
  assert.equal(tell().length, 2);
});
