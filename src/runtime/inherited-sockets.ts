import { fstatSync } from 'node:fs';
import { EtherwsError } from '../errors.ts';

/** The part of `process.env` that is read and changed. */
type Environment = Record<string, string | undefined>;

/** The names of sockets of the service manager, which say their service (`FileDescriptorName=` of a socket unit). */
export const SOCKET_NAMES = ['tunnels', 'control', 'control-socket'] as const;

export type SocketName = (typeof SOCKET_NAMES)[number];

/** The descriptors of inherited listening sockets, by name. */
export type InheritedSockets = ReadonlyMap<SocketName, number>;

/** SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST_DESCRIPTOR = 3;
const HINT = 'Give each socket unit Service=, and FileDescriptorName= one of tunnels, control, control-socket';

/**
 * Takes the sockets that a service manager has opened for this process (sd_listen_fds(3): `LISTEN_PID`, `LISTEN_FDS`,
 * `LISTEN_FDNAMES`), and removes these variables, since child processes must not take them. The sockets are
 * close-on-exec: Node sets that for all inherited descriptors.
 * @returns empty without these variables, and if `LISTEN_PID` is another process
 * @throws EtherwsError LISTEN_FAILED for an unknown or repeated name, and for a descriptor that is no socket
 */
export function takeInheritedSockets(environment: Environment = process.env): InheritedSockets {
  const { LISTEN_PID: pid, LISTEN_FDS: text = '', LISTEN_FDNAMES: names = '' } = environment;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete environment[name];
  const sockets = new Map<SocketName, number>();
  if (pid !== String(process.pid)) return sockets;
  const count = /^\d{1,4}$/.test(text) ? Number(text) : undefined;
  if (count === undefined) throw failure(`LISTEN_FDS must be a number of sockets, got "${text}"`);
  const named = names === '' ? [] : names.split(':');
  if (named.length !== count)
    throw failure(`LISTEN_FDS says ${count}, but LISTEN_FDNAMES has ${named.length} (${quoteAll(named)})`);
  named.forEach((name, index) => {
    if (!isSocketName(name)) throw failure(`A socket is named "${name}", which is none of ${SOCKET_NAMES.join(', ')}`);
    if (sockets.has(name)) throw failure(`Two sockets are named "${name}"; one address can be served under a name`);
    const descriptor = FIRST_DESCRIPTOR + index;
    requireSocket(descriptor, name);
    sockets.set(name, descriptor);
  });
  return sockets;
}

function isSocketName(name: string): name is SocketName {
  return (SOCKET_NAMES as readonly string[]).includes(name);
}

function requireSocket(descriptor: number, name: string): void {
  let isSocket = false;
  try {
    isSocket = fstatSync(descriptor).isSocket();
  } catch {
    // EBADF: the descriptor is not open.
  }
  if (!isSocket) throw failure(`Descriptor ${descriptor}, which should be the socket "${name}", is no socket`);
}

function quoteAll(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function failure(what: string): EtherwsError {
  return new EtherwsError('LISTEN_FAILED', `The sockets of the service manager cannot be used: ${what}`, {
    hint: HINT,
  });
}
