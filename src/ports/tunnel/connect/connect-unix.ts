import { connect, type Socket } from 'node:net';
import { EtherwsError } from '../../../errors.ts';
import { peerUserOf } from '../../../net/peer-user.ts';
import { unixPath } from '../../../net/unix-endpoint.ts';
import type { DialAttempt } from './dial-attempt.ts';

/**
 * Connects to a Unix socket of the same user, or of root: each user may bind an abstract name that is free.
 * @param socket its path, or `@NAME` for an abstract name
 * @throws as net.connect does; EtherwsError CONNECTION_REFUSED for a socket of another user
 */
export async function connectUnix(socket: string, attempt: DialAttempt): Promise<Socket> {
  const connecting = attempt.hold(connect({ path: unixPath(socket) }));
  await attempt.reached(connecting, 'connect');
  const user = peerUserOf(connecting);
  if (user !== 0 && user !== process.geteuid?.()) {
    connecting.destroy();
    throw new EtherwsError('CONNECTION_REFUSED', `The socket ${socket} is of another user`);
  }
  return connecting;
}
