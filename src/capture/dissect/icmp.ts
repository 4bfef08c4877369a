import type { Dissector } from './dissection.ts';
import { hexNumber, named } from './layer.ts';

const ECHO_REPLY = 0;
const UNREACHABLE = 3;
const REDIRECT = 5;
const ECHO = 8;
const TYPES: Readonly<Record<number, string>> = {
  0: 'echo reply',
  3: 'destination unreachable',
  4: 'source quench',
  5: 'redirect',
  8: 'echo request',
  9: 'router advertisement',
  10: 'router solicitation',
  11: 'time exceeded',
  12: 'parameter problem',
  13: 'timestamp',
  14: 'timestamp reply',
};
/** Errors, which quote a packet. */
const ERRORS: readonly number[] = [3, 4, 5, 11, 12];
const UNREACHABLE_CODES: Readonly<Record<number, string>> = {
  0: 'network',
  1: 'host',
  2: 'protocol',
  3: 'port',
  4: 'fragmentation needed',
  13: 'prohibited',
};

/** RFC 792. */
export const dissectIcmp: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('ICMP', at, end);
  const type = layer.number('Type', 1, named(TYPES));
  const name = TYPES[type] ?? `type ${type}`;
  dissection.say({ info: name });
  const code = layer.number('Code', 1, type === UNREACHABLE ? named(UNREACHABLE_CODES) : String);
  layer.number('Checksum', 2, (value) => hexNumber(value, 4));
  if (type === ECHO || type === ECHO_REPLY) {
    const identifier = layer.number('Identifier', 2);
    const sequence = layer.number('Sequence', 2);
    dissection.say({ info: `${name}, id ${identifier}, seq ${sequence}, ${layer.left} octets` });
    dissection.pass(undefined, layer.at, end);
  } else if (ERRORS.includes(type)) {
    if (type === REDIRECT) dissection.say({ info: `${name} to ${layer.ipv4('Gateway')}` });
    else {
      const rest = layer.number('Rest of the header', 4, (value) => hexNumber(value, 8));
      if (type === UNREACHABLE) dissection.say({ info: `${UNREACHABLE_CODES[code] ?? `code ${code}`} unreachable` });
      if (type === UNREACHABLE && code === 4) dissection.say({ info: `fragmentation needed, MTU ${rest & 0xffff}` });
    }
    dissection.quote('IPv4', layer.at, end);
  } else dissection.pass(undefined, layer.at, end);
};
