import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  MachineBench,
  otherNodes,
  playTransitions,
  type Transition,
  type Values,
} from '../../../test/support/state-machine.ts';
import { beginPortRoleTransitions, portRoleTransitions } from './port-role-transitions.ts';

const SETTLED: Values = { portEnabled: true, selected: true, synced: true, infoIs: 'mine' };
const FORWARDING: Values = { learn: true, learning: true, forward: true, forwarding: true };
const DISABLED: Values = {
  ...SETTLED,
  ...{ portEnabled: false, infoIs: 'disabled', roleState: 'disabledPort', fdWhile: 20 },
};
const ROOT: Values = {
  ...SETTLED,
  ...FORWARDING,
  ...{ role: 'root', selectedRole: 'root', roleState: 'rootPort', infoIs: 'received', agree: true, rrWhile: 15 },
};
const DESIGNATED: Values = {
  ...SETTLED,
  ...FORWARDING,
  ...{ role: 'designated', selectedRole: 'designated', roleState: 'designatedPort', agreed: true },
};
const ALTERNATE: Values = {
  ...SETTLED,
  ...{ role: 'alternate', selectedRole: 'alternate', roleState: 'alternatePort', infoIs: 'received' },
  ...{ agree: true, fdWhile: 15 },
};
const BACKUP: Values = { ...ALTERNATE, role: 'backup', selectedRole: 'backup', rbWhile: 4 };
const NOT_FORWARDING: Values = { learn: false, learning: false, forward: false, forwarding: false };
const LEARNING: Values = { learn: true, learning: true, forward: false, forwarding: false };

function play(port: Values, rows: readonly Transition[]): void {
  playTransitions(portRoleTransitions, { port, other: DESIGNATED }, rows);
}

test('BEGIN: a port starts without a role, discarding, and waits for its timers (17.29.1)', () => {
  const bench = new MachineBench();
  const port = bench.addPort({ ...ROOT, sync: false, reRoot: false, rrWhile: 0, rbWhile: 4 });
  beginPortRoleTransitions(port);
  assert.deepEqual(
    [port.role, port.roleState, port.learn, port.forward, port.synced, port.sync, port.reRoot],
    ['disabled', 'disablePort', false, false, false, true, true],
  );
  assert.deepEqual([port.rrWhile, port.fdWhile, port.rbWhile], [15, 20, 0]);
});

test('no transition while roles are selected, or the information of the port is updated (17.29)', () => {
  for (const [settled, selectedRole] of [
    [DISABLED, 'designated'],
    [ROOT, 'alternate'],
    [DESIGNATED, 'root'],
    [ALTERNATE, 'root'],
    [BACKUP, 'disabled'],
  ] as const) {
    play({ ...settled, selectedRole }, [
      { name: `not selected: ${selectedRole}`, given: { selected: false }, changes: undefined },
      { name: `updtInfo: ${selectedRole}`, given: { updtInfo: true }, changes: undefined },
    ]);
  }
});

test('a new role stops forwarding, except as root port and designated port (17.29.1 to 17.29.4)', () => {
  const stopped = { learn: false, forward: false };
  play(DESIGNATED, [
    {
      name: 'to root: ROOT_PORT',
      given: { selectedRole: 'root' },
      changes: { role: 'root', roleState: 'rootPort', rrWhile: 15 },
      done: ['changed 1: root forwarding'],
    },
    {
      name: 'to alternate: BLOCK_PORT',
      given: { selectedRole: 'alternate' },
      changes: { role: 'alternate', roleState: 'blockPort', ...stopped },
      done: ['changed 1: alternate forwarding'],
    },
    {
      name: 'to backup: BLOCK_PORT',
      given: { selectedRole: 'backup' },
      changes: { role: 'backup', roleState: 'blockPort', ...stopped },
      done: ['changed 1: backup forwarding'],
    },
    {
      name: 'to disabled: DISABLE_PORT',
      given: { selectedRole: 'disabled' },
      changes: { role: 'disabled', roleState: 'disablePort', ...stopped },
      done: ['changed 1: disabled forwarding'],
    },
  ]);
  play(ROOT, [
    {
      name: 'to designated: DESIGNATED_PORT keeps what is forwarded',
      given: { selectedRole: 'designated' },
      changes: { role: 'designated', roleState: 'designatedPort' },
      done: ['changed 1: designated forwarding'],
    },
  ]);
});

test('ports that look at all others are those with the roles root, alternate and backup', () => {
  const bench = new MachineBench();
  const port = bench.addPort(DISABLED);
  for (const [selectedRole, looks] of [
    ['root', true],
    ['designated', false],
    ['alternate', true],
    ['disabled', false],
    ['backup', true],
  ] as const) {
    port.selectedRole = selectedRole;
    assert.equal(portRoleTransitions(port), true);
    assert.equal(bench.bridge.dependents.has(port), looks, selectedRole);
  }
});

