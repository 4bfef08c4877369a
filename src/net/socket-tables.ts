import { readFileSync } from 'node:fs';
import { isIPv6, type Socket } from 'node:net';
import { endianness } from 'node:os';
import { parseIpv4, parseIpv6 } from '../wire/ethernet/ip-address.ts';

/** States of tcp(7), in hexadecimal, in which an end of a connection has a process that holds it. */
const CONNECTED: ReadonlySet<string> = new Set(['01', '04', '05', '08']);

type Ends = Readonly<Record<'remoteAddress' | 'localAddress', string | undefined>> &
  Readonly<Record<'remotePort' | 'localPort', number | undefined>>;

/**
 * The uid of the other end of a TCP connection within this network namespace, by /proc/net/tcp: it takes no addon, and
 * as long as there are connections to read.
 * @returns undefined when either end is not there any more
 */
export function findUserInTables(
  socket: Pick<Socket, keyof Ends>,
  read: (table: string) => string = readTable,
): number | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || localAddress === undefined) return undefined;
  const near = endsOf(localAddress, localPort ?? 0);
  const far = endsOf(remoteAddress, remotePort ?? 0);
  const tables = ['tcp', 'tcp6'].map(read);
  // Of two sockets at one end, one of IPv4 and one of IPv6, only one can be connected like this.
  const user = find(tables, far, near);
  return find(tables, near, far) === undefined ? undefined : user;
}

function readTable(name: string): string {
  try {
    return readFileSync(`/proc/net/${name}`, 'latin1');
  } catch {
    return '';
  }
}

/** How an end is written in the tables: IPv4 as itself and as a mapped address. */
function endsOf(address: string, port: number): readonly string[] {
  const mapped = /^::ffff:(?=[\d.]+$)/i;
  const isIpv6 = isIPv6(address) && !mapped.test(address);
  const octets = isIpv6 ? octetsOf(parseIpv6(address)) : octetsOfIpv4(address.replace(mapped, ''));
  const tail = `:${port.toString(16).padStart(4, '0').toUpperCase()}`;
  const written = wordsOf(octets);
  return isIpv6 ? [written + tail] : [written + tail, wordsOf([...new Array(10).fill(0), 255, 255, ...octets]) + tail];
}

function octetsOf(groups: readonly number[]): number[] {
  return groups.flatMap((group) => [group >>> 8, group & 0xff]);
}

function octetsOfIpv4(address: string): number[] {
  const value = parseIpv4(address);
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** The kernel prints words of the processor, whose octets are in the order of the network. */
function wordsOf(octets: readonly number[]): string {
  let text = '';
  for (let at = 0; at < octets.length; at += 4) {
    const word = octets.slice(at, at + 4);
    for (const octet of endianness() === 'LE' ? word.reverse() : word) text += octet.toString(16).padStart(2, '0');
  }
  return text.toUpperCase();
}

function find(tables: readonly string[], local: readonly string[], remote: readonly string[]): number | undefined {
  for (const [index, table] of tables.entries()) {
    const [from, to] = [local[index] ?? local[0], remote[index] ?? remote[0]];
    const at = table.indexOf(` ${from} ${to} `);
    if (at < 0) continue;
    const [, , , state = '', , , , uid, , inode] = table.slice(at, table.indexOf('\n', at)).split(/\s+/);
    // A socket whose process has closed it has no inode, and is said to be of uid 0.
    if (CONNECTED.has(state) && inode !== '0') return Number(uid);
  }
  return undefined;
}
