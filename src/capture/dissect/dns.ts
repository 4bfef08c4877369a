import { printable } from '../../wire/lldp/printable.ts';
import type { Dissector } from './dissection.ts';
import { CUT, flagsText, hexNumber, type Layer, named } from './layer.ts';

const TYPES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  13: 'HINFO',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  41: 'OPT',
  43: 'DS',
  46: 'RRSIG',
  47: 'NSEC',
  48: 'DNSKEY',
  64: 'SVCB',
  65: 'HTTPS',
  255: 'ANY',
  257: 'CAA',
};
const CODES: Readonly<Record<number, string>> = {
  0: 'no error',
  1: 'format error',
  2: 'server failure',
  3: 'no such name',
  5: 'refused',
};
const FLAGS = [
  '',
  '',
  '',
  '',
  'checking disabled',
  'authentic',
  '',
  'recursion available',
  'recursion desired',
  'truncated',
  'authoritative',
];
const RESPONSE = 0x8000;
const POINTER = 0xc0;
/** A name has at most 255 octets (RFC 1035, 2.3.4), so at most 127 labels. */
const MOST_LABELS = 128;
const MOST_SHOWN_ANSWERS = 3;

/** RFC 1035; RFC 6762 for mDNS. */
export function dissectDns(protocol: string): Dissector {
  return (dissection, at, end) => {
    const layer = dissection.layer(protocol, at, end);
    const id = layer.number('Identifier', 2, (value) => hexNumber(value, 4));
    const flags = layer.number('Flags', 2, (value) => flagsText(value & 0x7ff, FLAGS, 4));
    const isResponse = (flags & RESPONSE) !== 0;
    layer.note('Response', isResponse ? '1' : '0', at + 2, 1);
    layer.note('Code', named(CODES)(flags & 15), at + 3, 1);
    const counts = ['Questions', 'Answers', 'Authorities', 'Additional'].map((label) => layer.number(label, 2));
    // The identifier of mDNS is 0 (RFC 6762, 18.1).
    const head = `${isResponse ? 'response' : 'query'}${id === 0 ? '' : ` ${hexNumber(id, 4)}`}`;
    const code = flags & 15;
    const words: string[] = isResponse && code !== 0 ? [CODES[code] ?? `code ${code}`] : [];
    const tell = (text: string): void => {
      if (words.push(text) <= MOST_SHOWN_ANSWERS + 1) dissection.say({ info: `${head} ${words.join(', ')}` });
    };
    dissection.say({ info: [head, ...words].join(' ') });
    for (let index = 0; index < (counts[0] as number); index++)
      layer.group('Question', () => question(layer, at, tell));
    const sections = ['Answer', 'Authority', 'Additional record'] as const;
    for (const [section, label] of sections.entries()) {
      for (let index = 0; index < (counts[section + 1] as number); index++) {
        layer.group(label, () => record(layer, at, section === 0 ? tell : () => undefined));
      }
    }
  };
}

function question(layer: Layer, message: number, tell: (text: string) => void): string {
  const name = readName(layer, message, 'Name');
  const type = layer.number('Type', 2, named(TYPES));
  layer.number('Class', 2, classText);
  const text = `${TYPES[type] ?? `type ${type}`} ${name}`;
  tell(text);
  return text;
}

function record(layer: Layer, message: number, tell: (text: string) => void): string {
  const name = readName(layer, message, 'Name');
  const type = layer.number('Type', 2, named(TYPES));
  layer.number('Class', 2, classText);
  layer.number('Time to live', 4, (value) => `${value} s`);
  const size = layer.number('Data length', 2);
  const end = layer.at + size;
  const data = recordData(layer, message, type, size);
  if (end > layer.at) layer.octets('Data', end - layer.at);
  layer.at = end;
  const text = `${TYPES[type] ?? `type ${type}`} ${name}${data === '' ? '' : ` ${data}`}`;
  tell(data === '' ? text : `${TYPES[type] ?? `type ${type}`} ${data}`);
  return text;
}

function recordData(layer: Layer, message: number, type: number, size: number): string {
  const name = TYPES[type];
  if (name === 'A' && size === 4) return layer.ipv4('Address');
  if (name === 'AAAA' && size === 16) return layer.ipv6('Address');
  if (name === 'PTR' || name === 'CNAME' || name === 'NS') return readName(layer, message, 'Target');
  if (name === 'MX' && size > 2) return `${layer.number('Preference', 2)} ${readName(layer, message, 'Exchange')}`;
  if (name === 'SRV' && size > 6) {
    layer.number('Priority', 2);
    layer.number('Weight', 2);
    const port = layer.number('Port', 2);
    return `${readName(layer, message, 'Target')}:${port}`;
  }
  return name === 'TXT' && size > 0 ? layer.octets('Text', size, texts) : '';
}

/** The character strings of a TXT record (RFC 1035, 3.3.14). */
function texts(octets: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < octets.length; ) {
    const size = octets[at] as number;
    if (size > 0) parts.push(JSON.stringify(printable(octets.subarray(at + 1, at + 1 + size))));
    at += 1 + size;
  }
  return parts.join(' ');
}

/** In mDNS the highest bit is "cache flush", or "unicast response" (RFC 6762, 18.12 and 18.13). */
function classText(value: number): string {
  return `${value & 0x7fff}${(value & 0x7fff) === 1 ? ' (IN)' : ''}${(value & 0x8000) === 0 ? '' : ', highest bit set'}`;
}

/**
 * Reads a name with its compression (RFC 1035, 4.1.4). A pointer must point to octets in front of it, so that names end.
 * @param message where pointers count from
 */
function readName(layer: Layer, message: number, label: string): string {
  const labels: string[] = [];
  let at = layer.at;
  let after = 0;
  let limit = at;
  for (;;) {
    const size = layer.peek(at, 1);
    if (size === 0) break;
    if ((size & POINTER) === POINTER) {
      const target = message + (layer.peek(at, 2) & 0x3fff);
      if (after === 0) after = at + 2;
      if (target >= limit) throw CUT;
      limit = target;
      at = target;
      continue;
    }
    if ((size & POINTER) !== 0 || labels.length >= MOST_LABELS) throw CUT;
    layer.peek(at + size, 1);
    // Each record of a message may point to the same long name.
    layer.spend();
    labels.push(printable(layer.bytes.subarray(at + 1, at + 1 + size)));
    at += 1 + size;
  }
  const end = after === 0 ? at + 1 : after;
  const name = labels.length === 0 ? '.' : labels.join('.');
  layer.octets(label, end - layer.at, () => name);
  return name;
}