test('a disabled port (17.29.1)', () => {
  const disabled = { roleState: 'disabledPort', fdWhile: 20, synced: true, rrWhile: 0, sync: false, reRoot: false };
  play(DISABLED, [
    { name: 'DISABLED_PORT is settled', given: {}, changes: undefined },
    { name: 'fdWhile is MaxAge', given: { fdWhile: 19 }, changes: { fdWhile: 20 } },
    { name: 'sync', given: { sync: true }, changes: { sync: false } },
    { name: 'reRoot', given: { reRoot: true, rrWhile: 9 }, changes: { reRoot: false, rrWhile: 0 } },
    { name: '!synced', given: { synced: false }, changes: { synced: true } },
    {
      name: 'DISABLE_PORT: waits for learning',
      given: { roleState: 'disablePort', learning: true },
      changes: undefined,
    },
    {
      name: 'DISABLE_PORT: waits for forwarding',
      given: { roleState: 'disablePort', forwarding: true },
      changes: undefined,
    },
    {
      name: 'DISABLE_PORT to DISABLED_PORT',
      given: { roleState: 'disablePort', fdWhile: 0, rrWhile: 3, sync: true, reRoot: true, synced: false },
      changes: disabled as Values,
    },
  ]);
});

test('a root port: proposals and agreements (17.29.2)', () => {
  play(ROOT, [
    { name: 'ROOT_PORT is settled', given: {}, changes: undefined },
    { name: 'rrWhile is kept at FwdDelay', given: { rrWhile: 14 }, changes: { rrWhile: 15 } },
    {
      name: 'ROOT_PROPOSED: all ports are to synchronize',
      given: { proposed: true, agree: false },
      other: {},
      changes: { proposed: false, sync: true },
      otherChanges: { sync: true },
    },
    {
      name: 'ROOT_AGREED: another proposal, when it has agreed',
      given: { proposed: true, sync: true },
      other: { synced: false },
      changes: { proposed: false, sync: false, newInfo: true },
    },
    {
      name: 'ROOT_AGREED: all are synchronized',
      given: { agree: false, synced: false, sync: true },
      other: {},
      changes: { agree: true, sync: false, newInfo: true },
    },
    { name: 'a port is not synchronized', given: { agree: false }, other: { synced: false }, changes: undefined },
    { name: 'a port is not selected', given: { agree: false }, other: { selected: false }, changes: undefined },
    { name: 'a port has news to take over', given: { agree: false }, other: { updtInfo: true }, changes: undefined },
    {
      name: 'a port has not taken its role yet',
      given: { agree: false },
      other: { selectedRole: 'alternate' },
      changes: undefined,
    },
    {
      name: 'the ports of other nodes are not synchronized',
      given: { agree: false },
      bridge: { others: otherNodes({ areSynced: () => false }) },
      changes: undefined,
    },
    {
      name: 'the ports of other nodes are synchronized',
      given: { agree: false },
      bridge: { others: otherNodes({}) },
      changes: { agree: true, newInfo: true },
    },
  ]);
});

test('a root port: how it becomes forwarding (17.29.2)', () => {
  const waiting: Values = { ...NOT_FORWARDING, reRoot: true, fdWhile: 9 };
  const learn: Values = { learn: true, fdWhile: 2 };
  play(ROOT, [
    {
      name: 'REROOT: all ports are to give up what they had as root port',
      given: { ...NOT_FORWARDING, fdWhile: 9 },
      other: {},
      changes: { reRoot: true },
      otherChanges: { reRoot: true },
    },
    { name: 'ROOT_LEARN: no other port was a root port lately', given: waiting, other: {}, changes: learn },
    {
      name: 'ROOT_LEARN: forward delay towards a bridge with STP',
      given: { ...waiting, sendRstp: false },
      other: {},
      changes: { learn: true, fdWhile: 15 },
    },
    { name: 'another port was a root port lately', given: waiting, other: { rrWhile: 1 }, changes: undefined },
    { name: 'it was a backup port lately', given: { ...waiting, rbWhile: 1 }, other: {}, changes: undefined },
    { name: 'the bridge speaks STP', given: waiting, other: {}, bridge: { rstpVersion: false }, changes: undefined },
    {
      name: 'a port of another node was a root port lately',
      given: waiting,
      bridge: { others: otherNodes({ areReRooted: () => false }) },
      changes: undefined,
    },
    {
      name: 'ROOT_LEARN: no port of another node was a root port lately',
      given: waiting,
      bridge: { others: otherNodes({}) },
      changes: learn,
    },
    {
      name: 'ROOT_LEARN: forward delay has passed',
      given: { ...waiting, fdWhile: 0, rbWhile: 1 },
      other: { rrWhile: 1 },
      bridge: { rstpVersion: false },
      changes: learn,
    },
    {
      name: 'ROOT_FORWARD',
      given: { ...LEARNING, reRoot: true, fdWhile: 2 },
      other: {},
      changes: { forward: true, fdWhile: 0 },
    },
    {
      name: 'learning, it waits as well',
      given: { ...LEARNING, reRoot: true, fdWhile: 2 },
      other: { rrWhile: 15 },
      changes: undefined,
    },
    { name: 'REROOTED', given: { reRoot: true }, other: { rrWhile: 1 }, changes: { reRoot: false } },
  ]);
});

