import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PortEntry } from '../../src/control/schema.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { LEFT, openPair } from '../support/lan.ts';

/** An unused address on the cable: packets to it are lost without an answer. */
const SILENT = '10.1.0.53';
const DEAD_NAMES = 50;

test('names that no name server answers for keep no other name waiting', async (t) => {
  const pair = await openPair(t, 'curl');
  if (pair === undefined) return;
  const { left, right, lab } = pair;
  await lab.nameHosts({ [LEFT.name]: LEFT.v4 });
  await lab.useNameServer(SILENT);
  await right.check(['ip', 'neighbour', 'add', SILENT, 'lladdr', '02:00:00:00:00:53', 'dev', 'eth0']);
  await EtherwsSwitch.start(left, ['--port', '8000']);
  const lan = await EtherwsSwitch.start(right, ['--port', '8000']);

  const calls = Array.from({ length: DEAD_NAMES }, (_, id) => ({
    jsonrpc: '2.0',
    id,
    method: 'etherws.control.addPort',
    params: { type: 'client', target: `ws://dead${id}.example/`, options: { wait: false } },
  }));
  const post = ['curl', '--silent', '-H', 'Content-Type: application/json', '--data-binary', '@-'];
  await right.check([...post, 'http://127.0.0.1:7867/ctl'], { input: JSON.stringify(calls) });

  await t.test('a name of the hosts file is dialled at once, again and again', async () => {
    for (let time = 0; time < 5; time++) {
      const { status, stderr } = await lan.ctl(['addport', 'client', `ws://${LEFT.name}:8000/`]);
      assert.equal(status, 0, stderr);
      const last = (await lan.ports()).at(-1) as PortEntry;
      assert.equal(last.state, 'up');
      await lan.done('delport', String(last.port));
    }
    assert.equal((await lan.ports()).filter(({ state }) => state !== 'up').length, DEAD_NAMES);
  });

  await t.test('what failed is called a look-up', async () => {
    const reasonOf = async (): Promise<string> => (await lan.port(1)).reason ?? '';
    const reason = await eventually(reasonOf, (text) => text.startsWith('next try'), 60_000);
    assert.match(reason, /The look-up of the name dead0\.example took longer than 10 s$/);
    const { status, stderr } = await lan.ctl(['addport', 'client', 'ws://dead0.example/']);
    assert.equal(status, 1);
    assert.match(stderr, /NAME_UNRESOLVED: .*dead0\.example.*resolv\.conf/);
  });

  await t.test('the switch ends in time, with look-ups under way', async () => {
    const { status } = await lan.stop();
    assert.equal(status, 0);
  });
});
