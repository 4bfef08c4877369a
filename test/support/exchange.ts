/*
 * A program on a host that knows nothing of etherws: one TCP connection whose two
 * ends send each other pseudo-random octets at the same time, as fast as they go.
 *
 *   exchange.js listen ADDRESS PORT MIB SEED   prints `listening`, takes one connection
 *   exchange.js dial ADDRESS PORT MIB SEED
 *
 * Each end prints one JSON line at its end: an Exchanged.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { once } from './waits.ts';

/** What one end has sent and received: octets, and their SHA-256. */
export interface Exchanged {
  readonly sent: Digest;
  readonly received: Digest;
}

export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

const BYTES_PER_MIB = 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;

/** The same octets for the same seed: a key stream, because a cipher is the fastest source of noise that there is. */
async function send(socket: Socket, mib: number, seed: string): Promise<Digest> {
  const source = createCipheriv(
    'aes-128-ctr',
    createHash('sha256').update(seed).digest().subarray(0, 16),
    Buffer.alloc(16),
  );
  const zeros = Buffer.alloc(CHUNK_BYTES);
  const hash = createHash('sha256');
  const bytes = mib * BYTES_PER_MIB;
  for (let made = 0; made < bytes; made += CHUNK_BYTES) {
    const chunk = source.update(zeros);
    hash.update(chunk);
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
  return { bytes, sha256: hash.digest('hex') };
}

async function receive(socket: Socket): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  // An asynchronous iterator would destroy the socket at its end, and with it what is still to be sent.
  socket.on('data', (chunk) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  await once(socket, 'end');
  return { bytes, sha256: hash.digest('hex') };
}

async function accept(host: string, port: number): Promise<Socket> {
  const server = createServer({ allowHalfOpen: true });
  server.listen({ host, port });
  await once(server, 'listening');
  process.stdout.write('listening\n');
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  return socket;
}

async function dial(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

const roles: Readonly<Record<string, (host: string, port: number) => Promise<Socket>>> = { listen: accept, dial };
const [role = '', address = '', port = '', mib = '', seed = ''] = process.argv.slice(2);
const socket = await roles[role]?.(address, Number(port));
if (socket === undefined) throw new TypeError('usage: exchange.js listen|dial ADDRESS PORT MIB SEED');
const [sent, received] = await Promise.all([send(socket, Number(mib), seed), receive(socket)]);
process.stdout.write(`${JSON.stringify({ sent, received } satisfies Exchanged)}\n`);