test('a designated port: how it becomes forwarding (17.29.3)', () => {
  const waiting: Values = { ...NOT_FORWARDING, agreed: false, proposing: true, fdWhile: 9 };
  play(DESIGNATED, [
    { name: 'DESIGNATED_PORT is settled', given: {}, changes: undefined },
    { name: 'it waits for forward delay', given: waiting, changes: undefined },
    {
      name: 'DESIGNATED_PROPOSE',
      given: { ...waiting, proposing: false },
      changes: { proposing: true, edgeDelayWhile: 3, newInfo: true },
    },
    {
      name: 'DESIGNATED_PROPOSE on a shared LAN: EdgeDelay is MaxAge (17.20.4)',
      given: { ...waiting, proposing: false, operPointToPointMac: false },
      changes: { proposing: true, edgeDelayWhile: 20, newInfo: true },
    },
    { name: 'it forwards, so it proposes nothing', given: { agreed: false }, changes: undefined },
    { name: 'DESIGNATED_LEARN: agreed', given: { ...waiting, agreed: true }, changes: { learn: true, fdWhile: 2 } },
    {
      name: 'DESIGNATED_LEARN: an edge port proposes nothing',
      given: { ...waiting, operEdge: true, proposing: false },
      changes: { learn: true, fdWhile: 2 },
    },
    {
      name: 'DESIGNATED_LEARN: forward delay has passed',
      given: { ...waiting, fdWhile: 0 },
      changes: { learn: true, fdWhile: 2 },
    },
    {
      name: 'DESIGNATED_LEARN: forward delay towards a bridge with STP',
      given: { ...waiting, fdWhile: 0, sendRstp: false },
      changes: { learn: true, fdWhile: 15 },
    },
    {
      name: 'reRoot, and it was a root port lately',
      given: { ...waiting, agreed: true, reRoot: true, rrWhile: 1 },
      changes: undefined,
    },
    {
      name: 'DESIGNATED_LEARN: it was a root port lately, and no other one asks',
      given: { ...waiting, agreed: true, rrWhile: 1 },
      changes: { learn: true, fdWhile: 2 },
    },
    {
      name: 'DESIGNATED_FORWARD: the neighbour has agreed, as far as RSTP is spoken',
      given: { ...LEARNING, agreed: false, proposing: true, fdWhile: 0, synced: false },
      changes: { forward: true, agreed: true },
    },
    {
      name: 'DESIGNATED_FORWARD: fdWhile ends, and STP has no agreements',
      given: { ...LEARNING, agreed: true, fdWhile: 9, sendRstp: false },
      changes: { forward: true, fdWhile: 0, agreed: false },
    },
    {
      name: 'learning, it waits as well',
      given: { ...LEARNING, agreed: false, proposing: true, fdWhile: 1, synced: false },
      changes: undefined,
    },
  ]);
});

