import { chmodSync, chownSync, closeSync, constants, fstatSync, openSync, unlinkSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { EtherwsError } from '../errors.ts';
import { PlainRequests } from '../net/plain-requests.ts';
import { wantsWebSocket } from '../net/request-head.ts';
import type { FileOwner } from '../runtime/own-file.ts';
import { reasonOf } from '../runtime/own-file-error.ts';
import { findPlace, O_PATH, type Place, UnsafePathError } from '../runtime/safe-path.ts';

export interface ControlSocketOptions {
  /** an absolute path */
  readonly path: string;
  /** the owner of the socket; default: the user of the process */
  readonly owner?: FileOwner | undefined;
  /** the group that may connect, beside the owner and root */
  readonly gid?: number | undefined;
  /** handles each request, whatever its path */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** handles each opening handshake of a WebSocket, whatever its path */
  readonly handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Callers that can connect are authorized, so these limits protect only against faulty programs. */
const MOST_CONNECTIONS = 64;
const HEAD_TIMEOUT_MS = 10_000;

/** Serves the control API on a Unix socket. The kernel lets only its owner, root and one group connect. */
export class ControlSocket {
  readonly #server: http.Server;
  readonly #place: Place;

  /** @throws EtherwsError LISTEN_FAILED */
  static async listen(options: ControlSocketOptions): Promise<ControlSocket> {
    let place: Place | undefined;
    try {
      place = findPlace(options.path);
      await clear(place);
      const socket = new ControlSocket(place, options);
      await socket.#listen(options);
      return socket;
    } catch (error) {
      place?.close();
      throw listenError(options.path, error);
    }
  }

  private constructor(place: Place, { handle, handleUpgrade }: ControlSocketOptions) {
    this.#place = place;
    const options = {
      headersTimeout: HEAD_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
      // Known since Node 24.9; for an older one there is `PlainRequests`.
      shouldUpgradeCallback: wantsWebSocket,
    };
    this.#server = http.createServer(options, handle);
    const plainRequests = new PlainRequests(options, handle, (_error, socket) => socket.destroy());
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on('upgrade', (request, socket, head) => {
      if (wantsWebSocket(request)) handleUpgrade(request, socket, head);
      else plainRequests.serve(request, socket, head);
    });
  }

  /** Stops listening, and removes the socket if the process may do that. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    this.#place.close();
  }

  async #listen({ owner, gid }: ControlSocketOptions): Promise<void> {
    const server = this.#server;
    // `listen` creates the socket synchronously, so it never exists with a mode that lets other users connect.
    const umask = process.umask(0o177);
    const listening = new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: this.#place.path }, resolve);
    }).finally(() => server.removeAllListeners('error'));
    process.umask(umask);
    await listening;
    server.on('error', () => undefined);
    if (owner !== undefined || gid !== undefined) this.#give(owner, gid);
  }

  /** Changes owner and group. By descriptor, since the name may refer to another file by now. */
  #give(owner: FileOwner | undefined, gid: number | undefined): void {
    const entry = openSync(this.#place.path, O_PATH | constants.O_NOFOLLOW);
    try {
      const stats = fstatSync(entry);
      if (!stats.isSocket() || stats.uid !== process.geteuid?.()) {
        throw new UnsafePathError(
          'another program has replaced the socket',
          'Choose a directory that only root may change',
        );
      }
      const name = `/proc/self/fd/${entry}`;
      chownSync(name, owner?.uid ?? stats.uid, gid ?? owner?.gid ?? stats.gid);
      if (gid !== undefined) chmodSync(name, 0o660);
    } finally {
      closeSync(entry);
    }
  }
}

/** Removes a socket of that name if no program listens on it. */
async function clear(place: Place): Promise<void> {
  if (place.entry === undefined) return;
  if (!fstatSync(place.entry).isSocket()) {
    throw new UnsafePathError('there is a file of that name, which is no socket', 'Choose another name');
  }
  if (await isServed(place.path))
    throw new UnsafePathError('another program listens there', 'Stop it, or choose another name');
  unlinkSync(place.path);
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    const tell = (answer: boolean): void => {
      probe.destroy();
      resolve(answer);
    };
    probe.once('connect', () => tell(true));
    probe.once('error', (error: NodeJS.ErrnoException) => tell(error.code !== 'ECONNREFUSED'));
  });
}

function listenError(path: string, error: unknown): EtherwsError {
  return new EtherwsError('LISTEN_FAILED', `--ctlsocket: cannot listen on "${path}": ${reasonOf(error)}`, {
    cause: error,
    hint:
      error instanceof UnsafePathError ? error.hint : 'Choose a directory that exists and that this user may write to',
  });
}
