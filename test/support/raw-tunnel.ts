import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { once, within } from './waits.ts';

const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Extensions: permessage-deflate',
];

/** Deadline of waits; an event comes at once, or not at all. */
const DEADLINE_MS = 30_000;

/** A tunnel whose far end sends arbitrary octets. */
export class RawTunnel {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Opens a tunnel, and cuts it after the test. */
  static open(t: TestContext, port: number): Promise<RawTunnel> {
    return RawTunnel.over(t, connect({ host: '127.0.0.1', port }));
  }

  /** As `open`, over a socket of the caller, such as a TLS socket. */
  static async over(t: TestContext, socket: Socket): Promise<RawTunnel> {
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.write(`${HANDSHAKE.join('\r\n')}\r\n\r\n`);
    let head = '';
    while (!head.includes('\r\n\r\n')) head += String(((await once(socket, 'data')) as [Buffer])[0]);
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(head);
    if (/extensions/i.test(head)) throw new Error(`an extension was agreed on: ${head}`);
    return RawTunnel.upgraded(socket);
  }

  /** The end of a tunnel after its opening handshake. */
  static upgraded(socket: Socket): RawTunnel {
    const tunnel = new RawTunnel(socket);
    socket.on('data', (bytes) => {
      tunnel.#received = Buffer.concat([tunnel.#received, bytes]);
    });
    return tunnel;
  }

  /** Sends octets; resolves when the kernel has them, or the switch has cut the tunnel. */
  async send(octets: Uint8Array): Promise<void> {
    if (this.socket.destroyed || this.socket.write(octets)) return;
    await this.#either('drain');
  }

  /** The code of the close message, if it has arrived. */
  get closeCodeSoFar(): number | undefined {
    return closeCodeIn(this.#received);
  }

  /** Waits for the close message that ends the tunnel. @returns its code */
  async closeCode(): Promise<number | undefined> {
    for (;;) {
      const code = this.closeCodeSoFar;
      if (code !== undefined || this.socket.destroyed) return code;
      await this.#either('data');
    }
  }

  /** Waits for an event, or for the end of the connection. @throws Error at the deadline */
  async #either(event: string): Promise<void> {
    let done: () => void = () => undefined;
    const either = new Promise<void>((resolve) => {
      done = resolve;
      this.socket.on(event, done).on('close', done);
    });
    const lastOctets = (): string => this.#received.subarray(-64).toString('hex');
    try {
      await within(
        either,
        () => `'${event}' or 'close' of the tunnel, whose last octets were ${lastOctets()},`,
        DEADLINE_MS,
      );
    } finally {
      this.socket.off(event, done).off('close', done);
    }
  }
}

/** The code of the close message among messages of either side, none longer than an Ethernet frame. */
function closeCodeIn(bytes: Buffer): number | undefined {
  for (let at = 0; at + 8 <= bytes.length || (at + 4 <= bytes.length && !isMasked(bytes, at)); ) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const keyBytes = isMasked(bytes, at) ? 4 : 0;
    const headBytes = short < 126 ? 2 : 4;
    if (bytes[at] === 0x88) {
      const key = keyBytes === 0 ? 0 : bytes.readUInt16BE(at + headBytes);
      return bytes.readUInt16BE(at + headBytes + keyBytes) ^ key;
    }
    at += headBytes + keyBytes + (short < 126 ? short : bytes.readUInt16BE(at + 2));
  }
  return undefined;
}

function isMasked(bytes: Buffer, at: number): boolean {
  return ((bytes[at + 1] ?? 0) & 0x80) !== 0;
}
