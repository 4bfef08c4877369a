import { kindOf } from '../wire/ethernet/frame-kind.ts';

/**
 * Whether a frame is one of a DHCP server, or a router advertisement, and such frames are forbidden. If any are, a frame
 * whose headers cannot be read is, too.
 * @param length at least HEADER_BYTES
 */
export function isServerForbidden(
  bytes: Uint8Array,
  start: number,
  length: number,
  forbidsDhcpServer: boolean,
  forbidsRouterAdvertisements: boolean,
): boolean {
  const kind = kindOf(bytes, start, length);
  if (kind === 'dhcpServer') return forbidsDhcpServer;
  if (kind === 'routerAdvertisement') return forbidsRouterAdvertisements;
  return kind === 'unreadable';
}
