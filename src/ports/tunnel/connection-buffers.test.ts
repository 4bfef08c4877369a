import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionBuffers } from './connection-buffers.ts';

test('a connection gives waiting frames, and ends in the next turn if they are too few', async () => {
  for (const [asked, given, ends] of [
    [60, 60, []],
    [61, 175, ['all buffers are full, and this tunnel held most']],
  ] as const) {
    const ended: string[] = [];
    const outbox = { heldBytes: 100, shed: (bytes: number) => Math.min(bytes, 60) };
    const inbox = { heldBytes: 50 };
    const abandon = (reason: string): void => void ended.push(reason);
    const buffers = new ConnectionBuffers({ outbox, inbox, transport: { heldBytes: 25 }, abandon });
    assert.equal(buffers.heldBytes, 175);
    assert.equal(buffers.shed(asked), given);
    assert.deepEqual(ended, []);
    await new Promise(setImmediate);
    assert.deepEqual(ended, ends);
  }
  const withoutOwn = {
    outbox: { heldBytes: 1, shed: () => 0 },
    inbox: { heldBytes: 2 },
    transport: {},
    abandon: () => undefined,
  };
  assert.equal(new ConnectionBuffers(withoutOwn).heldBytes, 3, 'a transport without buffers of its own');
});
