import type { Dissector } from './dissection.ts';
import { passNext } from './ipv6-extensions.ts';
import { hexNumber, named } from './layer.ts';
import { IP_PROTOCOLS, protocolName } from './types.ts';

/** RFC 8200, clause 3. */
export const dissectIpv6: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('IPv6', at, end);
  const first = layer.peek(at, 4);
  layer.note('Traffic class', hexNumber((first >>> 20) & 0xff, 2), at, 2);
  layer.note('Flow label', hexNumber(first & 0xfffff, 5), at + 1, 3);
  layer.number('Version', 4, (value) => String(value >>> 28));
  const length = layer.number('Payload length', 2);
  const next = layer.number('Next header', 1, named(IP_PROTOCOLS));
  layer.number('Hop limit', 1);
  const source = layer.ipv6('Source');
  const destination = layer.ipv6('Destination');
  dissection.say({ source, destination, info: protocolName(next) });
  // Super-frames of Linux, and jumbograms, have a payload length of 0.
  passNext(dissection, next, layer.at, length === 0 ? layer.end : Math.min(layer.end, layer.at + length));
};
