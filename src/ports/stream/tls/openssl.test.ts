import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { missingAddon } from '../../../../test/support/offload-addon.ts';
import { anyIdentity, octetsFor, TransportRecorder } from '../../../../test/support/socket-pair.ts';
import { missingTools } from '../../../../test/support/tools.ts';
import { once } from '../../../../test/support/waits.ts';
import { listen, type ServerIdentity } from '../../../../test/support/web-socket-peer.ts';
import { onServerKeylog, TlsRecordTap } from '../../../net/tls/tls-record-tap.ts';
import { NativeTransport } from '../native-transport.ts';
import { drained } from './handover.ts';

/** The next connection, with TLS of Node over a relay. */
async function secured(acceptor: Server, identity: ServerIdentity): Promise<TLSSocket> {
  const server = createTlsServer({ ...identity }).on('keylog', onServerKeylog);
  const [raw] = (await once(acceptor, 'connection')) as [Socket];
  const arrival = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  server.emit('connection', new TlsRecordTap(raw, 'server'));
  const [socket] = await arrival;
  return socket.on('error', () => undefined);
}

interface Client {
  readonly type: (line: string) => void;
  /** our end */
  readonly socket: TLSSocket;
  /** Waits until it has said so, so many times. */
  readonly until: (text: string, times?: number) => Promise<void>;
}

/** `openssl s_client`, and what it has said so far. */
async function sClient(t: TestContext, ...options: string[]): Promise<Client> {
  const acceptor = createServer();
  t.after(() => void acceptor.close());
  const connection = secured(acceptor, await anyIdentity());
  const listenPort = await listen(acceptor);
  const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${listenPort}`, ...options], { stdio: 'pipe' });
  t.after(() => void client.kill('SIGKILL'));
  let output = '';
  for (const stream of [client.stdout, client.stderr])
    stream.on('data', (text: Buffer) => {
      output += String(text);
      client.emit('said');
    });
  const until = async (text: string, times = 1): Promise<void> => {
    while (output.split(text).length <= times) await once(client, 'said');
  };
  return { type: (line) => void client.stdin.write(`${line}\n`), socket: await connection, until };
}

const skip = missingAddon() || missingTools('openssl');

test('s_client changes its keys and asks for ours, over and over', { skip }, async (t) => {
  const { type, socket, until } = await sClient(t);
  type('greeting');
  assert.equal(String(((await once(socket, 'data')) as [Buffer])[0]), 'greeting\n');
  socket.pause();
  socket.write('answer\n');
  await drained(socket);
  const transport = NativeTransport.adopt(socket, Buffer.alloc(0));
  assert.equal(transport?.kind, 'native-tls');
  const events = new TransportRecorder();
  transport.listen(events, octetsFor(events));
  transport.start();
  t.after(() => transport.destroy());
  await until('answer\n');
  for (let round = 0; round < 6; round++) {
    // k: s_client's own key; K: ours besides.
    type(round % 2 === 0 ? 'K' : 'k');
    await until('KEYUPDATE', round + 1);
    type(`line ${round}`);
    await events.until(() => String(events.octets).includes(`line ${round}\n`));
    transport.write(Buffer.from(`reply ${round}\n`));
    await until(`reply ${round}\n`);
  }
  type('Q');
  await events.until(() => events.ends > 0);
  transport.end();
  await events.until(() => events.closings.length > 0);
  assert.deepEqual(events.closings, [undefined]);
});

test('an s_client of TLS 1.2 stays with Node', { skip }, async (t) => {
  const { type, socket, until } = await sClient(t, '-tls1_2');
  type('greeting');
  await once(socket, 'data');
  socket.write('answer\n');
  await drained(socket);
  assert.equal(NativeTransport.adopt(socket, Buffer.alloc(0)), undefined);
  await until('answer\n');
  socket.write('still here\n');
  await until('still here\n');
  socket.destroy();
});
