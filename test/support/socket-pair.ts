import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, connect as dialTls, type TLSSocket, type TlsOptions } from 'node:tls';
import { onClientKeylog, onServerKeylog, TlsRecordTap } from '../../src/net/tls/tls-record-tap.ts';
import { drained } from '../../src/ports/stream/tls/handover.ts';
import type { Framing, TransportEvents } from '../../src/ports/stream/transport.ts';
import { createAuthority } from './certificates.ts';
import { once } from './waits.ts';
import { listen, type ServerIdentity } from './web-socket-peer.ts';

/** Two ends of one TCP connection over the loopback interface. */
export interface SocketPair {
  readonly accepted: Socket;
  readonly dialled: Socket;
}

export interface PairOptions extends TlsOptions {
  /** whether TLS at both ends runs over relays, by which it can be taken over */
  readonly isTapped?: boolean;
  /** starts a relay to the given port, and resolves with the port to dial instead */
  readonly through?: (listenPort: number) => Promise<number>;
}

/** @param identity makes it TLS */
export async function socketPair(identity?: ServerIdentity, options: PairOptions = {}): Promise<SocketPair> {
  // Without it Node answers the peer's FIN by itself; these tests decide when.
  const halfOpen = { allowHalfOpen: true };
  const acceptor = createServer(halfOpen);
  const listenPort = await listen(acceptor);
  const arrival = once(acceptor, 'connection') as Promise<[Socket]>;
  const port = (await options.through?.(listenPort)) ?? listenPort;
  const plain = dial({ ...halfOpen, host: '127.0.0.1', port });
  const [[arrived]] = await Promise.all([arrival, once(plain, 'connect') as Promise<unknown>]);
  acceptor.close();
  const pair =
    identity === undefined ? { accepted: arrived, dialled: plain } : await secure(arrived, plain, identity, options);
  for (const socket of [pair.accepted, pair.dialled]) socket.on('error', () => undefined);
  return pair;
}

async function secure(
  arrived: Socket,
  plain: Socket,
  identity: ServerIdentity,
  { isTapped = false, through: _, ...options }: PairOptions,
): Promise<SocketPair> {
  const server = createTlsServer({ ...options, ...identity });
  server.on('keylog', onServerKeylog);
  const arrival = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  server.emit('connection', isTapped ? new TlsRecordTap(arrived, 'server') : arrived);
  const socket = isTapped ? new TlsRecordTap(plain, 'client') : plain;
  const dialled = dialTls({ socket, rejectUnauthorized: false });
  if (socket instanceof TlsRecordTap) onClientKeylog(dialled, socket);
  const [[accepted]] = await Promise.all([arrival, once(dialled, 'secureConnect') as Promise<unknown>]);
  return { accepted, dialled };
}

/** Exchanges a text in each direction, as an opening handshake does, before a test takes TLS over. */
export async function greet({ accepted, dialled }: SocketPair): Promise<void> {
  const ignore = (): void => undefined;
  for (const [from, to] of [
    [dialled, accepted],
    [accepted, dialled],
  ] as const) {
    to.on('readable', ignore);
    from.write('greeting');
    while (to.readableLength < 8) await once(to, 'readable');
    to.off('readable', ignore);
    to.read();
    await drained(from);
  }
}

/** A key and a self-signed certificate. Needs `openssl`. */
export async function anyIdentity(): Promise<ServerIdentity> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-identity-'));
  try {
    const { key, certificate } = await (await createAuthority(directory)).issue('localhost', ['localhost']);
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Records the events of a transport. */
export class TransportRecorder extends EventEmitter implements TransportEvents {
  readonly #octets: Buffer[] = [];
  receivedBytes = 0;
  /** the number of `written` events */
  writes = 0;
  ends = 0;
  /** the reasons of the `closed` events */
  readonly closings: (NodeJS.ErrnoException | undefined)[] = [];
  /** Called from inside `received`. */
  onReceived: () => void = () => undefined;
  /** `received` consumes octets in multiples of this. */
  messageBytes = 1;

  get octets(): Buffer {
    return Buffer.concat(this.#octets);
  }

  received(bytes: Buffer, from: number, end: number): number {
    this.#expectLife();
    const consumed = end - from - ((end - from) % this.messageBytes);
    this.#octets.push(Buffer.from(bytes.subarray(from, from + consumed)));
    bytes.fill(0xee, from, from + consumed);
    this.receivedBytes += consumed;
    this.onReceived();
    this.emit('change');
    return from + consumed;
  }

  progressed(): void {
    this.#expectLife();
    if (this.writes > 0) throw new Error('progress of no write');
  }

  written(): void {
    this.#expectLife();
    this.writes++;
    this.emit('change');
  }

  ended(): void {
    this.#expectLife();
    this.ends++;
    this.emit('change');
  }

  closed(failure: Error | undefined): void {
    this.closings.push(failure);
    this.emit('change');
  }

  /** Waits until a condition holds; it is checked after each event. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await once(this, 'change');
  }

  #expectLife(): void {
    if (this.closings.length > 0) throw new Error('an event behind closed');
  }
}

/**
 * A framing that delivers octets unchanged, whatever they look like: after the first ones no octets are taken for a
 * message, and a message without a payload, the only one that is short enough, is delivered as octets.
 */
export function octetsFor(events: TransportEvents): Framing {
  const EMPTY_MESSAGE_BYTES = 6;
  return {
    isMasking: false,
    isBatched: false,
    maxMessageBytes: 0,
    events: {
      arrived: (bytes, _list, frames, _oddStart, _oddLength, from, end) =>
        ~events.received(bytes, from - frames * EMPTY_MESSAGE_BYTES, end),
    },
  };
}

/** Reads until the peer ends its direction. */
export async function readToEnd(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  if (!socket.readableEnded) await once(socket, 'end');
  return Buffer.concat(chunks);
}
