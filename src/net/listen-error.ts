import { EtherwsError } from '../errors.ts';
import type { ListenerOptions } from './listener-options.ts';

/** The inherited descriptor is no listening TCP socket. */
export function passedError(cause?: unknown): EtherwsError {
  return new EtherwsError('LISTEN_FAILED', 'The socket that the service manager passed is no listening TCP socket', {
    ...(cause === undefined ? {} : { cause }),
    hint: 'Its unit needs ListenStream= with a port, or an address and a port; and no Accept=yes',
  });
}

/** The error of `listen`, with what to try. */
export function listenError(
  error: NodeJS.ErrnoException,
  { host, listenPort, descriptor }: Pick<ListenerOptions, 'host' | 'listenPort' | 'descriptor'>,
): EtherwsError {
  if (descriptor !== undefined) return passedError(error);
  const where = host === undefined ? `port ${listenPort}` : `${host.includes(':') ? `[${host}]` : host}:${listenPort}`;
  const [what, hint] = explain(error, listenPort);
  return new EtherwsError('LISTEN_FAILED', `Cannot listen on ${where}: ${what}`, { cause: error, hint });
}

function explain(error: NodeJS.ErrnoException, listenPort: number): [string, string] {
  switch (error.code) {
    case 'EADDRINUSE':
      return [
        'another program listens there',
        `Stop it, or choose another port (ss -ltnp 'sport = :${listenPort}' shows it)`,
      ];
    case 'EACCES':
      return ['permission denied', 'Ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one'];
    case 'EADDRNOTAVAIL':
      return ['no interface of this host has that address', 'See `ip address` for those that it has'];
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return ['the name cannot be resolved', 'Give an address, or correct the name'];
    default:
      return [error.message, 'Check the host and the port'];
  }
}
