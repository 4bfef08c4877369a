import { isIP, type Socket } from 'node:net';
import { EtherwsError } from '../../../errors.ts';
import { explainConnectError } from '../../../net/connect-errors.ts';
import { addressesOf, type TcpOptions } from '../connect/connect-tcp.ts';
import type { DialAttempt } from '../connect/dial-attempt.ts';
import { brokenProxy, refusedByProxy, unauthorizedAtProxy } from './proxy-errors.ts';
import type { ProxyServer } from './proxy-url.ts';
import { readExactly } from './read-exactly.ts';

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const PASSWORD = 2;
const NO_ACCEPTABLE_METHOD = 0xff;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

/** Replies other than success (RFC 1928, 6). */
const REPLIES: readonly string[] = [
  'succeeded',
  'general failure',
  'its rules forbid it',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'time to live expired',
  'it knows no CONNECT',
  'it knows no such addresses',
];

/**
 * Opens a tunnel through a SOCKS5 proxy (RFC 1928, and RFC 1929 for the password).
 * @returns the same connection, which now leads there
 * @throws EtherwsError PROXY_AUTH_FAILED, PROXY_REFUSED, PROXY_FAILED, NAME_UNRESOLVED
 */
export async function connectThroughSocks(
  socket: Socket,
  proxy: ProxyServer,
  host: string,
  listenPort: number,
  attempt: DialAttempt,
  options: TcpOptions = {},
): Promise<Socket> {
  const read = (count: number): Promise<Buffer> => readExactly(socket, count, attempt.signal);
  const destination = proxy.kind === 'socks5' ? await resolved(host, listenPort, options, attempt) : host;
  try {
    await greet(socket, proxy, read);
    socket.write(Buffer.concat([Buffer.of(VERSION, CONNECT, 0), addressOf(destination), uint16(listenPort)]));
    const [version, reply = 1, , type] = await read(4);
    if (version !== VERSION) throw new Error(`version ${version}`);
    if (reply !== 0) {
      throw refusedByProxy(proxy, `${host} port ${listenPort}`, REPLIES[reply] ?? `reply ${reply}`);
    }
    await read((await lengthOfAddress(type, read)) + 2);
    return socket;
  } catch (error) {
    attempt.signal.throwIfAborted();
    throw error instanceof EtherwsError ? error : brokenProxy(proxy, error);
  }
}

async function greet(socket: Socket, proxy: ProxyServer, read: (count: number) => Promise<Buffer>): Promise<void> {
  const { credentials } = proxy;
  const methods = credentials === undefined ? [NO_AUTHENTICATION] : [NO_AUTHENTICATION, PASSWORD];
  socket.write(Buffer.of(VERSION, methods.length, ...methods));
  const [version, method] = await read(2);
  if (version !== VERSION) throw new Error(`version ${version}`);
  if (method === NO_AUTHENTICATION) return;
  if (method === NO_ACCEPTABLE_METHOD || credentials === undefined) {
    throw unauthorizedAtProxy(proxy, 'no acceptable method');
  }
  if (method !== PASSWORD) throw new Error(`method ${method}`);
  socket.write(Buffer.concat([Buffer.of(1), counted(credentials.user), counted(credentials.passwd)]));
  const [, status] = await read(2);
  if (status !== 0) throw unauthorizedAtProxy(proxy, `status ${status}`);
}

/** Resolves a name here, for `socks5`: the proxy gets the address. */
async function resolved(host: string, listenPort: number, options: TcpOptions, attempt: DialAttempt): Promise<string> {
  try {
    const [first = host] = await addressesOf(host, options, attempt);
    return first;
  } catch (error) {
    attempt.signal.throwIfAborted();
    throw explainConnectError(error, host, listenPort) ?? error;
  }
}

function addressOf(host: string): Buffer {
  const family = isIP(host);
  if (family === 0) return Buffer.concat([Buffer.of(NAME), counted(host)]);
  if (family === 4) return Buffer.of(IPV4, ...host.split('.').map(Number));
  return Buffer.concat([Buffer.of(IPV6), ipv6Octets(host)]);
}

/** @param host an address that isIP accepts; the URL parser expands its short forms */
function ipv6Octets(host: string): Buffer {
  const canonical = new URL(`http://[${host.split('%', 1)[0]}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [front, back] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return Buffer.concat([...front, ...zeros, ...back].map((group) => uint16(Number.parseInt(group, 16))));
}

async function lengthOfAddress(type: number | undefined, read: (count: number) => Promise<Buffer>): Promise<number> {
  switch (type) {
    case IPV4:
      return 4;
    case IPV6:
      return 16;
    case NAME:
      return (await read(1))[0] as number;
    default:
      throw new Error(`address type ${type}`);
  }
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}
