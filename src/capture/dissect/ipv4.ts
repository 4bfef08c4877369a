import type { Dissector } from './dissection.ts';
import { CUT, flagsText, hexNumber, named } from './layer.ts';
import { IP_PROTOCOLS, protocolName } from './types.ts';

const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;
const LEAST_BYTES = 20;
const OPTIONS: Readonly<Record<number, string>> = {
  0: 'end',
  1: 'no operation',
  7: 'record route',
  148: 'router alert',
};

/** RFC 791. */
export const dissectIpv4: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('IPv4', at, end);
  const headerBytes = (layer.peek(at, 1) & 0xf) * 4;
  layer.number('Version', 1, (value) => `${value >>> 4}, header of ${headerBytes} octets`);
  layer.number(
    'Differentiated services',
    1,
    (value) => `${hexNumber(value, 2)} (DSCP ${value >>> 2}, ECN ${value & 3})`,
  );
  const total = layer.number('Total length', 2);
  const identification = hexNumber(
    layer.number('Identification', 2, (value) => hexNumber(value, 4)),
    4,
  );
  const word = layer.peek(layer.at, 2);
  const offset = (word & OFFSET_MASK) * 8;
  layer.note('Fragment offset', String(offset), layer.at, 2);
  layer.number('Flags', 2, (value) => flagsText(value >>> 13, ['more fragments', 'do not fragment', 'reserved']));
  layer.number('Time to live', 1);
  const protocol = layer.number('Protocol', 1, named(IP_PROTOCOLS));
  layer.number('Header checksum', 2, (value) => hexNumber(value, 4));
  const source = layer.ipv4('Source');
  const destination = layer.ipv4('Destination');
  dissection.say({ source, destination, info: protocolName(protocol) });
  if (headerBytes < LEAST_BYTES) throw CUT;
  if (headerBytes > LEAST_BYTES) {
    layer.group('Options', () => {
      const first = layer.peek(layer.at, 1);
      layer.octets('Octets', headerBytes - LEAST_BYTES);
      return OPTIONS[first] ?? `type ${first}`;
    });
  }
  // Super-frames of Linux may have a total length of 0.
  const packetEnd = total === 0 ? layer.end : Math.min(layer.end, at + total);
  if (offset > 0 || (word & MORE_FRAGMENTS) !== 0) {
    const what = `fragment of ${protocolName(protocol)} at ${offset}, identification ${identification}`;
    dissection.say({ info: what });
    // Only the first fragment has the next header.
    dissection.quote(offset > 0 ? undefined : IP_PROTOCOLS[protocol], layer.at, packetEnd);
  } else if (!dissection.pass(IP_PROTOCOLS[protocol], layer.at, packetEnd)) {
    dissection.say({ protocol: IP_PROTOCOLS[protocol] ?? 'IPv4', info: protocolName(protocol) });
  }
};
