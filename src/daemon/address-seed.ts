import type { SwConfig } from '../config/sw-config.ts';
import { seedOfHost } from '../networks/own-address.ts';

/**
 * What the MAC addresses of the networks are made of: the host, and what the service does not share with another one
 * there. It stays the same across restarts, unless the kernel chooses the port.
 */
export function addressSeed({ tunnels, stateFile }: SwConfig): string {
  const { host, listenPort } = tunnels;
  const own = listenPort === 0 ? `${process.pid}` : `${listenPort}`;
  return seedOfHost([host ?? '', own, stateFile ?? ''].join('\0'));
}
