import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Graph, Link, Node } from './graph.ts';
import { thicknessOf } from './load.ts';
import { search } from './search.ts';
import { StationIndexer } from './station-index.ts';
import type { Tables } from './tables.ts';
import { neighborOf, portOf, stationOf, tablesOf, treeOf } from './test-tables.ts';
import { type TopologyOptions, topologyOf } from './topology.ts';

function graphOf(tables: Tables, options: Partial<TopologyOptions> = {}): Graph {
  return topologyOf(tables, { name: 'sw', opened: new Set(), revealed: new Set(), ...options });
}

function nodeOf({ nodes }: Graph, id: string): Node {
  const node = nodes.find((one) => one.id === id);
  assert.ok(node !== undefined, `no node ${id} in ${nodes.map((one) => one.id).join(', ')}`);
  return node;
}

function linkTo({ links }: Graph, id: string): Link {
  const link = links.find(({ to }) => to === id);
  assert.ok(link !== undefined, `no link to ${id}`);
  return link;
}

const MAC = (number: number): string =>
  `02:00:00:${[16, 8, 0].map((shift) => ((number >> shift) & 255).toString(16).padStart(2, '0')).join(':')}`;

describe('the graph', () => {
  test('has the switch, its networks, their ports, and the stations behind them', () => {
    const graph = graphOf(
      tablesOf({
        ports: [portOf(1, { name: 'desk' }), portOf(2, { network: 'guests', type: 'client', target: 'wss://a/' })],
        stations: [stationOf(MAC(1), 1, { hostname: 'printer' }), stationOf(MAC(2), 1, { addresses: ['192.0.2.7'] })],
      }),
    );
    assert.deepEqual(
      graph.nodes.map(({ kind, label }) => `${kind} ${label}`),
      [
        'switch sw',
        'network default',
        'network guests',
        'port desk',
        'station printer',
        'station 192.0.2.7',
        'port port 2',
      ],
    );
    assert.equal(linkTo(graph, 'port 2').from, 'network guests');
    assert.equal(linkTo(graph, `station default|0|${MAC(1)}`).from, 'port 1');
    const ids = new Set(graph.nodes.map(({ id }) => id));
    assert.ok(
      graph.links.every(({ from, to }) => ids.has(from) && ids.has(to)),
      'each link has both ends',
    );
  });

  test('has the nodes of the cluster beside this one, with a link for each network and the stations at them', () => {
    const mesh = { type: 'mesh', meshNode: 'r2' };
    const graph = graphOf(
      tablesOf({
        ports: [
          portOf(1, mesh),
          portOf(2, { ...mesh, network: 'guests', state: 'backoff', reason: 'it does not answer' }),
          portOf(3, { type: 'mesh', meshNode: 'r3' }),
        ],
        stations: [stationOf(MAC(1), 1), stationOf(MAC(2), 2, { network: 'guests' })],
      }),
    );
    const members = graph.nodes.filter(({ kind }) => kind === 'member');
    assert.deepEqual(
      members.map(({ id, label, look }) => [id, label, look]),
      [
        ['member r2', 'r2', 'waiting'],
        ['member r3', 'r3', 'up'],
      ],
    );
    assert.deepEqual(
      graph.links.filter(({ to }) => to === 'member r2').map(({ from, port, look }) => [from, port, look]),
      [
        ['network default', 1, 'up'],
        ['network guests', 2, 'waiting'],
      ],
    );
    assert.equal(linkTo(graph, `station default|0|${MAC(1)}`).from, 'member r2');
    assert.deepEqual(search(tablesOf({ ports: [portOf(1, mesh)] }), 'r2').ids, ['member r2']);
    const ids = graph.links.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, 'each link has an id of its own');
  });

  test('ids do not change when a port comes and another one goes', () => {
    const [one, two, three] = [portOf(1), portOf(2), portOf(3)];
    const before = graphOf(tablesOf({ ports: [one, two] }));
    const after = graphOf(tablesOf({ ports: [two, three] }));
    assert.deepEqual(nodeOf(after, 'port 2'), nodeOf(before, 'port 2'));
    assert.equal(linkTo(after, 'port 2').id, linkTo(before, 'port 2').id);
  });

  test('a neighbour at two ports is one node with two links, and stations behind a bridge are behind it', () => {
    const capabilities = ['bridge'];
    const graph = graphOf(
      tablesOf({
        ports: [portOf(1), portOf(2)],
        neighbors: [
          neighborOf(1, '02:aa', { system: 'core', capabilities }),
          neighborOf(2, '02:aa', { system: 'core', capabilities }),
        ],
        stations: [stationOf(MAC(1), 2)],
      }),
    );
    assert.equal(nodeOf(graph, 'neighbor default 02:aa').label, 'core');
    assert.equal(graph.links.filter(({ to }) => to === 'neighbor default 02:aa').length, 2);
    assert.equal(linkTo(graph, `station default|0|${MAC(1)}`).from, 'neighbor default 02:aa');
  });

  test('stations are counted when they are many, and a click opens the group', () => {
    const stations = Array.from({ length: 412 }, (_, at) => stationOf(MAC(at), 1));
    const tables = tablesOf({ ports: [portOf(1)], stations });
    assert.equal(nodeOf(graphOf(tables), 'stations 1').label, '412 stations');
    const opened = graphOf(tables, { opened: new Set(['stations 1']) });
    assert.equal(opened.nodes.filter(({ kind }) => kind === 'station').length, 120);
    assert.equal(nodeOf(opened, 'stations 1').label, '+ 292 stations');
  });

  test('a large switch is some 500 nodes; what is blocked or was searched for is among them', () => {
    const ports = Array.from({ length: 5000 }, (_, at) =>
      portOf(at + 1, { network: `net${at % 60}`, type: at % 2 === 0 ? 'server' : 'client', rxBitRate: 1000 }),
    );
    ports[4000] = portOf(4001, { network: 'net0', type: 'server', state: 'shut', reason: 'loop' });
    const stations = Array.from({ length: 65_536 }, (_, at) =>
      stationOf(MAC(at), (at % 5000) + 1, { network: `net${(at % 5000) % 60}` }),
    );
    const tables = tablesOf({ ports, stations });
    const wanted = search(tables, MAC(65_000)).ids;
    const revealed = new Set([...wanted, 'port 1', `network net${(65_000 % 5000) % 60}`, 'port 1']);
    const opened = new Set(['ports net1 client', 'ports net2 server', 'ports net3 client', 'ports net4 server']);
    const graph = graphOf(tables, { opened, revealed });
    assert.ok(graph.nodes.length > 300 && graph.nodes.length < 700, `${graph.nodes.length} nodes`);
    assert.equal(nodeOf(graph, 'port 4001').look, 'fault');
    assert.ok(nodeOf(graph, 'networks').label.includes('networks'));
    const group = nodeOf(graph, 'ports net0 server');
    assert.deepEqual([group.kind, group.look], ['ports', 'up']);
    assert.equal(linkTo(graph, group.id).bitRate, 1000 * (group.of as { count: number }).count);
  });
});

