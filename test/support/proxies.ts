import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { onceAny } from './waits.ts';
import { listen, type ServerIdentity, stop } from './web-socket-peer.ts';

export interface ProxyOptions {
  /** the required credentials, as `USER:PASSWORD` */
  readonly login?: string;
  /** The status of HTTP, or the reply of SOCKS, with which all requests are refused. */
  readonly refusal?: number;
  /** the value of Retry-After in an HTTP refusal */
  readonly retryAfter?: string;
  /** the challenges of a 407; default: Basic */
  readonly challenges?: readonly string[];
  /** Default: a free port. */
  readonly listenPort?: number;
}

/** A proxy for tests, which records the requested destinations. */
export interface TestProxy {
  readonly listenPort: number;
  /** the requested destinations as `HOST:PORT`, in order */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** An HTTP proxy with CONNECT only. */
export async function startHttpProxy(options: ProxyOptions = {}, identity?: ServerIdentity): Promise<TestProxy> {
  const asked: string[] = [];
  const server = identity === undefined ? createServer() : createHttpsServer({ ...identity });
  const wanted =
    options.login === undefined ? undefined : `Basic ${Buffer.from(options.login, 'utf8').toString('base64')}`;
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    const authority = request.url ?? '';
    if (wanted !== undefined && request.headers['proxy-authorization'] !== wanted) {
      const challenges = (options.challenges ?? ['Basic realm=test']).map((text) => `Proxy-Authenticate: ${text}\r\n`);
      socket.end(`HTTP/1.1 407 Proxy Authentication Required\r\n${challenges.join('')}\r\n`);
      return;
    }
    asked.push(authority);
    if (options.refusal !== undefined) {
      const retryAfter = options.retryAfter === undefined ? '' : `Retry-After: ${options.retryAfter}\r\n`;
      socket.end(`HTTP/1.1 ${options.refusal} No\r\n${retryAfter}Content-Length: 2\r\n\r\nno`);
      return;
    }
    const { hostname, port } = new URL(`http://${authority}`);
    const way = connect(Number(port), hostname.replace(/^\[(.*)\]$/, '$1'), () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      join(socket, way);
    });
    way.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  });
  return { listenPort: await listen(server, '127.0.0.1', options.listenPort), asked, close: () => stop(server) };
}

/** A SOCKS5 proxy that accepts names, IPv4 and IPv6 addresses. */
export async function startSocksProxy(options: ProxyOptions = {}): Promise<TestProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    void serveSocks(socket, options, asked).catch(() => socket.destroy());
  });
  const listenPort = await listen(server, '127.0.0.1', options.listenPort);
  return {
    listenPort,
    asked,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return stop(server);
    },
  };
}

async function serveSocks(socket: Socket, { login, refusal }: ProxyOptions, asked: string[]): Promise<void> {
  const read = reader(socket);
  const [, count = 0] = await read(2);
  const methods = await read(count);
  const method = login === undefined ? 0 : 2;
  if (!methods.includes(method)) {
    socket.end(Buffer.of(5, 0xff));
    return;
  }
  socket.write(Buffer.of(5, method));
  if (login !== undefined) {
    await read(1);
    const [user, passwd] = [await counted(read), await counted(read)];
    const isRight = `${user}:${passwd}` === login;
    socket.write(Buffer.of(1, isRight ? 0 : 1));
    if (!isRight) return void socket.end();
  }
  const [, , , type] = await read(4);
  const host = type === 3 ? (await counted(read)).toString() : address(await read(type === 1 ? 4 : 16));
  const listenPort = (await read(2)).readUInt16BE(0);
  asked.push(`${host}:${listenPort}`);
  if (refusal !== undefined) return void socket.end(Buffer.of(5, refusal, 0, 1, 0, 0, 0, 0, 0, 0));
  const way = connect(listenPort, host, () => {
    // A name as the bound address, which is the longest form of a reply, in two pieces.
    socket.write(Buffer.of(5, 0, 0, 3, 4));
    socket.write(Buffer.concat([Buffer.from('here'), Buffer.of(0, 1)]));
    join(socket, way);
  });
  way.on('error', () => socket.end(Buffer.of(5, 5, 0, 1, 0, 0, 0, 0, 0, 0)));
}

function join(a: Duplex, b: Socket): void {
  a.pipe(b);
  b.pipe(a);
  a.on('close', () => b.destroy());
  b.on('close', () => a.destroy());
}

function reader(socket: Socket): (count: number) => Promise<Buffer> {
  return async (count) => {
    if (count === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes = socket.read(count) as Buffer | null;
      if (bytes !== null) return bytes;
      await onceAny(socket, ['readable', 'close']);
      if (socket.destroyed) throw new Error('closed');
    }
  };
}

async function counted(read: (count: number) => Promise<Buffer>): Promise<Buffer> {
  const [length = 0] = await read(1);
  return read(length);
}

function address(octets: Buffer): string {
  if (octets.length === 4) return [...octets].join('.');
  return Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(index * 2).toString(16)).join(':');
}
