import { valueOfCode16 } from '../../wire/multicast/response-code.ts';
import { RECORD_TYPES } from './igmp.ts';
import type { Layer } from './layer.ts';
import { named } from './layer.ts';

/** A query of MLD, behind the checksum (RFC 2710, 3; RFC 3810, 5.1). */
export function readMldQuery(layer: Layer): string {
  layer.number('Maximum response delay', 2, (value) => `${valueOfCode16(value)} ms`);
  layer.skip(2);
  const group = layer.ipv6('Group');
  const words = group === '::' ? ', general' : ` of ${group}`;
  if (layer.left < 4) return words;
  layer.number('Flags and robustness', 1);
  layer.number('Querier interval code', 1);
  const sources = layer.number('Number of sources', 2);
  for (let index = 0; index < sources; index++) layer.ipv6('Source');
  return words;
}

/** A report, or "done", behind the checksum (RFC 2710, 3; RFC 3810, 5.2). */
export function readMldReport(layer: Layer, version: 1 | 2): string {
  if (version === 1) {
    layer.skip(4);
    return ` ${layer.ipv6('Group')}`;
  }
  layer.skip(2);
  const records = layer.number('Number of records', 2);
  const words: string[] = [];
  for (let index = 0; index < records; index++) {
    layer.group('Record', () => {
      const type = layer.number('Type', 1, named(RECORD_TYPES));
      const auxiliary = layer.number('Auxiliary length', 1) * 4;
      const sources = layer.number('Number of sources', 2);
      const group = layer.ipv6('Group');
      for (let source = 0; source < sources; source++) layer.ipv6('Source');
      layer.skip(auxiliary);
      const text = `${RECORD_TYPES[type] ?? `type ${type}`} ${group}`;
      if (words.length < 3) words.push(text);
      return text;
    });
  }
  return `: ${words.join('; ')}${records > words.length ? '; …' : ''}`;
}
