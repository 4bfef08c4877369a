import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changesBetween,
  MachineBench,
  playTransitions,
  TIMES,
  type Values,
  vectorOf,
} from '../../../test/support/state-machine.ts';
import { beginPortTransmit, portTransmit } from './port-transmit.ts';

const DESIGNATED: Values = {
  ...{ portEnabled: true, selected: true, role: 'designated', selectedRole: 'designated', helloWhen: 1 },
  designatedPriority: vectorOf(1, 20_000, 8, 0x8001),
  designatedTimes: { ...TIMES, messageAge: 1 },
};
const settled = { port: DESIGNATED, other: {} };

test('BEGIN: TRANSMIT_INIT has something to tell (17.26)', () => {
  const port = new MachineBench().addPort({ txCount: 5 });
  const before = { ...port } as Values;
  beginPortTransmit(port);
  assert.deepEqual(changesBetween(before, port), { newInfo: true, txCount: 0, helloWhen: 2 });
});

test('when BPDUs are sent, and of which type (17.26)', () => {
  const done = ['transmit 1'];
  const sent: Values = { newInfo: false, helloWhen: 2, txCount: 1 };
  const news: Values = { newInfo: true, tcAck: true };
  playTransitions(portTransmit, settled, [
    { name: 'IDLE', given: {}, changes: undefined },
    { name: 'TRANSMIT_RSTP', given: news, changes: { ...sent, tcAck: false }, done },
    { name: 'TRANSMIT_CONFIG', given: { ...news, sendRstp: false }, changes: { ...sent, tcAck: false }, done },
    { name: 'TRANSMIT_TCN', given: { ...news, sendRstp: false, role: 'root' }, changes: sent, done },
    {
      name: 'an alternate port says nothing to STP',
      given: { ...news, sendRstp: false, role: 'alternate' },
      changes: undefined,
    },
    {
      name: 'an alternate port agrees',
      given: { ...news, role: 'alternate' },
      changes: { ...sent, tcAck: false },
      done,
    },
    { name: 'below Transmit Hold Count', given: { newInfo: true, txCount: 5 }, changes: { ...sent, txCount: 6 }, done },
    { name: 'Transmit Hold Count', given: { newInfo: true, txCount: 6 }, changes: undefined },
    { name: 'TRANSMIT_PERIODIC: a designated port', given: { helloWhen: 0 }, changes: { helloWhen: 2, newInfo: true } },
    { name: 'TRANSMIT_PERIODIC: a root port', given: { helloWhen: 0, role: 'root' }, changes: { helloWhen: 2 } },
    {
      name: 'TRANSMIT_PERIODIC: a root port during a topology change',
      given: { helloWhen: 0, role: 'root', tcWhile: 1 },
      changes: { helloWhen: 2, newInfo: true },
    },
    {
      name: 'TRANSMIT_PERIODIC: an alternate port',
      given: { helloWhen: 0, role: 'alternate', tcWhile: 1 },
      changes: { helloWhen: 2 },
    },
    {
      name: 'TRANSMIT_PERIODIC: what is to be told stays so',
      given: { helloWhen: 0, role: 'alternate', newInfo: true },
      changes: { helloWhen: 2 },
    },
    { name: 'a disabled port', given: { role: 'disabled', newInfo: true, helloWhen: 0 }, changes: undefined },
    { name: 'roles are being selected', given: { selected: false, newInfo: true, helloWhen: 0 }, changes: undefined },
    { name: 'updtInfo', given: { updtInfo: true, newInfo: true, helloWhen: 0 }, changes: undefined },
  ]);
});

test('what an RST BPDU says (17.21.20)', () => {
  for (const [name, given, flags] of [
    ['designated', {}, 0x0c],
    ['root', { role: 'root' }, 0x08],
    ['alternate', { role: 'alternate' }, 0x04],
    ['backup', { role: 'backup' }, 0x04],
    ['agreement', { agree: true }, 0x4c],
    ['proposal', { proposing: true }, 0x0e],
    ['topology change', { tcWhile: 1 }, 0x0d],
    ['learning', { learning: true }, 0x1c],
    ['forwarding', { forwarding: true }, 0x2c],
    ['no acknowledgement, which is of STP', { tcAck: true }, 0x0c],
  ] as const) {
    const bench = new MachineBench();
    portTransmit(bench.addPort({ ...DESIGNATED, newInfo: true, ...given }));
    const message = { type: 'rst', flags, ...vectorOf(1, 20_000, 8), ...TIMES, messageAge: 1 };
    assert.deepEqual(bench.transmitted, [message], name);
  }
});

test('what BPDUs of STP say (17.21.19, 17.21.21)', () => {
  for (const [name, given, flags] of [
    ['designated', { proposing: true, agree: true, learning: true, forwarding: true }, 0],
    ['topology change', { tcWhile: 1 }, 0x01],
    ['acknowledgement', { tcAck: true }, 0x80],
  ] as const) {
    const bench = new MachineBench();
    portTransmit(bench.addPort({ ...DESIGNATED, sendRstp: false, newInfo: true, ...given }));
    const message = { type: 'config', flags, ...vectorOf(1, 20_000, 8), ...TIMES, messageAge: 1 };
    assert.deepEqual(bench.transmitted, [message], name);
  }
  const bench = new MachineBench();
  portTransmit(bench.addPort({ ...DESIGNATED, sendRstp: false, newInfo: true, role: 'root' }));
  assert.deepEqual(bench.transmitted, [{ type: 'tcn' }]);
});
