import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PingEntry, TraceEntry } from '../../src/control/reach-entries.ts';
import { commandsIn, fencedBlocks } from '../support/fenced-blocks.ts';
import { joinPair, LEFT, LEFT_TAP, macOf, openPair } from '../support/lan.ts';

/** `ctl ping` and `ctl trace` against Linux hosts, with the commands of docs/operate/looking.md. */

const COMMANDS = fencedBlocks('docs/operate/looking.md').flatMap(({ section, language, text }) =>
  section === 'Reaching' && language === 'sh' ? commandsIn(text).map((words) => words.slice(2)) : [],
);

test('a host answers to its addresses, a peer to its tunnel, and a trace tells where they are', async (t) => {
  const pair = await openPair(t);
  if (pair === undefined) return;
  const { left, right, rightSwitch } = await joinPair(pair, `ws://${LEFT.v4}:8000/`, {
    addport: ['--name', 'uplink'],
  });
  const ask = async (target: string, ...more: readonly string[]): Promise<PingEntry[]> =>
    JSON.parse(await rightSwitch.done('ping', target, '--json', '--interval', '0.1', ...more)).entries;
  const macOfLeft = await macOf(left, 'ethws0');
  for (const [target, by] of [
    [LEFT_TAP.v4, 'arp'],
    [LEFT_TAP.v6, 'nd'],
  ] as const) {
    const [entry] = await ask(target, '--count', '1', '--wait', '5');
    assert.deepEqual([entry?.by, entry?.mac, entry?.ip, entry?.portName], [by, macOfLeft, target, 'uplink']);
    assert.ok((entry?.roundTripMs ?? -1) > 0);
  }
  const [ofMac] = await ask(macOfLeft, '--count', '1', '--wait', '5');
  assert.match(ofMac?.by ?? '', /^(nd|echo)$/);
  assert.equal(ofMac?.mac, macOfLeft);
  const [tunnel] = await ask('uplink', '--count', '1', '--wait', '5');
  assert.deepEqual([tunnel?.by, tunnel?.port, tunnel?.mac], ['tunnel', 2, null]);

  const { status, stdout, stderr } = await rightSwitch.ctl([
    'ping',
    '192.0.2.99',
    '--count',
    '2',
    '--interval',
    '0.1',
    '--wait',
    '0.2',
  ]);
  assert.equal(status, 1);
  assert.match(stdout, /^2 requests, 0 answers, 100% lost$/m);
  assert.match(stderr, /192\.0\.2\.99 has not answered/);
  assert.match((await rightSwitch.ctl(['ping', '1'])).stderr, /only tunnels answer/);

  const [hop] = JSON.parse(await rightSwitch.done('trace', macOfLeft, '--json')).entries as TraceEntry[];
  assert.deepEqual([hop?.decision, hop?.portName, hop?.state, hop?.network], ['forward', 'uplink', 'up', 'default']);
  assert.match(await rightSwitch.done('trace', macOfLeft), /port 2 \(uplink\), client ws/);
  assert.match(await rightSwitch.done('trace', await macOf(right, 'ethws0')), /port 1/);

  assert.equal(COMMANDS.length, 3);
  const outputs: string[] = [];
  for (const [name = '', target = '', ...more] of COMMANDS) {
    outputs.push(await rightSwitch.done(name, target === '192.0.2.2' ? LEFT_TAP.v4 : target, ...more));
  }
  assert.match(outputs[0] ?? '', /^answer from .* arp seq=2 time=[\d.]+ ms$/m);
  assert.match(outputs[0] ?? '', /^2 requests, 2 answers, 0% lost\nround trip min\/avg\/max = /m);
  assert.match(outputs[2] ?? '', /not known: flooded to 2 ports/);
});
