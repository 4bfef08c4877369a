import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTunnelLoss } from '../../wire/tunnel/tunnel-loss.ts';
import { OPCODE_BINARY, OPCODE_PING, OPCODE_PONG, OPCODE_TEXT } from '../../wire/websocket/framing.ts';
import { UrgentMessages } from './urgent-messages.ts';

/** Messages that note each slot with what waits in it, as the outbox of a connection that cannot send. */
function waiting(filler?: Buffer): { urgent: UrgentMessages; slots: Map<number, Buffer> } {
  const slots = new Map<number, Buffer>();
  const outbox = { sendUrgent: (slot: number, payload: Buffer) => void slots.set(slot, payload) };
  return { urgent: new UrgentMessages(outbox, filler === undefined ? undefined : { filler: () => filler }), slots };
}

const opcodes = (slots: Map<number, Buffer>): number[] => [...slots.keys()].map((slot) => slot & 0x0f);

test('a ping, a loss and a list of nodes do not replace each other while they wait', () => {
  const { urgent, slots } = waiting();
  urgent.ping(Buffer.from('1'));
  urgent.ping(Buffer.from('2'));
  urgent.announceLoss('0123456789abcdef0123456789');
  urgent.tellNodes(Buffer.from('old'));
  urgent.tellNodes(Buffer.from('new'));
  const [ping, loss, nodes] = [...slots.values()];
  assert.deepEqual(opcodes(slots), [OPCODE_PING, OPCODE_PING, OPCODE_BINARY]);
  assert.deepEqual([String(ping), String(nodes)], ['2', 'new']);
  assert.notEqual(parseTunnelLoss(loss as Buffer), undefined);
});

test('on the raw wire a filler frame follows each ping, for peers that wait for a data message', () => {
  const { urgent, slots } = waiting(Buffer.from('filler'));
  urgent.ping(Buffer.from('1'));
  assert.deepEqual(opcodes(slots), [OPCODE_PING, OPCODE_BINARY]);
  assert.equal(String(slots.get(OPCODE_BINARY)), 'filler');
});

test('of many pings in one read the last one is answered, once', () => {
  const { urgent, slots } = waiting();
  urgent.texted('a text that asks for nothing');
  assert.equal(urgent.isDue, false);
  for (const payload of ['1', '2', '3']) urgent.pinged(Buffer.from(payload));
  assert.equal(urgent.isDue, true);
  urgent.answer();
  assert.deepEqual(
    [...slots].map(([slot, payload]) => [slot, String(payload)]),
    [[OPCODE_PONG, '3']],
  );
  slots.clear();
  urgent.answer();
  urgent.texted('ping:5');
  urgent.answer();
  assert.deepEqual(
    [...slots].map(([slot, payload]) => [slot, String(payload)]),
    [[OPCODE_TEXT, 'pong:5']],
  );
  slots.clear();
  urgent.answer();
  assert.deepEqual([slots.size, urgent.isDue], [0, false]);
});
