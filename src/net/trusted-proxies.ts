import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';

/** A network: an address, and how many of its bits count. */
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
 * The clients of requests behind reverse proxies. Any client can write
 * `X-Forwarded-For`, so it is believed only as far as trusted proxies wrote it:
 * from its end, up to the first address that is none of theirs.
 */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  constructor(networks: readonly Network[]) {
    this.#isEmpty = networks.length === 0;
    for (const { address, prefixLength } of networks) this.#list.addSubnet(address, prefixLength, familyOf(address));
  }

  /** Whether a connection comes from one of the proxies. */
  includes(address: string): boolean {
    // Each look into a list costs as much as half of what else accepting a connection does.
    if (this.#isEmpty) return false;
    const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, '');
    return isIP(plain) !== 0 && this.#list.check(plain, familyOf(plain));
  }

  isProxy({ remoteAddress = '' }: Socket): boolean {
    return this.includes(remoteAddress);
  }

  /**
   * The address of the client, or of the last hop that is known.
   * @param from where the request came in from, when the socket does not know it
   */
  addressOf({ headers, socket }: IncomingMessage, from: string = socket.remoteAddress ?? ''): string {
    let address = from;
    if (!this.includes(address)) return address;
    // Several headers of this name are one list (RFC 9110, 5.3); Node joins them.
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
