import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf, MachineBench, otherNodes, TIMES, type Values, vectorOf } from '../../../test/support/state-machine.ts';
import { portRoleSelection, selectRoles } from './port-role-selection.ts';
import { compareVectors, isSuperior, type PriorityVector } from './priority-vector.ts';
import type { RemoteRoot } from './variables.ts';

const [ALWAYS, AGED] = [{ ...TIMES }, { ...TIMES, messageAge: 1 }];

/** A port that has received a vector. */
function received(portPriority: PriorityVector, change: Values = {}): Values {
  return { infoIs: 'received', portPriority, portTimes: AGED, portPathCost: 20_000, ...change };
}

const MINE: Values = { infoIs: 'mine', portTimes: ALWAYS };

/** A bridge after its roles were selected: the roles of its ports, and the vector of its root. */
function select(ports: readonly Values[], bridge: ConstructorParameters<typeof MachineBench>[0] = {}) {
  const bench = new MachineBench(bridge);
  const added = ports.map((values) => bench.addPort(values));
  selectRoles(bench.bridge);
  return { bench, ports: added, roles: added.map(({ selectedRole }) => selectedRole).join(' ') };
}

test('vectors are compared by root, cost, bridge and port, in this order (17.6)', () => {
  const ascending = [
    vectorOf(1, 9, 9, 9),
    vectorOf(2, 1, 9, 9),
    vectorOf(2, 2, 3, 9),
    vectorOf(2, 2, 4, 1),
    vectorOf(2, 2, 4, 2),
  ];
  for (const [at, one] of ascending.entries()) {
    for (const [other, vector] of ascending.entries()) {
      assert.equal(Math.sign(compareVectors(one, vector)), Math.sign(at - other), `${at} ${other}`);
    }
  }
});

test('a worse vector replaces one of the same designated bridge and port alone (17.6)', () => {
  const port = vectorOf(2, 2, 4, 0x8002);
  const withPriority = (priority: bigint) => ((idOf(4) & ((1n << 48n) - 1n)) | (priority << 48n)) as never;
  for (const [name, message, expected] of [
    ['better', vectorOf(2, 2, 4, 0x8001), true],
    ['the same', port, false],
    ['worse, of the same port', vectorOf(2, 3, 4, 0x8002), true],
    ['worse, of the same port with another priority', vectorOf(2, 3, 4, 0x9002), true],
    ['worse, of the same bridge with another priority', { ...port, bridgeId: withPriority(0x5000n) }, true],
    ['worse, of another port', vectorOf(2, 3, 4, 0x8003), false],
    ['worse, of another bridge', vectorOf(2, 3, 5, 0x8002), false],
  ] as const) {
    assert.equal(isSuperior(message, port), expected, name);
  }
});

test('roles are selected when a port asks, and of all ports at once (17.28)', () => {
  const bench = new MachineBench();
  const [asking, other] = [bench.addPort({ ...MINE, reselect: true }), bench.addPort({ ...MINE })];
  assert.equal(portRoleSelection(bench.bridge), false, 'no port has something to do');
  bench.bridge.pending.add(other);
  assert.equal(portRoleSelection(bench.bridge), false, 'no port asks');
  assert.equal(other.selectedRole, 'disabled');
  bench.bridge.pending.add(asking);
  assert.equal(portRoleSelection(bench.bridge), true);
  assert.deepEqual([asking.reselect, asking.selected], [false, true]);
  assert.deepEqual([asking.selectedRole, other.selectedRole], ['designated', 'designated']);
  assert.equal(portRoleSelection(bench.bridge), false, 'it has been answered');
});

