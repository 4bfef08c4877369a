import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changesBetween,
  idOf,
  MachineBench,
  playTransitions,
  TIMES,
  type Values,
  vectorOf,
} from '../../../test/support/state-machine.ts';
import type { ConfigurationMessage } from '../../wire/bpdu/bpdu.ts';
import { beginPortInformation, portInformation } from './port-information.ts';
import type { PriorityVector } from './priority-vector.ts';

const OWN = vectorOf(8, 0, 8, 0x8001);
/** What the neighbour has said. */
const HEARD = vectorOf(2, 20_000, 4, 0x8003);
const HEARD_TIMES = { ...TIMES, messageAge: 1 };
const MINE: Values = {
  ...{ portEnabled: true, selected: true, informationState: 'current', infoIs: 'mine' },
  ...{ portPriority: OWN, designatedPriority: OWN, portTimes: TIMES, designatedTimes: TIMES },
};
const RECEIVED: Values = {
  ...{ ...MINE, infoIs: 'received', rcvdInfoWhile: 6, portPriority: HEARD, portTimes: HEARD_TIMES },
  designatedPriority: vectorOf(2, 40_000, 8, 0x8001),
};
const RESELECT: Values = { reselect: true, selected: false };

const DESIGNATED = 0x0c;
const ROOT = 0x08;
const ALTERNATE = 0x04;
const [TC, PROPOSAL, LEARNING, AGREEMENT, TC_ACK] = [0x01, 0x02, 0x10, 0x40, 0x80];

function message(flags: number, vector: PriorityVector, change: Partial<ConfigurationMessage> = {}): Values {
  return { rcvdMsg: true, message: { type: 'rst', flags, ...vector, ...HEARD_TIMES, ...change } };
}

test('BEGIN: DISABLED has no information (17.27)', () => {
  const port = new MachineBench().addPort({ ...RECEIVED, rcvdMsg: true });
  beginPortInformation(port);
  assert.deepEqual(
    [port.informationState, port.infoIs, port.rcvdMsg, port.reselect],
    ['disabled', 'disabled', false, true],
  );
});

test('DISABLED, AGED and CURRENT (17.27)', () => {
  const disabled: Values = { portEnabled: false, informationState: 'disabled', infoIs: 'disabled' };
  const aged: Values = { informationState: 'aged', infoIs: 'aged' };
  const all: Values = { proposing: true, proposed: true, agree: true, agreed: true, disputed: true };
  const none: Values = { proposing: false, proposed: false, agree: false, agreed: false, disputed: false };
  playTransitions(portInformation, { port: RECEIVED, other: {} }, [
    { name: 'DISABLED', given: disabled, changes: undefined },
    {
      name: 'DISABLED: what was received is dropped',
      given: { ...disabled, rcvdMsg: true },
      changes: { rcvdMsg: false, rcvdInfoWhile: 0, ...RESELECT },
    },
    { name: 'DISABLED to AGED', given: { ...disabled, portEnabled: true }, changes: { ...aged, ...RESELECT } },
    {
      name: 'CURRENT to DISABLED',
      given: { portEnabled: false, ...all, rcvdMsg: true },
      changes: {
        informationState: 'disabled',
        infoIs: 'disabled',
        ...none,
        rcvdMsg: false,
        rcvdInfoWhile: 0,
        ...RESELECT,
      },
    },
    {
      name: 'AGED to DISABLED',
      given: { portEnabled: false, ...aged },
      changes: { informationState: 'disabled', infoIs: 'disabled', rcvdInfoWhile: 0, ...RESELECT },
    },
    { name: 'AGED: nothing is to be updated', given: aged, changes: undefined },
    { name: 'AGED: roles are being selected', given: { ...aged, updtInfo: true, selected: false }, changes: undefined },
    {
      name: 'AGED to UPDATE',
      given: { ...aged, updtInfo: true },
      changes: {
        ...{ informationState: 'current', infoIs: 'mine', updtInfo: false, newInfo: true },
        ...{ portPriority: vectorOf(2, 40_000, 8, 0x8001), portTimes: TIMES },
      },
    },
    { name: 'CURRENT', given: {}, changes: undefined },
    { name: 'CURRENT to AGED', given: { rcvdInfoWhile: 0 }, changes: { ...aged, ...RESELECT } },
    { name: 'own information does not age', given: { rcvdInfoWhile: 0, infoIs: 'mine' }, changes: undefined },
    {
      name: 'no ageing before the update',
      given: { rcvdInfoWhile: 0, updtInfo: true, selected: false },
      changes: undefined,
    },
    {
      name: 'no message before the update',
      given: { ...message(DESIGNATED, vectorOf(1, 0, 1)), updtInfo: true, selected: false },
      changes: undefined,
    },
  ]);
});

