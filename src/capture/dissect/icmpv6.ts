import type { Dissection, Dissector } from './dissection.ts';
import { flagsText, hexNumber, type Layer, named } from './layer.ts';
import { readMldQuery, readMldReport } from './mld.ts';

const TYPES: Readonly<Record<number, string>> = {
  1: 'destination unreachable',
  2: 'packet too big',
  3: 'time exceeded',
  4: 'parameter problem',
  128: 'echo request',
  129: 'echo reply',
  130: 'multicast listener query',
  131: 'multicast listener report',
  132: 'multicast listener done',
  133: 'router solicitation',
  134: 'router advertisement',
  135: 'neighbor solicitation',
  136: 'neighbor advertisement',
  137: 'redirect',
  143: 'multicast listener report v2',
};
const UNREACHABLE_CODES: Readonly<Record<number, string>> = {
  0: 'no route',
  1: 'prohibited',
  3: 'address',
  4: 'port',
};
const ND_OPTIONS: Readonly<Record<number, string>> = {
  1: 'source link-layer address',
  2: 'target link-layer address',
  3: 'prefix information',
  4: 'redirected header',
  5: 'MTU',
  14: 'nonce',
  25: 'recursive DNS servers',
  31: 'DNS search list',
};
const LAST_ERROR = 127;

/** RFC 4443, 4861, 2710 and 3810. */
export const dissectIcmpv6: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('ICMPv6', at, end);
  const type = layer.number('Type', 1, named(TYPES));
  const name = TYPES[type] ?? `type ${type}`;
  dissection.say({ info: name });
  const code = layer.number('Code', 1, type === 1 ? named(UNREACHABLE_CODES) : String);
  layer.number('Checksum', 2, (value) => hexNumber(value, 4));
  if (type <= LAST_ERROR) return error(dissection, layer, type, code, name);
  const read = MESSAGES[type];
  if (read === undefined) dissection.pass(undefined, layer.at, end);
  else dissection.say({ info: `${name}${read(layer)}` });
};

function error(dissection: Dissection, layer: Layer, type: number, code: number, name: string): void {
  const rest = layer.number(type === 2 ? 'MTU' : 'Rest of the header', 4);
  if (type === 1) dissection.say({ info: `${UNREACHABLE_CODES[code] ?? `code ${code}`} unreachable` });
  else dissection.say({ info: type === 2 ? `${name}, MTU ${rest}` : name });
  dissection.quote('IPv6', layer.at, layer.end);
}

/** What is behind the checksum, by type. @returns what follows the name of the type in the summary */
const MESSAGES: Readonly<Record<number, (layer: Layer) => string>> = {
  128: echo,
  129: echo,
  130: (layer) => readMldQuery(layer),
  131: (layer) => readMldReport(layer, 1),
  132: (layer) => readMldReport(layer, 1),
  133: (layer) => {
    layer.skip(4);
    return options(layer);
  },
  134: routerAdvertisement,
  135: (layer) => {
    layer.skip(4);
    return ` for ${layer.ipv6('Target')}${options(layer)}`;
  },
  136: (layer) => {
    layer.number('Flags', 4, (value) => flagsText(value >>> 29, ['override', 'solicited', 'router']));
    return ` ${layer.ipv6('Target')}${options(layer)}`;
  },
  137: (layer) => {
    layer.skip(4);
    const target = layer.ipv6('Target');
    return ` of ${layer.ipv6('Destination')} to ${target}${options(layer)}`;
  },
  143: (layer) => readMldReport(layer, 2),
};

function echo(layer: Layer): string {
  return `, id ${layer.number('Identifier', 2)}, seq ${layer.number('Sequence', 2)}, ${layer.left} octets`;
}

function routerAdvertisement(layer: Layer): string {
  layer.number('Hop limit', 1);
  layer.number('Flags', 1, (value) => flagsText(value, ['', '', '', '', '', '', 'other', 'managed']));
  const lifetime = layer.number('Router lifetime', 2, (value) => `${value} s`);
  layer.number('Reachable time', 4, (value) => `${value} ms`);
  layer.number('Retransmission timer', 4, (value) => `${value} ms`);
  return `, lifetime ${lifetime} s${options(layer)}`;
}

/** The options of neighbour discovery (RFC 4861, 4.6). */
function options(layer: Layer): string {
  let words = '';
  while (layer.left >= 2) {
    const [kind, units] = [layer.peek(layer.at, 1), layer.peek(layer.at + 1, 1)];
    const name = ND_OPTIONS[kind] ?? `type ${kind}`;
    // A length of 0 would never end (4.6: such a packet is discarded).
    if (units === 0) {
      layer.note('Option', `${name} of length 0`);
      break;
    }
    const end = layer.at + 8 * units;
    layer.group('Option', () => {
      layer.number('Type', 1, named(ND_OPTIONS));
      layer.number('Length', 1, () => `${8 * units} octets`);
      if ((kind === 1 || kind === 2) && units === 1) {
        const mac = layer.mac('Address');
        words += kind === 1 ? ` from ${mac}` : ` is at ${mac}`;
        return `${name}: ${mac}`;
      }
      if (kind === 3 && units === 4) return `${name}: ${prefix(layer)}`;
      if (kind === 5 && units === 1) {
        layer.skip(2);
        return `${name}: ${layer.number('Link MTU', 4)}`;
      }
      layer.octets('Data', end - layer.at);
      return name;
    });
  }
  return words;
}

function prefix(layer: Layer): string {
  const length = layer.number('Prefix length', 1);
  layer.number('Flags', 1, (value) => flagsText(value, ['', '', '', '', '', '', 'autonomous', 'on-link']));
  layer.number('Valid lifetime', 4, (value) => `${value} s`);
  layer.number('Preferred lifetime', 4, (value) => `${value} s`);
  layer.skip(4);
  return `${layer.ipv6('Prefix')}/${length}`;
}
