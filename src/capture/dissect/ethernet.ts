import type { Dissection, Dissector } from './dissection.ts';
import { hexNumber, type Layer } from './layer.ts';
import { ETHER_TYPES, LEAST_TYPE, showEtherType } from './types.ts';

/** The LSAP of spanning tree (IEEE 802.1D-2004, 7.12.3), and that of SNAP (IEEE 802-2014, 9.4). */
const LSAP_SPANNING_TREE = 0x42;
const LSAP_SNAP = 0xaa;

export const dissectEthernet: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('Ethernet', at, end);
  const destination = layer.mac('Destination');
  const source = layer.mac('Source');
  dissection.say({ source, destination, info: '' });
  passType(dissection, layer);
};

/** A tag (IEEE 802.1Q-2022, 9.3) behind its TPID. */
export function dissectTag(protocol: string): Dissector {
  return (dissection, at, end) => {
    const layer = dissection.layer(protocol, at, end);
    const tci = layer.peek(at, 2);
    layer.note('Priority', String(tci >>> 13), at, 2);
    layer.note('Drop eligible', String((tci >>> 12) & 1), at, 2);
    layer.number('VID', 2, (value) => String(value & 0xfff));
    passType(dissection, layer);
  };
}

/** Reads an EtherType, and what is behind it. */
function passType(dissection: Dissection, layer: Layer): void {
  const type = layer.number('Type', 2, showEtherType);
  if (type < LEAST_TYPE) llc(dissection, layer.at, Math.min(layer.end, layer.at + type));
  else if (!dissection.pass(ETHER_TYPES[type], layer.at, layer.end)) {
    dissection.say({ protocol: ETHER_TYPES[type] ?? 'Ethernet', info: `type ${showEtherType(type)}` });
  }
}

/** A logical link control header (ISO/IEC 8802-2). */
function llc(dissection: Dissection, at: number, end: number): void {
  const layer = dissection.layer('LLC', at, end);
  const destination = layer.number('Destination SAP', 1, (value) => hexNumber(value, 2));
  const source = layer.number('Source SAP', 1, (value) => hexNumber(value, 2));
  const control = layer.number('Control', 1, (value) => hexNumber(value, 2));
  dissection.say({
    info: `SAP ${hexNumber(source, 2)} → ${hexNumber(destination, 2)}, control ${hexNumber(control, 2)}`,
  });
  if (destination === LSAP_SPANNING_TREE) dissection.pass('BPDU', layer.at, end);
  else if (destination === LSAP_SNAP) snap(dissection, layer.at, end);
  else dissection.pass(undefined, layer.at, end);
}

function snap(dissection: Dissection, at: number, end: number): void {
  const layer = dissection.layer('SNAP', at, end);
  const organization = layer.octets('Organization', 3);
  // The organization 0 means that the protocol is an EtherType (RFC 1042).
  if (organization === '000000' && layer.peek(layer.at, 2) >= LEAST_TYPE) {
    passType(dissection, layer);
    return;
  }
  const protocol = layer.number('Protocol', 2, (value) => hexNumber(value, 4));
  dissection.say({ info: `organization ${organization}, protocol ${hexNumber(protocol, 4)}` });
  dissection.pass(undefined, layer.at, end);
}
