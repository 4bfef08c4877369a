import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryTransport } from '../../../../test/support/memory-transport.ts';
import { EndpointCounters } from '../../../net/endpoint-counters.ts';
import { hashOf, ResumableTunnels } from '../resume/resumable-tunnels.ts';
import { TunnelPlaces } from '../resume/tunnel-places.ts';
import { TunnelPort } from '../tunnel-port.ts';
import { KeptPorts } from './kept-ports.ts';
import type { TunnelsElsewhere } from './server-options.ts';

const ADA = { user: 'ada', network: 'default' };
const OF_BEFORE = { ...ADA, target: '192.0.2.1:1', address: '192.0.2.1', presented: undefined };

function tunnel(): TunnelPort {
  const [transport] = MemoryTransport.pair();
  return new TunnelPort({ type: 'server', target: '192.0.2.1:1', transport, wire: 'batched', limits: {} });
}

/** Ports with a table of places of their own; another node has the tunnel with the token `far`. */
function ports(graceMs?: number): {
  kept: KeptPorts;
  places: TunnelPlaces;
  counters: EndpointCounters;
  recalled: string[];
} {
  const places = new TunnelPlaces({ maxConnections: 10, maxPerAddress: 10, maxPerUser: 10 });
  const counters = new EndpointCounters();
  const recalled: string[] = [];
  const elsewhere = {
    recall: (hash: string) => {
      recalled.push(hash);
      if (hash === hashOf('far')) kept.restore({ ...OF_BEFORE, latest: hash });
    },
  } as unknown as TunnelsElsewhere;
  const kept: KeptPorts = new KeptPorts({
    tunnels: new ResumableTunnels(),
    admission: { isForbidden: (user) => user === 'eve', restore: (address) => placeOf(places, address) },
    counters,
    graceMs,
    elsewhere: () => elsewhere,
  });
  return { kept, places, counters, recalled };
}

function placeOf(places: TunnelPlaces, address = '192.0.2.1') {
  const place = places.enter(address);
  assert.ok(typeof place !== 'string');
  return place;
}

test('a client finds its port by its token, gives it a connection and a place, and the old token is void once it is heard', async () => {
  const { kept, places, counters } = ports();
  const port = kept.begin(tunnel(), ADA, placeOf(places), 'first');
  const found = kept.find('first', 'ada', 'default', true);
  assert.equal(found?.port, port);
  assert.equal(kept.find('first', 'bob', 'default', false), undefined);
  assert.equal(kept.find('first', 'ada', 'lab', false), undefined);
  kept.resume(found, tunnel(), placeOf(places), 'second', 'first');
  assert.deepEqual([places.taken, counters.resumed], [1, 1]);
  assert.deepEqual(
    [...kept.all()].map(({ latest, presented }) => [latest, presented]),
    [[hashOf('second'), hashOf('first')]],
  );
  await port.close('shutdown');
  assert.deepEqual([places.taken, [...kept.all()]], [0, []], 'nothing is left of a port that is closed');
});

test('a port at another node is taken over, for a user that may have tunnels, and if there is room', () => {
  const { kept, recalled } = ports();
  assert.equal(kept.find('far', 'ada', 'default', false), undefined);
  assert.equal(kept.find('far', 'eve', 'default', true), undefined);
  assert.equal(kept.find(undefined, 'ada', 'default', true), undefined);
  assert.deepEqual(recalled, []);
  const found = kept.find('far', 'ada', 'default', true);
  assert.equal(found?.port.target, '192.0.2.1:1');
  assert.equal(kept.find('unknown', 'ada', 'default', true), undefined);
  found?.port.giveUp('the test ends');
});

test('without a grace no port is restored, and a grace is not negative', () => {
  const { kept, places } = ports(0);
  assert.equal(kept.restore({ ...OF_BEFORE, latest: hashOf('far') }), undefined);
  assert.equal(places.taken, 0);
  assert.throws(() => ports(-1), RangeError);
  assert.throws(() => ports(Number.NaN), RangeError);
});
