import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import type { PortNumber } from '../bridge-port.ts';
import { type Binding, type BindingKind, Bindings, MOST_FIRST } from './bindings.ts';

function binding(port: number, address: string, { kind = 'first', mac = port, untilMs = 1000 } = {}): Binding {
  return {
    port: port as PortNumber,
    kind: kind as BindingKind,
    address,
    mac: mac as MacAddress,
    vid: 0 as Vid,
    untilMs,
  };
}

/** How many keys of maps were looked up during `work`. */
function keysRead(work: () => void): number {
  const { get } = Map.prototype;
  let count = 0;
  Map.prototype.get = function (key) {
    count++;
    return get.call(this, key);
  };
  try {
    work();
  } finally {
    Map.prototype.get = get;
  }
  return count;
}

test('the end of a port touches its own bindings only, however many others have', () => {
  const bindings = new Bindings();
  for (let port = 1; port <= 500; port++) {
    for (let host = 0; host < MOST_FIRST; host++) bindings.add(binding(port, `${port}.${host}`));
  }
  assert.ok(keysRead(() => bindings.removePort(7 as PortNumber, 'static')) < 10);
  assert.ok(keysRead(() => bindings.removePort(7 as PortNumber)) < 200);
  assert.equal(bindings.size, 499 * MOST_FIRST);
});

test('whatever is added, replaced, removed and ended, the rest is there and counts', () => {
  const port = fc.integer({ min: 1, max: 3 });
  const step = fc.record({
    port,
    deed: fc.constantFrom('add', 'add', 'add', 'remove', 'age', 'lease'),
    address: fc.constantFrom('a', 'b', 'c'),
    kind: fc.constantFrom<BindingKind>('static', 'dhcp', 'first'),
    mac: fc.integer({ min: 1, max: 2 }),
    untilMs: fc.integer({ min: 1, max: 20 }),
    isOfKind: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const bindings = new Bindings();
      let model: Binding[] = [];
      const isLike = (one: Binding, other: Binding): boolean =>
        (['port', 'address', 'mac', 'kind'] as const).every((member) => one[member] === other[member]);
      for (const { port: number, deed, address, kind, mac, untilMs, isOfKind } of steps) {
        const made = binding(number, address, { kind, mac, untilMs });
        if (deed === 'add') {
          assert.ok(bindings.add(made));
          model = [...model.filter((each) => !isLike(each, made)), made];
        } else if (deed === 'remove') {
          bindings.removePort(number as PortNumber, isOfKind ? kind : undefined);
          model = model.filter((each) => each.port !== number || (isOfKind && each.kind !== kind));
        } else if (deed === 'age') {
          bindings.age(untilMs);
          model = model.filter((each) => untilMs < each.untilMs);
        } else {
          bindings.removeForLease(0 as Vid, mac as MacAddress, address);
          model = model.filter(
            (each) =>
              each.address !== address || !(each.kind === 'first' || (each.kind === 'dhcp' && each.mac === mac)),
          );
        }
        const text = (all: Iterable<Binding>): string[] => [...all].map((each) => JSON.stringify(each)).sort();
        assert.deepEqual(text(bindings.all(0)), text(model));
        assert.equal(bindings.size, model.length);
      }
      for (const number of [1, 2, 3] as PortNumber[]) bindings.removePort(number);
      assert.equal(bindings.size, 0);
    }),
  );
});
