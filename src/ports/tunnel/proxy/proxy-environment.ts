import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { type ProxyServer, parseProxyUrl } from './proxy-url.ts';

/** The variables of an environment, among which those that choose a proxy are looked up. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the choice of a proxy depends on. */
export interface Destination {
  readonly isSecure: boolean;
  readonly host: string;
  readonly listenPort: number;
}

/**
 * The proxy for a destination by the environment, as curl and others read it:
 * HTTPS_PROXY for wss://, HTTP_PROXY for ws://, else ALL_PROXY; none where
 * NO_PROXY lists the host. The lower-case name of each has precedence, and an
 * empty value counts as absent.
 * @throws EtherwsError ARGUMENT_INVALID when the variable holds no URL of a proxy
 */
export function proxyFromEnvironment(destination: Destination, environment: Environment): ProxyServer | undefined {
  const names = [destination.isSecure ? 'HTTPS_PROXY' : 'HTTP_PROXY', 'ALL_PROXY'];
  for (const name of names) {
    const value = variable(name, environment);
    if (value === undefined) continue;
    const isExempt = isListed(destination, variable('NO_PROXY', environment) ?? '');
    return isExempt ? undefined : parseProxyUrl(value, name);
  }
  return undefined;
}

/**
 * Whether a list in the form of NO_PROXY has the host. Its entries, separated by
 * commas or spaces: `*` for all hosts, a name for it and its subdomains (with or
 * without a leading dot or `*.`), an address, or a network as `ADDRESS/LENGTH`;
 * each may end in `:PORT`. A host name is not resolved to compare its addresses.
 */
export function isListed({ host, listenPort }: Destination, list: string): boolean {
  return list.split(/[\s,]+/).some((entry) => {
    const { pattern, port } = takeApart(entry.toLowerCase());
    if (pattern === '' || (port !== undefined && port !== listenPort)) return false;
    return pattern === '*' || (isIP(host) === 0 ? matchesName(host, pattern) : matchesAddress(host, pattern));
  });
}

function takeApart(entry: string): { pattern: string; port: number | undefined } {
  const bracketed = /^\[([^\]]*)\](?:\/(\d+))?(?::(\d+))?$/.exec(entry);
  if (bracketed !== null) {
    const [, address = '', length, port] = bracketed;
    return { pattern: length === undefined ? address : `${address}/${length}`, port: toNumber(port) };
  }
  // An entry with more than one colon is an IPv6 address without brackets, which cannot have a port.
  const [, pattern = entry, port] = /^([^:]*):(\d+)$/.exec(entry) ?? [];
  return { pattern, port: toNumber(port) };
}

function matchesName(host: string, pattern: string): boolean {
  const name = domainToASCII(pattern.replace(/^\*?\./, '').replace(/\.$/, ''));
  const wanted = host.toLowerCase().replace(/\.$/, '');
  return name !== '' && (wanted === name || wanted.endsWith(`.${name}`));
}

function matchesAddress(host: string, pattern: string): boolean {
  const [address = '', length] = pattern.split('/');
  const family = isIP(address);
  if (family === 0 || family !== isIP(host)) return false;
  const bits = family === 4 ? 32 : 128;
  const prefixLength = length === undefined ? bits : Number(length);
  if (!/^\d*$/.test(length ?? '') || prefixLength > bits) return false;
  const network = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  network.addSubnet(address, prefixLength, type);
  return network.check(host, type);
}

function variable(name: string, environment: Environment): string | undefined {
  return environment[name.toLowerCase()] || environment[name] || undefined;
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
