import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';

/** A network: an address and the length of its prefix in bits. */
export interface Network {
  readonly address: string;
  readonly prefixLength: number;
}

/** @returns undefined when the text is neither an address nor ADDRESS/LENGTH */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', length] = text.split('/');
  const bits = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : 0;
  if (bits === 0 || text.split('/').length > 2) return undefined;
  if (length === undefined) return { address, prefixLength: bits };
  const prefixLength = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  return prefixLength <= bits ? { address, prefixLength } : undefined;
}

/**
 * Finds the clients of requests behind reverse proxies. Any client can send
 * `X-Forwarded-For`, so only the part that trusted proxies wrote is used:
 * from its end back to the first address that is no trusted proxy.
 */
export class TrustedProxies {
  #list = new BlockList();
  #isEmpty = true;

  constructor(networks: readonly Network[]) {
    this.replace(networks);
  }

  /** Replaces the trusted proxies, for new connections. */
  replace(networks: readonly Network[]): void {
    this.#isEmpty = networks.length === 0;
    this.#list = new BlockList();
    for (const { address, prefixLength } of networks) this.#list.addSubnet(address, prefixLength, familyOf(address));
  }

  /** Whether `address` is a trusted proxy. */
  includes(address: string): boolean {
    // A look-up in a BlockList takes half as long as accepting the connection.
    if (this.#isEmpty) return false;
    const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, '');
    return isIP(plain) !== 0 && this.#list.check(plain, familyOf(plain));
  }

  isProxy({ remoteAddress = '' }: Socket): boolean {
    return this.includes(remoteAddress);
  }

  /**
   * The address of the client, or of the farthest hop that a trusted proxy reported.
   * @param from the address to begin with, if not the socket's: that of a PROXY header
   */
  addressOf({ headers, socket }: IncomingMessage, from: string = socket.remoteAddress ?? ''): string {
    let address = from;
    if (!this.includes(address)) return address;
    // Several fields of this name are one list (RFC 9110, 5.3); Node joins them.
    const hops = String(headers['x-forwarded-for'] ?? '').split(',');
    for (const hop of hops.reverse()) {
      // Some proxies add a port.
      const said = hop
        .trim()
        .replace(/^\[([^\]]+)\](?::\d+)?$/, '$1')
        .replace(/^([\d.]+):\d+$/, '$1');
      if (isIP(said) === 0) return address;
      address = said;
      if (!this.includes(said)) return said;
    }
    return address;
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