test('UPDATE keeps an agreement as long as the information does not become worse (17.27, 17.21.1)', () => {
  const given: Values = { updtInfo: true, agreed: true, synced: true, proposing: true, proposed: true };
  const updated: Values = { updtInfo: false, newInfo: true, proposing: false, proposed: false };
  const lost: Values = { ...updated, agreed: false, synced: false };
  const [better, worse] = [vectorOf(2, 40_000, 8, 0x8001), vectorOf(8, 1, 8, 0x8001)];
  playTransitions(portInformation, { port: MINE, other: {} }, [
    { name: 'the same', given, changes: updated },
    {
      name: 'the same with other times',
      given: { ...given, designatedTimes: { ...TIMES, maxAge: 30 } },
      changes: { ...updated, portTimes: { ...TIMES, maxAge: 30 } },
    },
    { name: 'better', given: { ...given, designatedPriority: better }, changes: { ...updated, portPriority: better } },
    { name: 'worse', given: { ...given, designatedPriority: worse }, changes: { ...lost, portPriority: worse } },
    { name: 'without agreement', given: { ...given, agreed: false }, changes: { ...updated, synced: false } },
    { name: 'not synchronized', given: { ...given, synced: false }, changes: updated },
    {
      name: 'it was received before',
      given: { ...given, infoIs: 'received', portPriority: HEARD, designatedPriority: better },
      changes: { ...lost, infoIs: 'mine', portPriority: better },
    },
    { name: 'received, and better', given: { ...given, infoIs: 'received' }, changes: { ...lost, infoIs: 'mine' } },
  ]);
});

test('a superior message of a designated port is recorded, and roles are selected anew (17.21.8, SUPERIOR_DESIGNATED)', () => {
  const better = vectorOf(1, 0, 1);
  const taken: Values = { rcvdMsg: false, portPriority: better, ...RESELECT };
  const first: Values = { ...taken, infoIs: 'received', portTimes: HEARD_TIMES, rcvdInfoWhile: 6 };
  playTransitions(portInformation, { port: MINE, other: {} }, [
    { name: 'the first message', given: message(DESIGNATED, better), changes: first },
    {
      name: 'agreements of before count no longer',
      given: { ...message(DESIGNATED, better), agreed: true, synced: true, proposing: true, agree: true },
      changes: { ...first, agreed: false, synced: false, proposing: false, agree: false },
    },
    {
      name: 'a Configuration BPDU',
      given: message(TC | TC_ACK, better, { type: 'config' }),
      changes: { ...first, rcvdTc: true, rcvdTcAck: true },
    },
    { name: 'a proposal', given: message(DESIGNATED | PROPOSAL, better), changes: { ...first, proposed: true } },
    {
      name: 'a Configuration BPDU proposes nothing',
      given: message(PROPOSAL, better, { type: 'config' }),
      changes: first,
    },
    {
      name: 'an agreement',
      given: { ...message(DESIGNATED | AGREEMENT, better), synced: true },
      changes: { ...first, agreed: true },
    },
    {
      name: 'a Configuration BPDU agrees to nothing',
      given: message(AGREEMENT, better, { type: 'config' }),
      changes: first,
    },
    {
      name: 'a short Hello Time is 1 s',
      given: message(DESIGNATED, better, { helloTime: 0.5 }),
      changes: { ...first, portTimes: { ...HEARD_TIMES, helloTime: 1 }, rcvdInfoWhile: 3 },
    },
    {
      name: 'the greatest age counts (17.21.23)',
      given: message(DESIGNATED, better, { messageAge: 19 }),
      changes: { ...first, portTimes: { ...TIMES, messageAge: 19 } },
    },
    {
      name: 'too old for a bridge behind this one (17.21.23)',
      given: { ...message(DESIGNATED, better, { messageAge: 20 }), rcvdInfoWhile: 4 },
      changes: { ...first, portTimes: { ...TIMES, messageAge: 20 }, rcvdInfoWhile: 0 },
    },
    {
      name: 'other times are recorded',
      given: message(DESIGNATED, better, { maxAge: 30, helloTime: 3, forwardDelay: 20 }),
      changes: { ...first, portTimes: { messageAge: 1, maxAge: 30, helloTime: 3, forwardDelay: 20 }, rcvdInfoWhile: 9 },
    },
  ]);
  const worse = vectorOf(3, 20_000, 4, 0x8003);
  const renewed = { rcvdMsg: false, ...RESELECT };
  playTransitions(portInformation, { port: { ...RECEIVED, rcvdInfoWhile: 1, agree: true }, other: {} }, [
    {
      name: 'a better one keeps the own agreement',
      given: message(DESIGNATED, better),
      changes: { ...taken, rcvdInfoWhile: 6 },
    },
    {
      name: 'a worse one of the same designated port counts, and ends the own agreement (17.6)',
      given: message(DESIGNATED, worse),
      changes: { ...renewed, portPriority: worse, agree: false, rcvdInfoWhile: 6 },
    },
    {
      name: 'so does one of the same port with another priority',
      given: message(DESIGNATED, vectorOf(2, 20_000, 4, 0x9003)),
      changes: { ...renewed, portPriority: vectorOf(2, 20_000, 4, 0x9003), agree: false, rcvdInfoWhile: 6 },
    },
    {
      name: 'so does one of the same bridge with another priority',
      given: message(DESIGNATED, { ...HEARD, bridgeId: (idOf(4) + (1n << 60n)) as never }),
      changes: {
        ...renewed,
        portPriority: { ...HEARD, bridgeId: (idOf(4) + (1n << 60n)) as never },
        agree: false,
        rcvdInfoWhile: 6,
      },
    },
    {
      name: 'the same with other times is new',
      given: message(DESIGNATED, HEARD, { forwardDelay: 16 }),
      changes: { ...renewed, portTimes: { ...HEARD_TIMES, forwardDelay: 16 }, rcvdInfoWhile: 6 },
    },
  ]);
});

