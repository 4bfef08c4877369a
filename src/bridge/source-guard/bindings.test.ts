import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import type { PortNumber } from '../bridge-port.ts';
import { type Binding, type BindingKind, Bindings, MOST_BINDINGS, MOST_FIRST } from './bindings.ts';

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

const [ONE, TWO] = [1, 2] as PortNumber[] as [PortNumber, PortNumber];
const [ADA, BOB] = [1, 2] as MacAddress[] as [MacAddress, MacAddress];
const [NONE, FIVE] = [0, 5] as Vid[] as [Vid, Vid];

test('a binding holds until it ends, at its port', () => {
  const bindings = new Bindings();
  bindings.add(binding(1, 'a', { kind: 'dhcp', untilMs: 10 }));
  bindings.add(binding(2, 'a', { kind: 'static', untilMs: 20 }));
  const holders = (all: Iterable<Binding>): number[] => [...all].map(({ port }) => port);
  assert.deepEqual([holders(bindings.all(9)), holders(bindings.all(10))], [[1, 2], [2]]);
  assert.deepEqual([holders(bindings.at(ONE, 9)), holders(bindings.at(ONE, 10))], [[1], []]);
  assert.deepEqual(holders(bindings.at(7 as PortNumber, 0)), []);
  assert.ok(bindings.find(ONE, NONE, ADA, 'a', 9));
  assert.equal(bindings.find(ONE, NONE, ADA, 'a', 10), undefined);
});

test('an address is taken while another station has it in the same VLAN, at this port or at another', () => {
  const isTaken = (made: Partial<Binding>, nowMs = 0): boolean => {
    const bindings = new Bindings();
    bindings.add({ ...binding(1, 'a', { untilMs: 10 }), ...made });
    return bindings.isTaken(ONE, NONE, ADA, 'a', nowMs);
  };
  assert.equal(isTaken({}), false, 'by the station itself');
  assert.equal(isTaken({ mac: undefined }), false, 'by any station of the port');
  assert.equal(isTaken({ mac: BOB }), true);
  assert.equal(isTaken({ port: TWO }), true);
  assert.equal(isTaken({ port: TWO, mac: undefined }), true);
  assert.equal(isTaken({ port: TWO, vid: FIVE }), false);
  assert.equal(isTaken({ port: TWO, vid: undefined }), true, 'in any VLAN');
  assert.deepEqual([isTaken({ mac: BOB }, 9), isTaken({ mac: BOB }, 10)], [true, false]);
  assert.equal(new Bindings().isTaken(ONE, NONE, ADA, 'a', 0), false);
});

test('each kind has its room at a port, those of the operator without end; what goes makes room again', () => {
  const room = (kind: BindingKind): number => {
    const bindings = new Bindings();
    let count = 0;
    while (count < 300 && bindings.add(binding(1, String(count), { kind, untilMs: 50 }))) count++;
    bindings.removeForLease(NONE, ADA, '3');
    bindings.age(49);
    const isRoom = bindings.add(binding(1, 'other', { kind }));
    assert.equal(isRoom, true, kind);
    if (kind !== 'static') assert.equal(bindings.add(binding(1, 'one more', { kind })), false, kind);
    return count;
  };
  assert.deepEqual([room('static'), room('dhcp'), room('first')], [300, MOST_BINDINGS, MOST_FIRST]);
});

test('a change is told of the port that has it, but for the bindings of the operator', () => {
  const bindings = new Bindings();
  const told: number[] = [];
  bindings.onChange = (port) => void told.push(port);
  bindings.add(binding(1, 'a', { kind: 'static' }));
  bindings.removePort(ONE, 'static');
  assert.deepEqual(told, []);
  bindings.add(binding(1, 'a'));
  bindings.add(binding(2, 'a', { kind: 'dhcp', untilMs: 10 }));
  assert.deepEqual(told.splice(0), [1, 2]);
  bindings.age(10);
  assert.deepEqual(told.splice(0), [2]);
  bindings.removePort(TWO);
  assert.deepEqual(told, []);
  bindings.removePort(ONE);
  assert.deepEqual(told, [1]);
});

test('a station ends its own lease, while it has it at this port', () => {
  const ended = (made: Partial<Binding>, nowMs = 0): [boolean, number] => {
    const bindings = new Bindings();
    bindings.add({ ...binding(1, 'a', { kind: 'dhcp', untilMs: 10 }), ...made });
    return [bindings.endLease(ONE, NONE, ADA, 'a', nowMs), bindings.size];
  };
  assert.deepEqual(ended({}), [true, 0]);
  assert.deepEqual(ended({ port: TWO }), [false, 1]);
  assert.deepEqual([ended({ port: TWO }, 9)[0], ended({ port: TWO }, 10)[0]], [false, true], 'it has ended');
  for (const other of [{ mac: BOB }, { vid: FIVE }, { kind: 'first' as const }]) {
    assert.deepEqual(ended(other), [true, 1], 'it has no lease');
    assert.deepEqual(ended({ ...other, port: TWO }), [true, 1]);
  }
});

test('what has ended is removed, whatever ends later', () => {
  const bindings = new Bindings();
  for (const untilMs of [10, 20, 30]) bindings.add(binding(1, `until ${untilMs}`, { untilMs }));
  const sizes = [9, 10, 19, 20, 30].map((nowMs) => {
    bindings.age(nowMs);
    return bindings.size;
  });
  assert.deepEqual(sizes, [3, 2, 2, 1, 0]);
});

test('addresses that a port had cost nothing later', () => {
  const bindings = new Bindings();
  bindings.add(binding(2, 'of another port'));
  for (let at = 0; at < 1000; at++) {
    bindings.add(binding(1, String(at), { kind: 'dhcp' }));
    bindings.endLease(ONE, NONE, ADA, String(at), 0);
  }
  assert.ok(keysRead(() => assert.equal([...bindings.at(ONE, 0)].length, 0)) < 10);
});
