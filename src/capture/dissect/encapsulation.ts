import type { Dissector } from './dissection.ts';
import { flagsText, hexNumber } from './layer.ts';
import { ETHER_TYPES, showEtherType } from './types.ts';

/** RFC 2784 and 2890: each of these flags brings a field of four octets. */
const GRE_FIELDS: readonly (readonly [flag: number, label: string])[] = [
  [0x8000, 'Checksum'],
  [0x2000, 'Key'],
  [0x1000, 'Sequence'],
];

export const dissectGre: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('GRE', at, end);
  const flags = layer.number('Flags', 2, (value) => hexNumber(value, 4));
  const type = layer.number('Type', 2, showEtherType);
  dissection.say({ info: showEtherType(type) });
  for (const [flag, label] of GRE_FIELDS)
    if ((flags & flag) !== 0) layer.number(label, 4, (value) => hexNumber(value, 8));
  dissection.pass(ETHER_TYPES[type], layer.at, end);
};

/** RFC 7348. */
export const dissectVxlan: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('VXLAN', at, end);
  layer.number('Flags', 1, (value) => flagsText(value, ['', '', '', 'VNI']));
  layer.skip(3);
  const vni = layer.number('VNI', 3);
  layer.skip(1);
  dissection.say({ info: `VNI ${vni}` });
  dissection.pass('Ethernet', layer.at, end);
};