test('a repeated message of a designated port counts on, and changes no role (REPEATED_DESIGNATED)', () => {
  const repeated: Values = { rcvdMsg: false, rcvdInfoWhile: 6 };
  playTransitions(portInformation, { port: { ...RECEIVED, rcvdInfoWhile: 1 }, other: {} }, [
    { name: 'the same', given: message(DESIGNATED, HEARD), changes: repeated },
    { name: 'a proposal', given: message(DESIGNATED | PROPOSAL, HEARD), changes: { ...repeated, proposed: true } },
    {
      name: 'topology change',
      given: message(DESIGNATED | TC | TC_ACK, HEARD),
      changes: { ...repeated, rcvdTc: true, rcvdTcAck: true },
    },
    {
      name: 'an agreement',
      given: { ...message(DESIGNATED | AGREEMENT, HEARD), proposing: true },
      changes: { ...repeated, agreed: true, proposing: false },
    },
    {
      name: 'none any more',
      given: { ...message(DESIGNATED, HEARD), agreed: true },
      changes: { ...repeated, agreed: false },
    },
    {
      name: 'own agreement and synchronization stay',
      given: { ...message(DESIGNATED, HEARD), agree: true, synced: true },
      changes: repeated,
    },
  ]);
});

test('an inferior message of a designated port that learns is a dispute (802.1Q-2022, 13.29.15)', () => {
  const disputed: Values = { rcvdMsg: false, disputed: true, agreed: false };
  const worse = vectorOf(9, 0, 9);
  playTransitions(portInformation, { port: { ...MINE, agreed: true }, other: {} }, [
    { name: 'it learns', given: message(DESIGNATED | LEARNING, worse), changes: disputed },
    { name: 'it discards', given: message(DESIGNATED, worse), changes: { rcvdMsg: false } },
    {
      name: 'STP says nothing of it',
      given: message(LEARNING, worse, { type: 'config' }),
      changes: { rcvdMsg: false },
    },
    { name: 'the port hears itself', given: message(ROOT, OWN), changes: disputed },
    {
      name: 'another port of this bridge is heard: the lower number is better',
      given: message(DESIGNATED | LEARNING, vectorOf(8, 0, 8, 0x8002)),
      changes: disputed,
    },
    {
      name: 'another port of this bridge that discards is no loop',
      given: message(DESIGNATED, vectorOf(8, 0, 8, 0x8002)),
      changes: { rcvdMsg: false },
    },
  ]);
});

test('what a root, alternate or backup port says is an agreement, unless it is superior (NOT_DESIGNATED)', () => {
  const rest: Values = { rcvdMsg: false };
  const worse = vectorOf(8, 20_000, 9);
  playTransitions(portInformation, { port: { ...MINE, proposing: true }, other: {} }, [
    ...[ROOT, ALTERNATE].map((role) => ({
      name: `an agreement of role ${role >> 2}`,
      given: message(role | AGREEMENT, worse),
      changes: { ...rest, agreed: true, proposing: false },
    })),
    { name: 'none', given: { ...message(ROOT, worse), agreed: true }, changes: { ...rest, agreed: false } },
    {
      name: 'on a shared LAN all would have to agree',
      given: { ...message(ROOT | AGREEMENT, worse), operPointToPointMac: false },
      changes: rest,
    },
    {
      name: 'a bridge with STP has no agreements',
      given: message(ROOT | AGREEMENT, worse),
      bridge: { rstpVersion: false },
      changes: rest,
    },
    {
      name: 'topology change',
      given: message(ROOT | TC | TC_ACK, worse),
      changes: { ...rest, rcvdTc: true, rcvdTcAck: true },
    },
    { name: 'OTHER: a superior one', given: message(ROOT | AGREEMENT | TC, vectorOf(1, 0, 1)), changes: rest },
    { name: 'OTHER: no role', given: message(AGREEMENT | TC, worse), changes: rest },
    {
      name: 'a TCN BPDU is noted (802.1Q-2022, 13.29.13)',
      given: { rcvdMsg: true, message: { type: 'tcn' } },
      changes: { ...rest, rcvdTcn: true },
    },
  ]);
});

test('a port that asks for new roles is among those whose machines run', () => {
  const bench = new MachineBench();
  const port = bench.addPort({ ...RECEIVED, rcvdInfoWhile: 0 });
  const before = { ...port } as Values;
  assert.equal(portInformation(port), true);
  assert.equal(changesBetween(before, port)['reselect'], true);
  assert.ok(bench.bridge.pending.has(port));
});