describe('a link', () => {
  const lookOf = (given: Parameters<typeof portOf>[1], role?: string): readonly [string, string] => {
    const trees = role === undefined ? [] : [treeOf([{ port: 1, role, guardTripped: false } as never])];
    const { look, reason } = linkTo(graphOf(tablesOf({ ports: [portOf(1, given)], trees })), 'port 1');
    return [look, reason];
  };

  test('is a fault when it is blocked or looping, with the reason in words', () => {
    const [look, reason] = lookOf({ state: 'discarding', reason: 'spanning tree: see liststp' }, 'alternate');
    assert.equal(look, 'fault');
    assert.match(reason, /^Blocked by the spanning tree/);
    assert.deepEqual(lookOf({ state: 'shut', reason: 'a probe came back by port 2' }), [
      'fault',
      'Shut by the switch: a probe came back by port 2',
    ]);
    const stations = [stationOf(MAC(1), 1, { flapping: true, movedFrom: 2 })];
    const graph = graphOf(tablesOf({ ports: [portOf(1), portOf(2), portOf(3)], stations }));
    assert.deepEqual(
      [1, 2, 3].map((port) => linkTo(graph, `port ${port}`).look),
      ['fault', 'fault', 'up'],
    );
    assert.match(linkTo(graph, 'port 1').reason, /^1 address moves to and fro between this port and port 2/);
  });

  test('tells shut, waiting, standing by and listening apart', () => {
    assert.deepEqual(lookOf({ shut: true, state: 'shut' }), ['off', 'Shut by the operator']);
    assert.deepEqual(lookOf({ state: 'backoff', reason: 'next try in 1 s' }), [
      'waiting',
      'No connection: next try in 1 s',
    ]);
    assert.equal(lookOf({ state: 'discarding' }, 'designated')[0], 'waiting');
    assert.equal(lookOf({ state: 'learning' }, 'root')[0], 'waiting');
    assert.equal(lookOf({ state: 'standby', reason: 'parallel to port 7' })[0], 'standby');
    assert.deepEqual(lookOf({}), ['up', '']);
  });

  test('of a parallel tunnel leads to the port that forwards', () => {
    const standby = portOf(2, { type: 'client', state: 'standby', reason: 'parallel to port 1' });
    const { links } = graphOf(tablesOf({ ports: [portOf(1, { type: 'client' }), standby] }));
    const parallel = links.find(({ id }) => id === 'parallel 2 1');
    assert.deepEqual([parallel?.from, parallel?.to, parallel?.look], ['port 2', 'port 1', 'standby']);
  });

  test('is thicker by 1 px for ten times the load', () => {
    assert.deepEqual([0, 999, 1e3, 1e4, 1e6, 1e9, 1e15].map(thicknessOf), [1, 1, 1, 2, 4, 7, 8]);
    assert.deepEqual([Number.NaN, -1].map(thicknessOf), [1, 1]);
  });
});

