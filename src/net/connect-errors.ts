import { codeOf, EtherwsError } from '../errors.ts';

/**
 * Explains a failure to connect by TCP: of the name look-up, the route or the
 * listener.
 * @returns undefined for other errors (see explainTlsError)
 */
export function explainConnectError(error: unknown, host: string, port: number): EtherwsError | undefined {
  if (error instanceof AggregateError) return explainAttempts(error, host, port);
  const where = `${bracketed(host)}:${port}`;
  switch (codeOf(error)) {
    case 'ECONNREFUSED':
      return new EtherwsError('CONNECTION_REFUSED', `Nothing listens at ${where}`, {
        cause: error,
        hint: 'Check the port number, and that the service is running and reachable through the firewall',
      });
    case 'ECONNRESET':
    case 'EPIPE':
      return new EtherwsError('CONNECTION_REFUSED', `${where} closed the connection before it answered`, {
        cause: error,
        hint: 'Check the port number, and whether a proxy or firewall stands in between',
      });
    case 'EADDRNOTAVAIL':
      if (isBind(error)) {
        return new EtherwsError(
          'HOST_UNREACHABLE',
          `${error.address} is no address of this host to dial ${where} from`,
          {
            cause: error,
            hint: 'Check --bind-address against: ip address',
          },
        );
      }
      return unroutable(error, where);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
      return unroutable(error, where);
    case 'EINVAL':
      if (!/^fe[89ab]/i.test(host)) return undefined;
      return new EtherwsError(
        'HOST_UNREACHABLE',
        host.includes('%')
          ? `${where} cannot be reached: this host has no device ${host.slice(host.indexOf('%') + 1)}`
          : `${where} is a link-local address without its zone`,
        { cause: error, hint: 'Write the device of this host behind the address, as in [fe80::1%25eth0]' },
      );
    case 'ETIMEDOUT':
      return new EtherwsError('HOST_UNREACHABLE', `${where} did not answer in time`, {
        cause: error,
        hint: 'Check the address, and that no firewall swallows the packets',
      });
    case 'EACCES':
    case 'EPERM':
      return new EtherwsError('HOST_UNREACHABLE', `This host forbids connections to ${where} (${codeOf(error)})`, {
        cause: error,
        hint: 'A local firewall rule or a security policy rejects it',
      });
    case 'ENOTFOUND':
    case 'ENODATA':
      return new EtherwsError('NAME_UNRESOLVED', `The name ${host} does not exist in the DNS`, {
        cause: error,
        hint: 'Check the spelling, or use an address',
      });
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return new EtherwsError('NAME_UNRESOLVED', `The name ${host} could not be looked up: no name server answered`, {
        cause: error,
        hint: 'Check the network of this host and /etc/resolv.conf, or use an address',
      });
    default:
      return undefined;
  }
}

function unroutable(error: unknown, where: string): EtherwsError {
  return new EtherwsError('HOST_UNREACHABLE', `There is no route to ${where} (${codeOf(error)})`, {
    cause: error,
    hint: 'Check the address and the network of this host',
  });
}

/** Whether binding to the local address failed, before the connection was attempted. */
function isBind(error: unknown): error is { address: string } {
  const { syscall, address } = error as { syscall?: unknown; address?: unknown };
  return syscall === 'bind' && typeof address === 'string';
}

/**
 * Node tries every address of a name and reports all failures together. A
 * refusal is explained before all others, since it shows that the host is up.
 */
function explainAttempts(error: AggregateError, host: string, port: number): EtherwsError | undefined {
  let best: EtherwsError | undefined;
  for (const attempt of error.errors) {
    const explained = explainConnectError(attempt, host, port);
    if (explained === undefined) continue;
    if (best === undefined || (explained.code === 'CONNECTION_REFUSED' && best.code !== explained.code)) {
      best = explained;
    }
  }
  if (best === undefined || error.errors.length < 2) return best;
  const tried = error.errors.map((attempt: { address?: unknown }) => attempt?.address).filter(isString);
  if (tried.length === 0) return best;
  const message = `${best.message} (tried ${tried.join(', ')})`;
  return new EtherwsError(
    best.code,
    message,
    best.hint === undefined ? { cause: error } : { cause: error, hint: best.hint },
  );
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
