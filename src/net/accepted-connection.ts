import type { SendHandle } from 'node:child_process';
import { type Server, Socket } from 'node:net';

/**
 * A connection that was accepted, and of which nothing was read yet. It can be sent to another process
 * (`ChildProcess.send`), or become a socket here.
 */
export type AcceptedConnection = SendHandle & { close(): void };

/** What a listening server of Node has inside; `node:cluster` distributes connections by the same two members. */
interface NativeAcceptor {
  onconnection(status: number, connection?: AcceptedConnection): void;
}

/**
 * Offers each connection of a listening server before Node makes a socket of it, which would begin to read.
 * @param offer returns whether it takes the connection; all others become sockets of the server as before
 * @throws TypeError if the server does not listen, or this version of Node is built differently
 */
export function offerConnections(server: Server, offer: (connection: AcceptedConnection) => boolean): void {
  const { _handle: acceptor } = server as unknown as { _handle?: Partial<NativeAcceptor> | null };
  const accept = acceptor?.onconnection;
  if (acceptor === undefined || acceptor === null || accept === undefined)
    throw new TypeError('the server does not listen, or connections cannot be taken from it');
  acceptor.onconnection = (status, connection) => {
    if (status !== 0 || connection === undefined || !offer(connection)) accept.call(acceptor, status, connection);
  };
}

/** Makes the socket of a connection that another process accepted. It begins to read, as sockets of a server do. */
export function socketOf(connection: AcceptedConnection): Socket {
  const options = { handle: connection, readable: true, writable: true };
  return new Socket(options as ConstructorParameters<typeof Socket>[0]);
}
