import { valueOfCode8 } from '../../wire/multicast/response-code.ts';
import type { Dissector } from './dissection.ts';
import { hexNumber, type Layer, named } from './layer.ts';

const QUERY = 0x11;
const REPORT_V3 = 0x22;
const TYPES: Readonly<Record<number, string>> = {
  17: 'membership query',
  18: 'membership report v1',
  22: 'membership report v2',
  23: 'leave group',
  34: 'membership report v3',
  48: 'multicast router advertisement',
  50: 'multicast router termination',
};
/** Types of group records (RFC 3376, 4.2.12; RFC 3810, 5.2.12). */
export const RECORD_TYPES: Readonly<Record<number, string>> = {
  1: 'include',
  2: 'exclude',
  3: 'change to include',
  4: 'change to exclude',
  5: 'allow',
  6: 'block',
};

/** RFC 1112, 2236 and 3376. */
export const dissectIgmp: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('IGMP', at, end);
  const type = layer.number('Type', 1, (value) => named({ [value]: TYPES[value] ?? 'unknown' })(value));
  const name = TYPES[type] ?? `type ${hexNumber(type, 2)}`;
  dissection.say({ info: name });
  layer.number('Maximum response time', 1, (value) => `${valueOfCode8(value) / 10} s`);
  layer.number('Checksum', 2, (value) => hexNumber(value, 4));
  if (type === REPORT_V3) return dissection.say({ info: `${name}: ${records(layer)}` });
  const group = layer.ipv4('Group');
  dissection.say({ info: group === '0.0.0.0' ? `${name}, general` : `${name} of ${group}` });
  if (type !== QUERY || layer.left < 4) return;
  layer.number('Flags and robustness', 1);
  layer.number('Querier interval code', 1);
  const sources = layer.number('Number of sources', 2);
  for (let index = 0; index < sources; index++) layer.ipv4('Source');
};

function records(layer: Layer): string {
  layer.skip(2);
  const count = layer.number('Number of records', 2);
  const words: string[] = [];
  for (let index = 0; index < count; index++) {
    layer.group('Record', () => {
      const type = layer.number('Type', 1, named(RECORD_TYPES));
      const auxiliary = layer.number('Auxiliary length', 1) * 4;
      const sources = layer.number('Number of sources', 2);
      const group = layer.ipv4('Group');
      for (let source = 0; source < sources; source++) layer.ipv4('Source');
      layer.skip(auxiliary);
      const text = `${RECORD_TYPES[type] ?? `type ${type}`} ${group}`;
      if (words.length < 3) words.push(text);
      return text;
    });
  }
  return `${words.join('; ')}${count > words.length ? '; …' : ''}`;
}
