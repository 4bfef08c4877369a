import { readFileSync } from 'node:fs';
import { isIPv6, type Socket } from 'node:net';
import { endianness } from 'node:os';
import { parseIpv4, parseIpv6 } from '../wire/ethernet/ip-address.ts';

/** ESTABLISHED, FIN_WAIT1, FIN_WAIT2 and CLOSE_WAIT: the states in which a process may still have the socket open. */
const CONNECTED: ReadonlySet<string> = new Set(['01', '04', '05', '08']);

type Ends = Readonly<Record<'remoteAddress' | 'localAddress', string | undefined>> &
  Readonly<Record<'remotePort' | 'localPort', number | undefined>>;

/**
 * The uid of the other end of a TCP connection within this network namespace, from /proc/net/tcp and tcp6. It needs no
 * addon, but its time grows with the number of connections of this namespace.
 * @returns undefined if either end is closed
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
  // An IPv4 and an IPv6 socket may have the same local address and port, but only one of them this remote end.
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

/** How an address and port are written in tcp and tcp6: IPv4 is mapped in tcp6. */
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

/** The kernel prints addresses as 32-bit words in the processor's byte order. */
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
    // A socket that its process has closed has inode 0, and uid 0 whatever the user was.
    if (CONNECTED.has(state) && inode !== '0') return Number(uid);
  }
  return undefined;
}
