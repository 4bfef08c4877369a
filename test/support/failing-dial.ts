import assert from 'node:assert/strict';
import type { Server, Socket } from 'node:net';
import { EtherwsError } from '../../src/errors.ts';
import { type DialTunnelOptions, dialTunnel } from '../../src/ports/tunnel/dial/dial-tunnel.ts';
import { once } from './waits.ts';
import { listen, stop } from './web-socket-peer.ts';

/** Dials, and checks the failure. Afterwards all connections of the server must be closed. */
export async function fails(
  server: Server | undefined,
  options: DialTunnelOptions,
  code: string,
  message: RegExp,
  hint?: RegExp,
): Promise<void> {
  const sockets = new Set<Socket>();
  server?.on('connection', (socket) => sockets.add(socket));
  await assert.rejects(dialTunnel(options), (error) => {
    assert.ok(error instanceof EtherwsError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.ok(error.hint !== undefined && error.hint !== '');
    if (hint !== undefined) assert.match(error.hint, hint);
    return true;
  });
  for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
}

/** Runs against a server that listens. `authority` is its address and port, as in a URL. */
export async function withServer(
  server: Server,
  run: (authority: string) => Promise<void>,
  host = '127.0.0.1',
): Promise<void> {
  const listenPort = await listen(server, host);
  try {
    await run(`${host.includes(':') ? `[${host}]` : host}:${listenPort}`);
  } finally {
    await stop(server);
  }
}
