import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { rawFrame } from '../../test/support/message-stream.ts';
import { missingAddon } from '../../test/support/offload-addon.ts';
import { PortRecorder, testFrame } from '../../test/support/port-recorder.ts';
import { anyIdentity } from '../../test/support/socket-pair.ts';
import { missingTools } from '../../test/support/tools.ts';
import { until } from '../../test/support/waits.ts';
import { listen, stop } from '../../test/support/web-socket-peer.ts';
import { ALLOW_ALL } from '../auth/authenticator.ts';
import type { Port } from '../bridge/port.ts';
import { HttpListener } from '../net/http-listener.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { TunnelServer } from '../ports/tunnel/accept/accept-tunnel.ts';
import { dialTunnel } from '../ports/tunnel/dial/dial-tunnel.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';

/** Notes which transports tunnels have got. */
class TransportLog implements Logger {
  readonly kinds: unknown[] = [];
  readonly info: Logger['info'] = SILENT.info;
  readonly warn: Logger['warn'] = SILENT.warn;
  readonly error: Logger['error'] = SILENT.error;

  debug(fields: object): void {
    if ('transport' in fields) this.kinds.push(fields.transport);
  }

  isLevelEnabled(): boolean {
    return true;
  }
}

const skip = missingAddon() || missingTools('openssl');

describe('tunnels over TLS between our own ends', { skip }, () => {
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const kind = maxVersion === 'TLSv1.3' ? 'native-tls' : 'node';
    test(`${maxVersion}: both ends are ${kind}, also behind a renewal, and know each other's address`, async (t) => {
      const identity = await anyIdentity();
      const tls = { ...identity, maxVersion };
      const listener = new HttpListener({ host: '127.0.0.1', listenPort: 0, tls });
      const logger = new TransportLog();
      const accepted: Port[] = [];
      const tunnels = new TunnelServer({
        path: '/',
        authenticator: ALLOW_ALL,
        onTunnel: (port) => void accepted.push(port),
        logger,
      });
      listener.route('/', tunnels);
      await listener.listen();
      t.after(() => listener.close());
      for (let round = 0; round < 4; round++) {
        if (round === 2) listener.renewTls({ ...(await anyIdentity()), maxVersion });
        const url = `wss://127.0.0.1:${listener.address.port}/`;
        const near = await dialTunnel({ url, isInsecure: true, logger });
        await until(() => accepted.length > 0);
        const far = accepted.pop() as Port;
        assert.match(far.target, /^127\.0\.0\.1:\d+$/);
        const [nearEvents, farEvents] = [new PortRecorder(), new PortRecorder()];
        far.open(farEvents);
        near.open(nearEvents);
        for (const [from, events] of [
          [near, farEvents],
          [far, nearEvents],
        ] as const) {
          const frames = Array.from({ length: 300 }, (_, number) => testFrame(number, 60 + number * 4));
          frames.forEach((_, index) => void from.send(batchOf(...frames), index));
          from.flush(true);
          assert.deepEqual(await events.take(frames.length), frames);
        }
        await near.close('shutdown');
        await farEvents.linkChange();
        await far.close('shutdown');
      }
      assert.deepEqual(logger.kinds, Array(8).fill(kind));
    });
  }

  test('frames in the very segment of the 101, and right behind it, arrive', async (t) => {
    for (const isOneRecord of [true, false]) {
      const server = createHttpsServer(await anyIdentity());
      server.on('upgrade', (request, socket: Socket) => {
        const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
        const accept = createHash('sha1').update(key).digest('base64');
        const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
        const frames = [1, 2, 3].map((number) => rawFrame({ opcode: 2, payload: testFrame(number, 1000) }));
        const [first, ...others] = [Buffer.from(head), ...frames];
        socket.on('end', () => socket.destroy()).resume();
        if (isOneRecord) socket.write(Buffer.concat([first ?? Buffer.alloc(0), ...others]));
        else for (const part of [first, ...others]) socket.write(part ?? '');
      });
      const listenPort = await listen(server);
      t.after(() => stop(server));
      const logger = new TransportLog();
      const port = await dialTunnel({ url: `wss://127.0.0.1:${listenPort}/`, isInsecure: true, logger });
      const events = new PortRecorder();
      port.open(events);
      assert.deepEqual(
        await events.take(3),
        [1, 2, 3].map((number) => testFrame(number, 1000)),
      );
      assert.deepEqual(logger.kinds, ['native-tls']);
      await port.close('shutdown');
    }
  });
});
