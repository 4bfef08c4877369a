import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesBetween, MachineBench, playTransitions, type Values } from '../../../test/support/state-machine.ts';
import { beginBridgeDetection, bridgeDetection } from './bridge-detection.ts';
import { beginPortProtocolMigration, portProtocolMigration } from './port-protocol-migration.ts';
import { beginPortReceive, portReceive } from './port-receive.ts';
import { beginPortStateTransition, portStateTransition } from './port-state-transition.ts';
import { portTimers } from './port-timers.ts';
import type { PortVariables } from './variables.ts';

// The smaller state machines of a port (IEEE 802.1D-2004, 17.22 to 17.25 and 17.30).

/** What BEGIN sets, compared with a port that is unlike it. */
function begun(begin: (port: PortVariables) => void, before: Values, rstpVersion = true) {
  const bench = new MachineBench({ rstpVersion });
  const port = bench.addPort(before);
  const old = { ...port } as Values;
  begin(port);
  return { changes: changesBetween(old, port), done: bench.done };
}

test('each timer of a port counts down to 0 once a second, received times with fractions, too (17.22)', () => {
  const timers = [
    ...(['helloWhen', 'tcWhile', 'fdWhile', 'rcvdInfoWhile', 'rrWhile', 'rbWhile', 'mdelayWhile'] as const),
    ...(['edgeDelayWhile', 'txCount', 'tcHeardWhile'] as const),
  ];
  const port = new MachineBench().addPort({});
  for (const [at, timer] of timers.entries()) port[timer] = at + 0.5;
  const before = { ...port } as Values;
  portTimers(port);
  assert.deepEqual(
    changesBetween(before, port),
    Object.fromEntries(timers.map((timer, at) => [timer, Math.max(0, at - 0.5)])),
  );
});

test('Port Receive takes one BPDU at a time, and none at a port that is disabled (17.23)', () => {
  const settled: Values = { portEnabled: true, receiveState: 'receive', edgeDelayWhile: 1, operEdge: true };
  const heard: Values = { rcvdBpdu: false, rcvdMsg: true, edgeDelayWhile: 3, operEdge: false };
  const rst = { message: { type: 'rst' } } as unknown as Values;
  const config = { message: { type: 'config' } } as unknown as Values;
  playTransitions(portReceive, { port: settled, other: {} }, [
    { name: 'nothing was received', given: {}, changes: undefined },
    { name: 'RECEIVE: an RST BPDU', given: { ...rst, rcvdBpdu: true }, changes: { ...heard, rcvdRstp: true } },
    {
      name: 'RECEIVE: a Configuration BPDU',
      given: { ...config, rcvdBpdu: true },
      changes: { ...heard, rcvdStp: true },
    },
    { name: 'RECEIVE: a TCN BPDU', given: { rcvdBpdu: true }, changes: { ...heard, rcvdStp: true } },
    {
      name: 'DISCARD to RECEIVE',
      given: { ...rst, receiveState: 'discard', rcvdBpdu: true },
      changes: { ...heard, receiveState: 'receive', rcvdRstp: true },
    },
    { name: 'the last BPDU has not been used yet', given: { rcvdBpdu: true, rcvdMsg: true }, changes: undefined },
    {
      name: 'DISCARD: the port is disabled, and EdgeDelay starts',
      given: { portEnabled: false, rcvdMsg: true },
      changes: { receiveState: 'discard', rcvdMsg: false, edgeDelayWhile: 3 },
    },
    {
      name: 'DISCARD: the port is disabled, and a BPDU was received',
      given: { portEnabled: false, rcvdBpdu: true, rcvdRstp: true, rcvdStp: true, edgeDelayWhile: 3 },
      changes: { receiveState: 'discard', rcvdBpdu: false, rcvdRstp: false, rcvdStp: false },
    },
    {
      name: 'the port is disabled',
      given: { portEnabled: false, receiveState: 'discard', edgeDelayWhile: 3 },
      changes: undefined,
    },
  ]);
  const before = { receiveState: 'receive', rcvdBpdu: true, rcvdRstp: true, rcvdStp: true, rcvdMsg: true } as const;
  const nothing = { rcvdBpdu: false, rcvdRstp: false, rcvdStp: false, rcvdMsg: false };
  assert.deepEqual(begun(beginPortReceive, before).changes, { receiveState: 'discard', ...nothing, edgeDelayWhile: 3 });
});

