import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openLab } from '../support/lab-test.ts';
import { Peer } from '../support/peer.ts';
import { clientMessage, frameOf } from '../support/peer-frames.ts';

const A = '02:00:00:00:00:0a';
const B = '02:00:00:00:00:0b';
/** Longer than any Ethernet frame, and below the limit of a message. */
const GIANT_BYTES = 70_000;

/** Starts a switch with two raw peers at ports 1 and 2. */
async function startSwitch(t: TestContext): Promise<{ lan: EtherwsSwitch; bad: Peer; good: Peer } | undefined> {
  const host = await (await openLab(t))?.host('lan');
  if (host === undefined) return undefined;
  const lan = await EtherwsSwitch.start(host, ['--port', '8000']);
  const bad = await Peer.start(host, 'raw_peer.py', ['127.0.0.1', '8000', '/']);
  const good = await Peer.start(host, 'raw_peer.py', ['127.0.0.1', '8000', '/']);
  return { lan, bad, good };
}

const arrives = (peer: Peer, frame: Buffer): Promise<unknown> =>
  peer.process.output(new RegExp(`^message 2 ${frame.toString('hex')}$`, 'm'));

test('frames that are none are counted, and the tunnel goes on', async (t) => {
  const started = await startSwitch(t);
  if (started === undefined) return;
  const { lan, bad, good } = started;

  bad.send(clientMessage(Buffer.alloc(0)));
  bad.send(clientMessage(Buffer.alloc(13, 0xff)));
  bad.send(clientMessage(Buffer.alloc(GIANT_BYTES, 0xff)));
  bad.send(clientMessage(Buffer.from('a text'), { opcode: 1 }));
  const frame = frameOf({ from: A, payload: 'after all that' });
  bad.send(clientMessage(frame));
  await arrives(good, frame);

  const port = await lan.port(1);
  assert.deepEqual(port.rxDiscards, { runt: 2, tooLong: 1 });
  assert.equal(port.rx, 1);
  assert.equal(port.state, 'up');
});

test('text is answered only in the form of jor1k', async (t) => {
  const started = await startSwitch(t);
  if (started === undefined) return;
  const { bad } = started;
  for (const text of ['hello', 'PING:1', 'ping:7']) bad.send(clientMessage(Buffer.from(text), { opcode: 1 }));
  await bad.process.output(new RegExp(`^message 1 ${Buffer.from('pong:7').toString('hex')}$`, 'm'));
  assert.equal([...bad.process.stdout.matchAll(/^message 1 /gm)].length, 1);
});

test('a message in fragments is one frame, with pings between them', async (t) => {
  const started = await startSwitch(t);
  if (started === undefined) return;
  const { lan, bad, good } = started;
  const frame = frameOf({ from: A, payload: 'in three pieces' });
  bad.send(clientMessage(frame.subarray(0, 10), { isFinal: false }));
  bad.send(clientMessage(Buffer.from('are you there'), { opcode: 9 }));
  bad.send(clientMessage(frame.subarray(10, 40), { opcode: 0, isFinal: false }));
  bad.send(clientMessage(frame.subarray(40), { opcode: 0 }));
  await arrives(good, frame);
  await bad.process.output(new RegExp(`^message 10 ${Buffer.from('are you there').toString('hex')}$`, 'm'));
  assert.equal((await lan.port(1)).rx, 1);
});

for (const [name, octets, code] of [
  ['an unmasked message', clientMessage(frameOf({ from: A }), { isMasked: false }), 1002],
  ['a reserved bit', clientMessage(frameOf({ from: A }), { reserved: 4 }), 1002],
  ['a reserved opcode', clientMessage(frameOf({ from: A }), { opcode: 3 }), 1002],
  ['a continuation of nothing', clientMessage(frameOf({ from: A }), { opcode: 0 }), 1002],
  ['a ping in fragments', clientMessage(Buffer.alloc(4), { opcode: 9, isFinal: false }), 1002],
  ['a ping of 126 octets', clientMessage(Buffer.alloc(126), { opcode: 9 }), 1002],
  ['a message that announces 2^62 octets', Buffer.from('82ff400000000000000000000000', 'hex'), 1009],
  ['a message of 1 MiB', clientMessage(Buffer.alloc(1024 * 1024)), 1009],
] as const) {
  test(`${name} ends its own tunnel with ${code}, and no other`, async (t) => {
    const started = await startSwitch(t);
    if (started === undefined) return;
    const { lan, bad, good } = started;
    bad.send(octets);
    assert.equal(await bad.closeCode(), code);
    await eventually(
      () => lan.ports(),
      (ports) => ports.map(({ port }) => port).join() === '2',
    );
    good.send(clientMessage(frameOf({ from: B })));
    await eventually(
      () => lan.port(2),
      ({ rx }) => rx === 1,
    );
  });
}
