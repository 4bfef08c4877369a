import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Extensions: permessage-deflate',
];

/** A tunnel whose far end sends any octets, however wrong. */
export class RawTunnel {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Opens one, and cuts it behind the test. */
  static async open(t: TestContext, port: number): Promise<RawTunnel> {
    const socket = connect({ host: '127.0.0.1', port });
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.write(`${HANDSHAKE.join('\r\n')}\r\n\r\n`);
    let head = '';
    while (!head.includes('\r\n\r\n')) head += String(((await once(socket, 'data')) as [Buffer])[0]);
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(head);
    if (/extensions/i.test(head)) throw new Error(`an extension was agreed on: ${head}`);
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

  /** The code of the close message that ends the tunnel, waited for. */
  async closeCode(): Promise<number | undefined> {
    for (;;) {
      const code = closeCodeIn(this.#received);
      if (code !== undefined || this.socket.destroyed) return code;
      await this.#either('data');
    }
  }

  /** Waits for an event, or for the end. */
  #either(event: string): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.socket.off(event, done).off('close', done);
        resolve();
      };
      this.socket.on(event, done).on('close', done);
    });
  }
}

/** From messages of a server, none of which is longer than an Ethernet frame. */
function closeCodeIn(bytes: Buffer): number | undefined {
  for (let at = 0; at + 4 <= bytes.length; ) {
    if (bytes[at] === 0x88) return bytes.readUInt16BE(at + 2);
    const short = bytes[at + 1] ?? 0;
    at += short < 126 ? 2 + short : 4 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
