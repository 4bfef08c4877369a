import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type TunnelPlace, TunnelPlaces } from './tunnel-places.ts';

function entered(place: ReturnType<TunnelPlaces['enter']>): TunnelPlace {
  assert.ok(typeof place === 'object');
  return place;
}

test('each bound for itself', () => {
  const places = new TunnelPlaces({ maxConnections: 4, maxPerAddress: 2, maxPerUser: 2 });
  const first = entered(places.enter('192.0.2.1'));
  entered(places.enter('::ffff:192.0.2.1'));
  assert.equal(places.enter('192.0.2.1'), 'overAddressShare');
  const third = entered(places.enter('192.0.2.2'));
  assert.deepEqual([first.claim('ada'), third.claim('ada')], [true, true]);
  const fourth = entered(places.enter('192.0.2.3'));
  assert.equal(fourth.claim('ada'), false);
  assert.equal(fourth.claim('bob'), true);
  assert.equal(places.enter('192.0.2.4'), 'full');
  first.leave();
  first.leave();
  assert.equal(places.taken, 3);
  assert.equal(places.takenBy('ada'), 1);
  assert.equal(entered(places.enter('192.0.2.1')).claim('ada'), true);
});

test('whatever comes and goes, no bound is exceeded, and nothing is left', () => {
  const step = fc.record({
    address: fc.constantFrom('a', 'b', 'c'),
    user: fc.constantFrom('x', 'y'),
    leaves: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const places = new TunnelPlaces({ maxConnections: 5, maxPerAddress: 3, maxPerUser: 2 });
      const inside: TunnelPlace[] = [];
      for (const { address, user, leaves } of steps) {
        if (leaves) inside.shift()?.leave();
        const place = places.enter(address);
        if (typeof place === 'string') continue;
        if (place.claim(user)) inside.push(place);
        else place.leave();
        assert.equal(places.taken, inside.length);
        assert.ok(places.taken <= 5 && places.takenBy(user) <= 2);
      }
      for (const place of inside) place.leave();
      assert.deepEqual([places.taken, places.takenBy('x'), places.takenBy('y')], [0, 0, 0]);
    }),
  );
});
