import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';

/** Locally administered, and no group address (IEEE 802-2014, 8.2.2). */
const LOCAL = 0x02;
const FLAGS = 0x03;

/**
 * The MAC address of a network's bridge: the address in its bridge identifier, the source of its own frames, and its
 * chassis ID. It is locally administered, and made of the seed and the name of the network.
 */
export function ownAddress(seed: string, network: string): MacAddress {
  const octets = createHash('sha256').update(`etherws bridge\0${seed}\0${network}`).digest().subarray(0, 6);
  octets[0] = ((octets[0] as number) & ~FLAGS) | LOCAL;
  return octets.readUIntBE(0, 6) as MacAddress;
}

/**
 * A seed that is the same at each start of this service on this host, and another one for other services, hosts,
 * containers and network namespaces.
 * @param service what tells it from other services of the host: its files, the addresses that it listens at
 */
export function seedOfHost(service: string): string {
  return [textOf(() => readFileSync('/etc/machine-id', 'utf8')), hostname(), netns(), service].join('\0');
}

function netns(): string {
  return textOf(() => readlinkSync('/proc/self/ns/net'));
}

function textOf(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}
