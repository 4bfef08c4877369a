import { formatIpv4 } from '../../wire/ethernet/ip-address.ts';
import { formatMacAddress, readMacAddress } from '../../wire/ethernet/mac-address.ts';
import { CHASSIS, capabilityNames, PORT, TLV } from '../../wire/lldp/lldpdu.ts';
import { printable } from '../../wire/lldp/printable.ts';
import type { Dissector } from './dissection.ts';
import { hexText, ipv6At, type Layer, named } from './layer.ts';

const NAMES: Readonly<Record<number, string>> = {
  [TLV.end]: 'End',
  [TLV.chassisId]: 'Chassis',
  [TLV.portId]: 'Port',
  [TLV.ttl]: 'Time to live',
  [TLV.portDescription]: 'Port description',
  [TLV.systemName]: 'System name',
  [TLV.systemDescription]: 'System description',
  [TLV.capabilities]: 'Capabilities',
  [TLV.managementAddress]: 'Management address',
  [TLV.organization]: 'Organization',
};
const CHASSIS_SUBTYPES = named({
  1: 'chassis component',
  2: 'alias',
  4: 'MAC address',
  5: 'address',
  6: 'name',
  7: 'local',
});
const PORT_SUBTYPES = named({ 1: 'alias', 3: 'MAC address', 4: 'address', 5: 'name', 7: 'local' });

/** IEEE 802.1AB-2016, clause 8. */
export const dissectLldp: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('LLDP', at, end);
  const found: Partial<Record<number, string>> = {};
  while (layer.left >= 2) {
    const header = layer.peek(layer.at, 2);
    const [type, octets] = [header >>> 9, header & 0x1ff];
    const label = NAMES[type] ?? `Type ${type}`;
    layer.group(label, () => {
      layer.number('Type', 2, () => `${type}, ${octets} octets`);
      const from = layer.at;
      const text = readValue(layer, type, octets);
      layer.skip(Math.max(0, from + octets - layer.at));
      found[type] ??= text;
      return text;
    });
    if (type === TLV.end) break;
    const name = found[TLV.systemName] ?? found[TLV.chassisId];
    dissection.say({ info: [name, found[TLV.portId]].filter((word) => word !== undefined).join(', port ') });
  }
};

function readValue(layer: Layer, type: number, octets: number): string {
  switch (type) {
    case TLV.end:
      return '';
    case TLV.chassisId:
      return identifier(layer, octets, CHASSIS_SUBTYPES, CHASSIS.macAddress, CHASSIS.networkAddress);
    case TLV.portId:
      return identifier(layer, octets, PORT_SUBTYPES, PORT.macAddress, PORT.networkAddress);
    case TLV.ttl:
      return `${layer.number('Seconds', 2)} s`;
    case TLV.portDescription:
    case TLV.systemName:
    case TLV.systemDescription:
      return layer.octets('Text', octets, printable);
    case TLV.capabilities: {
      layer.number('Supported', 2, (bits) => capabilityNames(bits).join(', '));
      const enabled = layer.number('Enabled', 2, (bits) => capabilityNames(bits).join(', '));
      return capabilityNames(enabled).join(', ');
    }
    case TLV.managementAddress: {
      const size = layer.number('Address length', 1);
      const address = layer.octets('Address', size, addressText);
      return address;
    }
    default:
      return layer.octets('Value', octets);
  }
}

function identifier(
  layer: Layer,
  octets: number,
  subtypes: (subtype: number) => string,
  macAddress: number,
  networkAddress: number,
): string {
  const subtype = layer.number('Subtype', 1, subtypes);
  return layer.octets('Identifier', octets - 1, (value) => {
    if (subtype === macAddress && value.length === 6) return formatMacAddress(readMacAddress(value, 0));
    return subtype === networkAddress ? addressText(value) : printable(value);
  });
}

/** An IANA address family in one octet, and the address. */
function addressText(octets: Uint8Array): string {
  const [family, value] = [octets[0], octets.subarray(1)];
  if (family === 1 && value.length === 4) return formatIpv4(new DataView(value.buffer, value.byteOffset).getUint32(0));
  if (family === 2 && value.length === 16) return ipv6At(value, 0);
  if (family === 6 && value.length === 6) return formatMacAddress(readMacAddress(value, 0));
  return hexText(octets);
}
