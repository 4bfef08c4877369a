import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { anyIdentity, socketPair, TransportRecorder } from '../../../test/support/socket-pair.ts';
import { missingTools } from '../../../test/support/tools.ts';
import { once } from '../../../test/support/waits.ts';
import { readIntoOneBuffer } from './onread-buffer.ts';
import { SocketTransport } from './socket-transport.ts';

const SENT = randomBytes(2_000_003);
const noCertificates = missingTools('openssl');

for (const isTls of [false, true]) {
  const skip = isTls && noCertificates;
  const kind = isTls ? 'TLS' : 'TCP';
  describe(`this Node lands what ${kind} sockets read where it is told`, { skip }, () => {
    for (const [near, far] of [
      ['accepted', 'dialled'],
      ['dialled', 'accepted'],
    ] as const) {
      test(near, async () => {
        const pair = await socketPair(isTls ? await anyIdentity() : undefined);
        const socket = pair[near];
        const landed: Buffer[] = [];
        const places = new Set<Buffer>();
        let landedBytes = 0;
        const isLanding = readIntoOneBuffer(socket, (bytes, count) => {
          places.add(bytes);
          landed.push(Buffer.from(bytes.subarray(0, count)));
          landedBytes += count;
          bytes.fill(0xee);
          socket.emit('landed');
        });
        assert.ok(isLanding, 'this Node has no such mechanism: see onread-buffer.ts');
        // Octets that take the usual way have bypassed it.
        socket.push = () => assert.fail('octets went through the stream');
        socket.resume();
        pair[far].write(SENT);
        while (landedBytes < SENT.length) await once(socket, 'landed');
        assert.equal(Buffer.compare(Buffer.concat(landed), SENT), 0);
        assert.equal(places.size, 1);
        for (const end of [pair.accepted, pair.dialled]) end.destroy();
      });
    }
  });
}

test('a socket without the mechanism is left as it was, and read as usual', async () => {
  const { accepted, dialled } = await socketPair();
  const { _handle: handle } = accepted as unknown as { _handle: { useUserBuffer: unknown } };
  handle.useUserBuffer = undefined;
  assert.equal(
    readIntoOneBuffer(accepted, () => assert.fail()),
    false,
  );
  const events = new TransportRecorder();
  const transport = new SocketTransport(accepted, Buffer.from('head'));
  transport.listen(events);
  dialled.write(SENT);
  transport.start();
  await events.until(() => events.receivedBytes >= SENT.length + 4);
  assert.equal(Buffer.compare(events.octets, Buffer.concat([Buffer.from('head'), SENT])), 0);
  transport.destroy();
  await events.until(() => events.closings.length > 0);
  dialled.destroy();
});

test('a socket that is gone has no mechanism', () => {
  const socket = new Socket();
  socket.destroy();
  assert.equal(
    readIntoOneBuffer(socket, () => assert.fail()),
    false,
  );
});