test('the role of each port (17.21.25 f to l)', () => {
  const root = received(vectorOf(1, 0, 1));
  for (const [name, ports, roles] of [
    [
      'a bridge alone is the root',
      [{ infoIs: 'disabled' }, { infoIs: 'aged' }, MINE],
      'disabled designated designated',
    ],
    ['a worse root is not accepted', [received(vectorOf(9, 0, 9))], 'designated'],
    ['a better root', [root, MINE], 'root designated'],
    ['alternate: a better designated bridge', [root, received(vectorOf(1, 0, 2))], 'root alternate'],
    ['designated: a worse cost', [root, received(vectorOf(1, 20_001, 2))], 'root designated'],
    ['alternate: the same cost, and a better bridge', [root, received(vectorOf(1, 20_000, 7))], 'root alternate'],
    ['designated: the same cost, and a worse bridge', [root, received(vectorOf(1, 20_000, 9))], 'root designated'],
    ['backup: a better port of this bridge', [MINE, received(vectorOf(8, 0, 8, 0x8001))], 'designated backup'],
    ['backup: what it says itself is not worse', [received(vectorOf(8, 0, 8, 0x8001))], 'backup'],
    ['designated: a worse port of this bridge', [received(vectorOf(8, 0, 8, 0x8002)), MINE], 'designated designated'],
    ['backup behind the root port', [root, received(vectorOf(1, 0, 8, 0x8001))], 'root backup'],
    [
      'root guard (802.1Q-2022, 13.27.65)',
      [received(vectorOf(1, 0, 1), { restrictedRole: true }), MINE],
      'alternate designated',
    ],
    ['what was received from this bridge is no way to the root', [received(vectorOf(1, 0, 8, 0x8002))], 'backup'],
    ['information that has aged does not count', [{ ...root, infoIs: 'aged' }], 'designated'],
  ] as const) {
    assert.equal(select(ports).roles, roles, name);
  }
});

test('the root port is the one with the best root path vector (17.21.25 a to c)', () => {
  for (const [name, one, other, expected] of [
    ['the root', received(vectorOf(2, 0, 2)), received(vectorOf(1, 90_000, 9)), 2],
    ['the cost', received(vectorOf(1, 0, 2), { portPathCost: 3 }), received(vectorOf(1, 1, 1), { portPathCost: 1 }), 2],
    ['the bridge', received(vectorOf(1, 5, 4)), received(vectorOf(1, 5, 3)), 2],
    ['the port of the bridge', received(vectorOf(1, 0, 1, 0x8009)), received(vectorOf(1, 0, 1, 0x8008)), 2],
    ['the own port', received(vectorOf(1, 0, 1)), received(vectorOf(1, 0, 1)), 1],
    ['the priority of the own port', received(vectorOf(1, 0, 1)), received(vectorOf(1, 0, 1), { portId: 0x7002 }), 2],
  ] as const) {
    const { bench } = select([one, other]);
    assert.equal(bench.bridge.rootPort?.number, expected, name);
  }
  const most = select([received(vectorOf(1, 0xffff_fff0, 1))]);
  assert.equal(most.bench.bridge.rootPriority.rootPathCost, 0xffff_ffff, 'the greatest cost of the field');
});

test('the priorities and times that a bridge hands on (17.21.25 b to e)', () => {
  const times = { messageAge: 2.25, maxAge: 30, helloTime: 5, forwardDelay: 20 };
  const { bench, ports } = select([received(vectorOf(1, 100, 3), { portTimes: times }), MINE]);
  const { rootPriority, rootTimes, localRoot, remoteRoot } = bench.bridge;
  assert.deepEqual(rootPriority, vectorOf(1, 20_100, 3));
  assert.deepEqual(rootTimes, { ...times, messageAge: 3 }, 'one second older, in whole seconds');
  assert.deepEqual([localRoot?.port, remoteRoot], [ports[0], undefined]);
  for (const [index, port] of ports.entries()) {
    assert.deepEqual(port.designatedPriority, vectorOf(1, 20_100, 8, 0x8001 + index));
    assert.deepEqual(port.designatedTimes, { ...times, messageAge: 3, helloTime: 2 }, 'its own Hello Time');
  }
  const alone = select([MINE]);
  assert.deepEqual(alone.bench.bridge.rootPriority, vectorOf(8, 0, 8, 0));
  assert.deepEqual(alone.bench.bridge.rootTimes, TIMES, 'the root itself adds nothing');
  assert.equal(alone.bench.bridge.rootPort, undefined);
});

