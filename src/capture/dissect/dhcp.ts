import { formatIpv4 } from '../../wire/ethernet/ip-address.ts';
import { printable } from '../../wire/lldp/printable.ts';
import type { Dissector } from './dissection.ts';
import { hexNumber, hexText, type Layer, named } from './layer.ts';

const MAGIC_COOKIE = 0x6382_5363;
const PAD = 0;
const END = 255;
const MESSAGE_TYPE = 53;
const TYPES: Readonly<Record<number, string>> = {
  1: 'DISCOVER',
  2: 'OFFER',
  3: 'REQUEST',
  4: 'DECLINE',
  5: 'ACK',
  6: 'NAK',
  7: 'RELEASE',
  8: 'INFORM',
};
/** Options of RFC 2132 with the kind of their value. */
const OPTIONS: Readonly<
  Record<number, readonly [name: string, kind: 'addresses' | 'text' | 'seconds' | 'octets' | 'type']>
> = {
  1: ['Subnet mask', 'addresses'],
  3: ['Routers', 'addresses'],
  6: ['DNS servers', 'addresses'],
  12: ['Host name', 'text'],
  15: ['Domain name', 'text'],
  28: ['Broadcast address', 'addresses'],
  42: ['NTP servers', 'addresses'],
  50: ['Requested address', 'addresses'],
  51: ['Lease time', 'seconds'],
  53: ['Message type', 'type'],
  54: ['Server', 'addresses'],
  55: ['Parameter list', 'octets'],
  56: ['Message', 'text'],
  58: ['Renewal time', 'seconds'],
  59: ['Rebinding time', 'seconds'],
  60: ['Vendor class', 'text'],
  61: ['Client identifier', 'octets'],
  82: ['Relay agent', 'octets'],
};

/** RFC 2131, figure 1. */
export const dissectDhcp: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('DHCP', at, end);
  layer.number('Operation', 1, named({ 1: 'request', 2: 'reply' }));
  layer.number('Hardware type', 1, named({ 1: 'Ethernet' }));
  const size = layer.number('Hardware size', 1);
  layer.number('Hops', 1);
  const transaction = hexNumber(
    layer.number('Transaction', 4, (value) => hexNumber(value, 8)),
    8,
  );
  layer.number('Seconds', 2);
  layer.number('Flags', 2, (value) => hexNumber(value, 4));
  layer.ipv4('Client address');
  const assigned = layer.ipv4('Your address');
  layer.ipv4('Server address');
  layer.ipv4('Relay address');
  const client = size === 6 ? layer.mac('Client MAC') : layer.octets('Client hardware address', 6);
  layer.skip(10);
  layer.octets('Server name', 64, printable);
  layer.octets('File', 128, printable);
  dissection.say({ protocol: 'BOOTP', info: `${transaction} ${client}` });
  if (layer.number('Magic cookie', 4, (value) => hexNumber(value, 8)) !== MAGIC_COOKIE) return;
  dissection.say({ protocol: 'DHCP' });
  const found: Partial<Record<number, string>> = {};
  const tell = (): void => {
    const type = found[MESSAGE_TYPE];
    const name = type === undefined ? '' : `${/\((.*)\)/.exec(type)?.[1] ?? type} `;
    const address = assigned !== '0.0.0.0' ? assigned : found[50];
    const host = found[12] === undefined ? '' : `, host ${found[12]}`;
    dissection.say({ info: `${name}${transaction} ${client}${address === undefined ? '' : ` ${address}`}${host}` });
  };
  try {
    readOptions(layer, found);
  } finally {
    tell();
  }
};

function readOptions(layer: Layer, found: Partial<Record<number, string>>): void {
  while (layer.left > 0) {
    const code = layer.peek(layer.at, 1);
    if (code === END) {
      layer.number('End', 1);
      return;
    }
    if (code === PAD) {
      layer.skip(1);
      continue;
    }
    const [label, kind] = OPTIONS[code] ?? [`Option ${code}`, 'octets'];
    layer.group(label, () => {
      layer.number('Code', 1);
      const size = layer.number('Length', 1);
      const text = layer.octets('Value', size, (value) => textOf(kind, value));
      found[code] ??= text;
      return text;
    });
  }
}

function textOf(kind: string, value: Uint8Array): string {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (kind === 'text') return printable(value);
  if (kind === 'type' && value.length === 1) return named(TYPES)(view.getUint8(0));
  if (kind === 'seconds' && value.length === 4) return `${view.getUint32(0)} s`;
  if (kind === 'addresses' && value.length > 0 && value.length % 4 === 0) {
    return Array.from({ length: value.length / 4 }, (_, index) => formatIpv4(view.getUint32(4 * index))).join(', ');
  }
  return hexText(value);
}