test('a designated port: synchronization (17.29.3)', () => {
  const synced: Values = { synced: true };
  const alone: Values = { agreed: false, synced: false };
  play(DESIGNATED, [
    {
      name: 'DESIGNATED_SYNCED: neither learning nor forwarding',
      given: { ...NOT_FORWARDING, ...alone, proposing: true, rrWhile: 9, sync: true, fdWhile: 9 },
      changes: { synced: true, rrWhile: 0, sync: false },
    },
    {
      name: 'learning is not synchronized',
      given: { ...LEARNING, ...alone, proposing: true, fdWhile: 1 },
      changes: undefined,
    },
    { name: 'forwarding is not synchronized', given: { ...alone, learning: false }, changes: undefined },
    { name: 'DESIGNATED_SYNCED: agreed', given: { synced: false }, changes: synced },
    { name: 'DESIGNATED_SYNCED: an edge port', given: { ...alone, operEdge: true }, changes: synced },
    { name: 'DESIGNATED_SYNCED: it was synchronized', given: { sync: true }, changes: { sync: false } },
    {
      name: 'DESIGNATED_DISCARD: it must synchronize, and forwards',
      given: { ...alone, sync: true },
      changes: { learn: false, forward: false, fdWhile: 2 },
    },
    {
      name: 'DESIGNATED_DISCARD: it must synchronize, and learns',
      given: { ...LEARNING, ...alone, sync: true, proposing: true, fdWhile: 1 },
      changes: { learn: false, fdWhile: 2 },
    },
    {
      name: 'DESIGNATED_DISCARD: forward delay towards a bridge with STP',
      given: { ...alone, sync: true, sendRstp: false },
      changes: { learn: false, forward: false, fdWhile: 15 },
    },
    {
      name: 'DESIGNATED_DISCARD: it was a root port lately',
      given: { reRoot: true, rrWhile: 1 },
      changes: { learn: false, forward: false, fdWhile: 2 },
    },
    {
      name: 'DESIGNATED_DISCARD: the neighbour disputes (802.1Q-2022, 13.37)',
      given: { disputed: true },
      changes: { learn: false, forward: false, disputed: false, fdWhile: 2 },
    },
    {
      name: 'an edge port discards nothing',
      given: { ...alone, operEdge: true, sync: true },
      changes: { synced: true, sync: false },
    },
    { name: 'an edge port heeds no dispute', given: { operEdge: true, disputed: true }, changes: undefined },
    {
      name: 'a port that discards stays so when disputed',
      given: { ...NOT_FORWARDING, agreed: false, proposing: true, disputed: true, fdWhile: 9 },
      changes: undefined,
    },
    { name: 'DESIGNATED_RETIRED', given: { reRoot: true }, changes: { reRoot: false } },
    {
      name: 'not retired while it was a root port lately, as an edge port',
      given: { reRoot: true, rrWhile: 1, operEdge: true },
      changes: undefined,
    },
  ]);
});

test('an alternate port (17.29.4)', () => {
  play(ALTERNATE, [
    { name: 'ALTERNATE_PORT is settled', given: {}, changes: undefined },
    { name: 'fdWhile is kept at FwdDelay', given: { fdWhile: 14 }, changes: { fdWhile: 15 } },
    { name: 'sync', given: { sync: true }, changes: { sync: false } },
    { name: 'reRoot', given: { reRoot: true, rrWhile: 2 }, changes: { reRoot: false, rrWhile: 0 } },
    { name: '!synced', given: { synced: false }, changes: { synced: true } },
    {
      name: 'BLOCK_PORT to ALTERNATE_PORT',
      given: { roleState: 'blockPort', fdWhile: 0, rrWhile: 3, sync: true, reRoot: true, synced: false },
      changes: { roleState: 'alternatePort', fdWhile: 15, rrWhile: 0, sync: false, reRoot: false, synced: true },
    },
    { name: 'BLOCK_PORT: waits for learning', given: { roleState: 'blockPort', learning: true }, changes: undefined },
    {
      name: 'BLOCK_PORT: waits for forwarding',
      given: { roleState: 'blockPort', forwarding: true },
      changes: undefined,
    },
    {
      name: 'ALTERNATE_PROPOSED: all ports are to synchronize',
      given: { proposed: true, agree: false },
      other: {},
      changes: { proposed: false, sync: true },
      otherChanges: { sync: true },
    },
    {
      name: 'ALTERNATE_AGREED: another proposal, when it has agreed',
      given: { proposed: true },
      other: { synced: false },
      changes: { proposed: false, newInfo: true },
    },
    {
      name: 'ALTERNATE_AGREED: all are synchronized',
      given: { agree: false },
      other: {},
      changes: { agree: true, newInfo: true },
    },
    { name: 'a port is not synchronized', given: { agree: false }, other: { synced: false }, changes: undefined },
    { name: 'an alternate port holds no rbWhile', given: { rbWhile: 1 }, changes: undefined },
  ]);
  play(BACKUP, [
    { name: 'BACKUP_PORT is settled', given: {}, changes: undefined },
    { name: 'BACKUP_PORT: rbWhile is kept at two hello times', given: { rbWhile: 3 }, changes: { rbWhile: 4 } },
    { name: 'a backup port settles as an alternate port', given: { fdWhile: 14 }, changes: { fdWhile: 15 } },
  ]);
});

test('demands to all ports reach the other nodes of a shared bridge', () => {
  for (const [given, expected] of [
    [{ ...ROOT, proposed: true, agree: false }, ['sync']],
    [{ ...ALTERNATE, proposed: true, agree: false }, ['sync']],
    [{ ...ROOT, ...NOT_FORWARDING, fdWhile: 9 }, ['reRoot']],
  ] as const) {
    const demands: string[] = [];
    const bench = new MachineBench({ others: otherNodes({}, demands) });
    assert.equal(portRoleTransitions(bench.addPort(given)), true);
    assert.deepEqual(demands, expected);
  }
});