test('information of a designated port is updated when it differs (17.21.25 g to i)', () => {
  const same: Values = { ...MINE, role: 'designated', portPriority: vectorOf(8, 0, 8, 0x8001) };
  for (const [name, port, isUpdated] of [
    ['the same', same, false],
    ['another vector', { ...same, portPriority: vectorOf(8, 0, 8, 0x8002) }, true],
    ['other times', { ...same, portTimes: { ...TIMES, maxAge: 21 } }, true],
    ['it has aged', { ...same, infoIs: 'aged' }, true],
    ['it was received from a worse bridge', received(vectorOf(9, 0, 9), { role: 'designated' }), true],
  ] as const) {
    const { bench, ports } = select([port]);
    assert.equal(ports[0]?.updtInfo, isUpdated, name);
    assert.equal(bench.bridge.pending.size, isUpdated ? 1 : 0, name);
  }
  const taken = select([
    received(vectorOf(1, 0, 1), { role: 'alternate', updtInfo: true }),
    received(vectorOf(1, 0, 2), { role: 'alternate' }),
  ]);
  assert.deepEqual(
    taken.ports.map(({ updtInfo }) => updtInfo),
    [false, false],
    'other roles keep the information of their designated bridge',
  );
  assert.deepEqual([...taken.bench.bridge.pending], [taken.ports[0]], 'the port with another role has something to do');
});

test('of the nodes of a shared bridge one has the root port (17.5, with the port of all nodes)', () => {
  const path = (portId = 0x8001) => ({ ...vectorOf(1, 20_000, 1), portId });
  const remote = (change: Partial<RemoteRoot> = {}): RemoteRoot => ({
    ...{ node: 'two', path: path(), portId: 0x8101, port: 1, times: { ...AGED, messageAge: 3 } },
    ...change,
  });
  const local = received(vectorOf(1, 0, 1));
  for (const [name, ports, roots, expected] of [
    ['the own port has the better identifier', [local], [remote()], undefined],
    ['the other has', [{ ...local, portId: 0x8201 }], [remote()], 'two'],
    ['the other has the better path', [local], [remote({ path: path(0x8000) })], 'two'],
    ['the other has the worse path', [{ ...local, portId: 0x8201 }], [remote({ path: path(0x8002) })], undefined],
    ['this one has none', [MINE], [remote()], 'two'],
    ['the root of the other is worse than the bridge', [MINE], [remote({ path: vectorOf(9, 0, 9) })], undefined],
    [
      'the best of several',
      [MINE],
      [remote(), remote({ node: 'six', portId: 0x8100 }), remote({ node: 'ten' })],
      'six',
    ],
    ['the same identifiers: the first name', [MINE], [remote(), remote({ node: 'six' })], 'six'],
    ['the same identifiers: not the second name', [MINE], [remote({ node: 'six' }), remote()], 'six'],
    ['the same as the own: the name of this node', [local], [remote({ portId: 0x8001 })], undefined],
    ['the same as the own: the name of the other', [local], [remote({ portId: 0x8001, node: 'a' })], 'a'],
  ] as const) {
    const { bench } = select(ports, { others: otherNodes({ roots: () => roots }) });
    assert.equal(bench.bridge.remoteRoot?.node, expected, name);
    assert.equal(
      bench.bridge.rootPort === undefined,
      expected !== undefined || bench.bridge.localRoot === undefined,
      name,
    );
  }
  const { bench, roles } = select([local, MINE], {
    others: otherNodes({ roots: () => [remote({ path: vectorOf(1, 5, 1) })] }),
  });
  assert.deepEqual(bench.bridge.rootPriority, vectorOf(1, 5, 1));
  assert.deepEqual(bench.bridge.rootTimes, { ...AGED, messageAge: 4 });
  assert.equal(bench.bridge.localRoot?.port.number, 1, 'the best of this node is told to the others all the same');
  assert.equal(roles, 'alternate designated');
});
