/*
 * A program for a host without etherws: one TCP connection whose two ends send each
 * other pseudo-random octets at the same time, at full speed.
 *
 *   exchange.js listen ADDRESS PORT MIB SEED PEER_SEED   prints `listening`, accepts one connection
 *   exchange.js dial ADDRESS PORT MIB SEED PEER_SEED
 *
 * Each end compares all received octets with those of PEER_SEED, and at the end prints one JSON line, an Exchanged.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { LONGEST_MS } from './process.ts';
import { once } from './waits.ts';

/** The result of one end. */
export interface Exchanged {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** The position in the stream of the first received piece that differs from the sent octets; -1: none. */
  readonly wrongAt: number;
}

const BYTES_PER_MIB = 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
/**
 * The period of the octets; comparing with a period costs a hundredth of hashing the whole stream. A prime number, so
 * that lost or repeated frames, messages or records do not shift the octets by a whole period, unless they are 8 MiB.
 */
const PERIOD_BYTES = 8_388_617;

/** The octets of a seed: a key stream, since a cipher is the fastest source of pseudo-random octets. */
function noiseOf(seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(PERIOD_BYTES));
}

async function send(socket: Socket, mib: number, noise: Buffer): Promise<number> {
  const bytes = mib * BYTES_PER_MIB;
  for (let sent = 0; sent < bytes; ) {
    const at = sent % noise.length;
    const chunk = noise.subarray(at, at + Math.min(CHUNK_BYTES, bytes - sent));
    if (!socket.write(chunk)) await once(socket, 'drain');
    sent += chunk.length;
  }
  socket.end();
  return bytes;
}

async function receive(socket: Socket, noise: Buffer): Promise<Omit<Exchanged, 'sentBytes'>> {
  let bytes = 0;
  let wrongAt = -1;
  // Not `for await`: at the end of input it would destroy the socket, with octets that are still to be sent.
  socket.on('data', (chunk: Buffer) => {
    for (let done = 0; done < chunk.length; ) {
      const at = bytes % noise.length;
      const length = Math.min(chunk.length - done, noise.length - at);
      if (wrongAt < 0 && chunk.compare(noise, at, at + length, done, done + length) !== 0) wrongAt = bytes;
      bytes += length;
      done += length;
    }
  });
  // How long all of it takes is limited by the test, which ends this program.
  await once(socket, 'end', { waitMs: LONGEST_MS });
  return { receivedBytes: bytes, wrongAt };
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
const [role = '', address = '', port = '', mib = '', seed = '', peerSeed = ''] = process.argv.slice(2);
const [ours, theirs] = [noiseOf(seed), noiseOf(peerSeed)];
const socket = await roles[role]?.(address, Number(port));
if (socket === undefined) throw new TypeError('usage: exchange.js listen|dial ADDRESS PORT MIB SEED PEER_SEED');
const [sentBytes, received] = await Promise.all([send(socket, Number(mib), ours), receive(socket, theirs)]);
process.stdout.write(`${JSON.stringify({ sentBytes, ...received } satisfies Exchanged)}\n`);
