import type { Dissection, Dissector } from './dissection.ts';
import { hexNumber, type Layer, named } from './layer.ts';
import { IP_PROTOCOLS, protocolName } from './types.ts';

const PAD_1 = 0;
const OPTIONS: Readonly<Record<number, string>> = { 0: 'Pad1', 1: 'PadN', 5: 'router alert', 194: 'jumbo payload' };

/** Reads what a next-header field announces. */
export function passNext(dissection: Dissection, next: number, at: number, end: number): void {
  if (dissection.pass(IP_PROTOCOLS[next], at, end)) return;
  dissection.say({ protocol: IP_PROTOCOLS[next] ?? 'IPv6', info: protocolName(next) });
}

function begin(dissection: Dissection, protocol: string, at: number, end: number): { layer: Layer; next: number } {
  const layer = dissection.layer(protocol, at, end);
  // An extension header does not replace the name of its packet in the summary.
  dissection.say({ protocol: 'IPv6' });
  const next = layer.number('Next header', 1, named(IP_PROTOCOLS));
  dissection.say({ info: protocolName(next) });
  return { layer, next };
}

/** Hop-by-hop or destination options (RFC 8200, 4.3 and 4.6). */
export function dissectOptions(protocol: string): Dissector {
  return (dissection, at, end) => {
    const { layer, next } = begin(dissection, protocol, at, end);
    const headerEnd = at + lengthOf(layer, 8);
    while (layer.at < headerEnd) layer.group('Option', () => option(layer));
    passNext(dissection, next, headerEnd, end);
  };
}

function option(layer: Layer): string {
  const type = layer.number('Type', 1, named(OPTIONS));
  if (type !== PAD_1) layer.octets('Value', layer.number('Length', 1));
  return OPTIONS[type] ?? `type ${type}`;
}

/** RFC 8200, 4.4. */
export const dissectRouting: Dissector = (dissection, at, end) => {
  const { layer, next } = begin(dissection, 'Routing header', at, end);
  const bytes = lengthOf(layer, 8);
  layer.number('Type', 1);
  layer.number('Segments left', 1);
  layer.octets('Data', bytes - 4);
  passNext(dissection, next, layer.at, end);
};

/** RFC 4302. Its length is in units of four octets, less two. */
export const dissectAuthentication: Dissector = (dissection, at, end) => {
  const { layer, next } = begin(dissection, 'AH', at, end);
  const bytes = lengthOf(layer, 4);
  layer.skip(2);
  layer.octets('SPI', 4);
  layer.number('Sequence', 4);
  layer.octets('Integrity check value', bytes - 12);
  passNext(dissection, next, layer.at, end);
};

/** RFC 8200, 4.5. */
export const dissectFragment: Dissector = (dissection, at, end) => {
  const { layer, next } = begin(dissection, 'Fragment header', at, end);
  layer.skip(1);
  const word = layer.peek(layer.at, 2);
  const offset = word & 0xfff8;
  layer.note('More fragments', String(word & 1), layer.at, 2);
  layer.number('Fragment offset', 2, () => String(offset));
  const identification = layer.number('Identification', 4, (value) => hexNumber(value, 8));
  if (offset === 0 && (word & 1) === 0) return passNext(dissection, next, layer.at, end);
  const what = `fragment of ${protocolName(next)} at ${offset}, identification ${hexNumber(identification, 8)}`;
  dissection.say({ info: what });
  dissection.quote(offset > 0 ? undefined : IP_PROTOCOLS[next], layer.at, end);
};

/** The length field: the octets of the whole header. */
function lengthOf(layer: Layer, unit: number): number {
  const octets = layer.peek(layer.at, 1) * unit + 8;
  layer.number('Length', 1, () => `${octets} octets`);
  return octets;
}