test('Port Protocol Migration follows the version of the neighbour, each for Migrate Time at least (17.24)', () => {
  const sensing: Values = { portEnabled: true, migrationState: 'sensing' };
  const checking: Values = { portEnabled: true, migrationState: 'checkingRstp', mdelayWhile: 2 };
  const selecting: Values = { portEnabled: true, migrationState: 'selectingStp', mdelayWhile: 2, sendRstp: false };
  const check: Values = { migrationState: 'checkingRstp', mdelayWhile: 3 };
  const heard: Values = { rcvdRstp: true, rcvdStp: true };
  const sense: Values = { migrationState: 'sensing', rcvdRstp: false, rcvdStp: false };
  playTransitions(portProtocolMigration, { port: sensing, other: {} }, [
    { name: 'SENSING', given: {}, changes: undefined },
    { name: 'RSTP is heard, and spoken', given: { rcvdRstp: true }, changes: undefined },
    {
      name: 'SELECTING_STP',
      given: { rcvdStp: true },
      changes: { migrationState: 'selectingStp', sendRstp: false, mdelayWhile: 3 },
    },
    { name: 'STP is heard, and spoken', given: { rcvdStp: true, sendRstp: false }, changes: undefined },
    {
      name: 'CHECKING_RSTP: RSTP is heard, and STP spoken',
      given: { rcvdRstp: true, sendRstp: false },
      changes: { ...check, sendRstp: true },
    },
    {
      name: 'RSTP is heard, and this bridge speaks STP only',
      given: { rcvdRstp: true, sendRstp: false },
      bridge: { rstpVersion: false },
      changes: undefined,
    },
    { name: 'CHECKING_RSTP: the port is disabled', given: { portEnabled: false }, changes: check },
    {
      name: 'CHECKING_RSTP: mcheck',
      given: { mcheck: true, sendRstp: false },
      changes: { ...check, mcheck: false, sendRstp: true },
    },
    {
      name: 'CHECKING_RSTP: a bridge with STP stays with it',
      given: { mcheck: true, sendRstp: false },
      bridge: { rstpVersion: false },
      changes: { ...check, mcheck: false },
    },
  ]);
  playTransitions(portProtocolMigration, { port: checking, other: {} }, [
    { name: 'CHECKING_RSTP: what is heard is ignored for Migrate Time', given: heard, changes: undefined },
    { name: 'CHECKING_RSTP to SENSING', given: { ...heard, mdelayWhile: 0 }, changes: sense },
    {
      name: 'Migrate Time starts again while the port is disabled',
      given: { portEnabled: false },
      changes: { mdelayWhile: 3 },
    },
    { name: 'it has started', given: { portEnabled: false, mdelayWhile: 3 }, changes: undefined },
  ]);
  playTransitions(portProtocolMigration, { port: selecting, other: {} }, [
    { name: 'SELECTING_STP: what is heard is ignored for Migrate Time', given: heard, changes: undefined },
    { name: 'SELECTING_STP to SENSING', given: { ...heard, mdelayWhile: 0 }, changes: sense },
    { name: 'SELECTING_STP to SENSING: disabled', given: { ...heard, portEnabled: false }, changes: sense },
    { name: 'SELECTING_STP to SENSING: mcheck', given: { ...heard, mcheck: true }, changes: sense },
  ]);
  for (const rstpVersion of [true, false]) {
    const before: Values = { migrationState: 'sensing', mcheck: true, sendRstp: !rstpVersion };
    assert.deepEqual(begun(beginPortProtocolMigration, before, rstpVersion).changes, {
      ...check,
      mcheck: false,
      sendRstp: rstpVersion,
    });
  }
});

test('Bridge Detection finds edge ports by silence, or by what the operator says (17.25)', () => {
  const silent: Values = { portEnabled: true, proposing: true };
  const edge: Values = { operEdge: true };
  playTransitions(bridgeDetection, { port: silent, other: {} }, [
    { name: 'EDGE: silent for EdgeDelay, while it proposes', given: {}, changes: edge },
    { name: 'EdgeDelay has not passed', given: { edgeDelayWhile: 1 }, changes: undefined },
    { name: 'the operator does not allow it', given: { autoEdge: false }, changes: undefined },
    { name: 'bridges with STP do not answer proposals', given: { sendRstp: false }, changes: undefined },
    { name: 'it does not propose', given: { proposing: false }, changes: undefined },
    {
      name: 'adminEdge has its effect while the port is disabled',
      given: { adminEdge: true, edgeDelayWhile: 1 },
      changes: undefined,
    },
    { name: 'EDGE: the operator says so', given: { portEnabled: false, adminEdge: true }, changes: edge },
    { name: 'disabled', given: { portEnabled: false }, changes: undefined },
    { name: 'an edge port stays one', given: { operEdge: true, edgeDelayWhile: 3 }, changes: undefined },
    { name: 'NOT_EDGE: disabled', given: { operEdge: true, portEnabled: false }, changes: { operEdge: false } },
    {
      name: 'EDGE, though disabled, as the operator says',
      given: { operEdge: true, portEnabled: false, adminEdge: true },
      changes: undefined,
    },
  ]);
  assert.deepEqual(begun(beginBridgeDetection, { adminEdge: true }).changes, { operEdge: true });
  assert.deepEqual(begun(beginBridgeDetection, { operEdge: true }).changes, { operEdge: false });
});

test('Port State Transition goes by learning to forwarding, and at once to discarding (17.30)', () => {
  const role: Values = { role: 'designated' };
  const learning: Values = { learn: true, learning: true };
  const forwarding: Values = { ...learning, forward: true, forwarding: true };
  const told = (state: string) => [`changed 1: designated ${state}`];
  playTransitions(portStateTransition, { port: role, other: {} }, [
    { name: 'DISCARDING', given: {}, changes: undefined },
    { name: 'LEARNING', given: { learn: true }, changes: { learning: true }, done: told('learning') },
    {
      name: 'LEARNING before FORWARDING',
      given: { learn: true, forward: true },
      changes: { learning: true },
      done: told('learning'),
    },
    { name: 'stays LEARNING', given: learning, changes: undefined },
    {
      name: 'FORWARDING',
      given: { ...learning, forward: true },
      changes: { forwarding: true },
      done: told('forwarding'),
    },
    { name: 'stays FORWARDING', given: forwarding, changes: undefined },
    {
      name: 'LEARNING to DISCARDING',
      given: { learning: true },
      changes: { learning: false },
      done: told('discarding'),
    },
    {
      name: 'FORWARDING to DISCARDING',
      given: { ...forwarding, forward: false },
      changes: { learning: false, forwarding: false },
      done: told('discarding'),
    },
  ]);
  const { changes, done } = begun(beginPortStateTransition, { ...role, learning: true, forwarding: true });
  assert.deepEqual([changes, done], [{ learning: false, forwarding: false }, told('discarding')]);
});