test('stations are indexed in slices, and those that leave meanwhile are left out', () => {
  const stations = Array.from({ length: 2000 }, (_, at) => stationOf(MAC(at), (at % 2) + 1));
  const table = new Map(stations.map((one) => [one.mac, one]));
  const indexer = new StationIndexer(table, () => 3);
  assert.equal(
    indexer.run(0, () => 0),
    false,
  );
  for (const { mac } of stations.slice(1000)) table.delete(mac);
  let slices = 1;
  while (!indexer.run(0, () => 0)) slices++;
  assert.equal(slices, 1);
  assert.deepEqual(
    [1, 2].map((port) => [indexer.byPort.get(port)?.count, indexer.byPort.get(port)?.some.length]),
    [
      [500, 3],
      [500, 3],
    ],
  );
});

describe('search', () => {
  const tables = tablesOf({
    ports: [portOf(3, { name: 'uplink' }), portOf(13), portOf(30, { description: 'to the <b>cellar</b>' })],
    neighbors: [neighborOf(13, '02:bb', { system: 'core-1', managementAddresses: ['198.51.100.9'] })],
    stations: [
      stationOf('02:00:5e:10:00:01', 3, { addresses: ['192.0.2.17', 'fe80::1'], hostname: 'printer' }),
      stationOf('02:00:5e:10:00:02', 3, { addresses: ['192.0.2.1'] }),
    ],
  });
  const first = (text: string): string | undefined => search(tables, text).ids[0];

  test('finds a MAC address in each notation', () => {
    const id = 'station default|0|02:00:5e:10:00:01';
    for (const text of ['02:00:5e:10:00:01', '02-00-5E-10-00-01', '0200.5e10.0001', ' 02005E100001 '])
      assert.equal(first(text), id, text);
    assert.equal(search(tables, '02:00:5e').ids.length, 2);
  });

  test('finds IP addresses, names, numbers and neighbours; the exact one first', () => {
    assert.equal(first('192.0.2.1'), 'station default|0|02:00:5e:10:00:02');
    assert.equal(first('fe80::1'), 'station default|0|02:00:5e:10:00:01');
    assert.equal(first('PRINT'), 'station default|0|02:00:5e:10:00:01');
    assert.equal(first('3'), 'port 3');
    assert.equal(first('port 3'), 'port 3');
    assert.deepEqual(search(tables, 'port 13').ids, ['port 13']);
    assert.equal(first('core-1'), 'neighbor default 02:bb');
    assert.equal(first('198.51.100.9'), 'neighbor default 02:bb');
    assert.equal(first('<b>cellar'), 'port 30');
    assert.deepEqual(search(tables, 'nothing of that'), { ids: [], isMore: false });
    assert.deepEqual(search(tables, '  '), { ids: [], isMore: false });
  });

  test('says that there are more', () => {
    const stations = Array.from({ length: 50 }, (_, at) => stationOf(MAC(at), 1));
    const { ids, isMore } = search(tablesOf({ ports: [portOf(1)], stations }), '02:00:00');
    assert.deepEqual([ids.length, isMore], [20, true]);
  });
});
