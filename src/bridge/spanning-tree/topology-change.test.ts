import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changesBetween,
  MachineBench,
  otherNodes,
  playTransitions,
  TIMES,
  type Values,
} from '../../../test/support/state-machine.ts';
import { beginTopologyChange, topologyChange } from './topology-change.ts';

const ACTIVE: Values = {
  ...{ topologyState: 'active', portEnabled: true, selected: true, role: 'designated', selectedRole: 'designated' },
  ...{ learn: true, learning: true, forward: true, forwarding: true },
};
const settled = { port: ACTIVE, other: ACTIVE };
const HEARD = ['topology change 1: heard'];

test('BEGIN: INACTIVE has no addresses, and no topology change (17.31)', () => {
  const bench = new MachineBench();
  const port = bench.addPort({ ...ACTIVE, tcWhile: 3, tcAck: true });
  const before = { ...port } as Values;
  beginTopologyChange(port);
  assert.deepEqual(changesBetween(before, port), { topologyState: 'inactive', tcWhile: 0, tcAck: false });
  assert.deepEqual(bench.done, ['flush 1']);
});

test('a port becomes active when it forwards, which is a topology change, and inactive without learning (17.31)', () => {
  const detected: Values = { topologyState: 'active', tcWhile: 3, newInfo: true };
  const done = ['topology change 1: detected'];
  const blocked: Values = { role: 'alternate', learn: false, learning: false, forward: false, forwarding: false };
  const given: Values = { topologyState: 'learning' };
  playTransitions(topologyChange, settled, [
    { name: 'INACTIVE', given: { topologyState: 'inactive', learn: false }, changes: undefined },
    {
      name: 'INACTIVE to LEARNING',
      given: { topologyState: 'inactive', tcWhile: 1 },
      changes: { topologyState: 'learning' },
    },
    {
      name: 'LEARNING forgets what it has heard',
      given: { topologyState: 'inactive', rcvdTc: true, rcvdTcn: true, rcvdTcAck: true, tcProp: true },
      changes: { topologyState: 'learning', rcvdTc: false, rcvdTcn: false, rcvdTcAck: false, tcProp: false },
    },
    ...(['rcvdTc', 'rcvdTcn', 'rcvdTcAck', 'tcProp'] as const).map((name) => ({
      name: `LEARNING: ${name}`,
      given: { ...given, [name]: true },
      changes: { [name]: false },
    })),
    { name: 'DETECTED: a designated port', given, other: {}, changes: detected, otherChanges: { tcProp: true }, done },
    {
      name: 'DETECTED: a root port',
      given: { ...given, role: 'root' },
      other: {},
      changes: detected,
      otherChanges: { tcProp: true },
      done,
    },
    {
      name: 'DETECTED towards STP: a TCN BPDU tells it',
      given: { ...given, sendRstp: false },
      changes: { ...detected, tcWhile: 35 },
      done,
    },
    { name: 'an edge port is no topology change', given: { ...given, operEdge: true }, changes: undefined },
    { name: 'a port that learns is none', given: { ...given, forward: false }, changes: undefined },
    { name: 'an alternate port is none', given: { ...given, role: 'alternate' }, changes: undefined },
    {
      name: 'LEARNING to INACTIVE',
      given: { ...given, ...blocked, tcWhile: 3, tcAck: true },
      changes: { topologyState: 'inactive', tcWhile: 0, tcAck: false },
      done: ['flush 1'],
    },
    { name: 'not while it is still learning', given: { ...given, ...blocked, learning: true }, changes: undefined },
    { name: 'not while it is to learn', given: { ...given, ...blocked, learn: true }, changes: undefined },
    { name: 'not a designated port', given: { ...given, ...blocked, role: 'designated' }, changes: undefined },
    { name: 'not a root port', given: { ...given, ...blocked, role: 'root' }, changes: undefined },
    { name: 'ACTIVE', given: {}, changes: undefined },
    { name: 'ACTIVE: a root port', given: { role: 'root' }, changes: undefined },
    { name: 'ACTIVE to LEARNING: another role', given: { role: 'alternate' }, changes: { topologyState: 'learning' } },
    { name: 'ACTIVE to LEARNING: an edge port', given: { operEdge: true }, changes: { topologyState: 'learning' } },
  ]);
});

test('a topology change that is heard goes on to all other ports, whose addresses are forgotten (17.31)', () => {
  const otherChanges = { tcProp: true };
  playTransitions(topologyChange, settled, [
    {
      name: 'NOTIFIED_TCN: the port tells it, and acknowledges',
      given: { rcvdTcn: true, rcvdTc: true },
      other: {},
      changes: { rcvdTcn: false, rcvdTc: false, tcWhile: 3, newInfo: true, tcAck: true, tcHeardWhile: 3 },
      otherChanges,
      done: HEARD,
    },
    {
      name: 'NOTIFIED_TC: a designated port acknowledges',
      given: { rcvdTc: true },
      other: {},
      changes: { rcvdTc: false, tcAck: true, tcHeardWhile: 3 },
      otherChanges,
      done: HEARD,
    },
    {
      name: 'NOTIFIED_TC: a root port acknowledges nothing',
      given: { rcvdTc: true, role: 'root' },
      other: {},
      changes: { rcvdTc: false, tcHeardWhile: 3 },
      otherChanges,
      done: HEARD,
    },
    {
      name: 'the same change is reported once',
      given: { rcvdTc: true, role: 'root', tcHeardWhile: 1 },
      other: {},
      changes: { rcvdTc: false, tcHeardWhile: 3 },
      otherChanges,
    },
    {
      name: 'PROPAGATING',
      given: { tcProp: true },
      other: {},
      changes: { tcProp: false, tcWhile: 3, newInfo: true },
      done: ['flush 1'],
    },
    {
      name: 'PROPAGATING: tcWhile runs on',
      given: { tcProp: true, tcWhile: 1 },
      changes: { tcProp: false },
      done: ['flush 1'],
    },
    {
      name: 'PROPAGATING towards STP: for MaxAge and FwdDelay of the root, and by a TCN BPDU at the root port alone',
      given: { tcProp: true, sendRstp: false },
      bridge: { rootTimes: { ...TIMES, maxAge: 30, forwardDelay: 17 } },
      changes: { tcProp: false, tcWhile: 47 },
      done: ['flush 1'],
    },
    { name: 'ACKNOWLEDGED', given: { rcvdTcAck: true, tcWhile: 30 }, changes: { rcvdTcAck: false, tcWhile: 0 } },
  ]);
});

test('other nodes of a shared bridge are told of a topology change', () => {
  for (const given of [{ rcvdTc: true }, { topologyState: 'learning' } as const]) {
    const demands: string[] = [];
    const bench = new MachineBench({ others: otherNodes({}, demands) });
    topologyChange(bench.addPort({ ...ACTIVE, ...given }));
    assert.deepEqual(demands, ['topology change']);
  }
});
