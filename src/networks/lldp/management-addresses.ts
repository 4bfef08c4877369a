import type { BridgePort } from '../../bridge/bridge-port.ts';
import { detailsOf } from '../../bridge/port-details.ts';
import type { ManagementAddress } from '../../wire/lldp/lldpdu.ts';
import { managementAddress } from '../../wire/lldp/management-address.ts';

/**
 * The addresses that LLDPDUs of a network name (IEEE 802.1AB-2016, 8.5.9).
 * @param setting `none`; `auto`; or addresses with commas between them
 * @param ports those of the network
 * @param control the address that the control service listens at, if it is one
 * @returns with `auto` the first IPv4 and the first IPv6 address of the devices, which stations of this network see
 *   anyway; where no device has an address, that of the control service, unless it is one of this host alone
 */
export function managementAddresses(
  setting: string,
  ports: Iterable<BridgePort>,
  control: string | undefined,
): ManagementAddress[] {
  if (setting === 'none') return [];
  if (setting !== 'auto') return setting.split(',').flatMap((text) => managementAddress(text) ?? []);
  const found = firstOfEachFamily(ports);
  if (found.length > 0) return found;
  return control === undefined || isOfHostAlone(control) ? [] : [managementAddress(control) ?? []].flat();
}

function firstOfEachFamily(ports: Iterable<BridgePort>): ManagementAddress[] {
  const found = new Map<number, ManagementAddress>();
  for (const port of ports) {
    for (const text of addressesOf(port)) {
      const address = isOfHostAlone(text) ? undefined : managementAddress(text, port.number);
      if (address !== undefined && !found.has(address.family)) found.set(address.family, address);
    }
  }
  return [...found.values()].sort((one, other) => one.family - other.family);
}

function addressesOf({ port }: BridgePort): string[] {
  const details = detailsOf(port);
  // A device in another network namespace may be one of a guest.
  if (details?.kind !== 'device' || details.netns !== undefined) return [];
  try {
    return details.networkInterface.read().addresses.map(({ address }) => address);
  } catch {
    // The device is gone, or must not be read.
    return [];
  }
}

/** Addresses by which no other host finds this one: of the loopback, and of one link, which mean nothing without it. */
function isOfHostAlone(address: string): boolean {
  return /^(?:127\.|::1$|::ffff:127\.|169\.254\.|fe[89ab][0-9a-f]:)/i.test(address);
}
