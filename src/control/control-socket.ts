import { chmodSync, chownSync, closeSync, constants, fstatSync, openSync, unlinkSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { EtherwsError } from '../errors.ts';
import { boundAnswer } from '../net/answer-deadline.ts';
import { PlainRequests } from '../net/plain-requests.ts';
import { wantsWebSocket } from '../net/request-head.ts';
import { listeningPathOf } from '../net/unix-sockets.ts';
import type { FileOwner } from '../runtime/own-file.ts';
import { reasonOf } from '../runtime/own-file-error.ts';
import { findPlace, O_PATH, type Place, UnsafePathError } from '../runtime/safe-path.ts';

export interface ControlSocketOptions {
  /** an absolute path, or an inherited listening socket */
  readonly at: string | { readonly descriptor: number };
  /** the owner of the socket; default: the user of the process */
  readonly owner?: FileOwner | undefined;
  /** the group that may connect, beside the owner and root */
  readonly gid?: number | undefined;
  /** handles all requests, with any path */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** handles all opening handshakes of WebSockets, with any path */
  readonly handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Callers that can connect are authorized, so these limits protect only against faulty programs. */
const MOST_CONNECTIONS = 64;
const HEAD_TIMEOUT_MS = 10_000;

/** Serves the control API on a Unix socket. The kernel lets only its owner, root and one group connect. */
export class ControlSocket {
  readonly #server: http.Server;
  /** undefined: the service manager has created the socket, and removes it. */
  readonly #place: Place | undefined;
  /** the path of the socket; `@` at the beginning: an abstract name */
  readonly path: string;

  /** @throws EtherwsError LISTEN_FAILED */
  static async listen(options: ControlSocketOptions): Promise<ControlSocket> {
    const { at } = options;
    if (typeof at === 'object') {
      const socket = new ControlSocket(undefined, pathOfPassed(at.descriptor), options);
      await socket.#listening(() => socket.#server.listen({ fd: at.descriptor }));
      return socket;
    }
    let place: Place | undefined;
    try {
      place = findPlace(at);
      await clear(place);
      const socket = new ControlSocket(place, at, options);
      await socket.#listen(place, options);
      return socket;
    } catch (error) {
      place?.close();
      throw listenError(at, error);
    }
  }

  private constructor(place: Place | undefined, path: string, { handle, handleUpgrade }: ControlSocketOptions) {
    this.#place = place;
    this.path = path;
    const bounded: typeof handle = (request, response) => {
      boundAnswer(response, request.socket);
      handle(request, response);
    };
    const options = {
      headersTimeout: HEAD_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
      // An option of Node 24.9 and later; `PlainRequests` does the same for older versions.
      shouldUpgradeCallback: wantsWebSocket,
    };
    this.#server = http.createServer(options, bounded);
    const plainRequests = new PlainRequests(options, bounded, (_error, socket) => socket.destroy());
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
    this.#place?.close();
  }

  /** @param listen makes the server listen */
  async #listening(listen: () => void): Promise<void> {
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve).once('error', reject);
      listen();
    }).finally(() => server.removeAllListeners('error'));
    server.on('error', () => undefined);
  }

  async #listen(place: Place, { owner, gid }: ControlSocketOptions): Promise<void> {
    // `listen` creates the socket synchronously, so it never exists with a mode that lets other users connect.
    const umask = process.umask(0o177);
    const listening = this.#listening(() => this.#server.listen({ path: place.path }));
    process.umask(umask);
    await listening;
    if (owner !== undefined || gid !== undefined) give(place, owner, gid);
  }
}

/** Changes owner and group. By descriptor, since the name may refer to another file by now. */
function give(place: Place, owner: FileOwner | undefined, gid: number | undefined): void {
  const entry = openSync(place.path, O_PATH | constants.O_NOFOLLOW);
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

/** @throws EtherwsError LISTEN_FAILED if it is no listening Unix socket */
function pathOfPassed(descriptor: number): string {
  const path = listeningPathOf(descriptor);
  if (path !== undefined) return path;
  const words = 'The socket "control-socket" that the service manager passed is no listening Unix socket';
  throw new EtherwsError('LISTEN_FAILED', words, {
    hint: 'Its unit needs ListenStream= with a path, and no Accept=yes',
  });
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
