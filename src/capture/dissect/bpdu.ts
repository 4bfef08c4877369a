import { formatMacAddress, readMacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Dissector } from './dissection.ts';
import { hexNumber, type Layer, named } from './layer.ts';

const TYPE_CONFIG = 0;
const TYPE_RST = 2;
const TYPES: Readonly<Record<number, string>> = { 0: 'configuration', 2: 'rapid', 128: 'topology change notification' };
const VERSIONS: Readonly<Record<number, string>> = { 0: 'STP', 2: 'RSTP', 3: 'MSTP' };
const ROLES = ['unknown', 'alternate or backup', 'root', 'designated'] as const;
/** By bit, without the two of the role (IEEE 802.1D-2004, 9.3.3). */
const FLAGS = ['topology change', 'proposal', '', '', 'learning', 'forwarding', 'agreement', 'acknowledgment'];
const TICKS_PER_SECOND = 256;

/** IEEE 802.1D-2004, 9.3. */
export const dissectBpdu: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('BPDU', at, end);
  layer.number('Protocol', 2, (value) => hexNumber(value, 4));
  const version = layer.number('Version', 1, named(VERSIONS));
  const type = layer.number('Type', 1, (value) => `${hexNumber(value, 2)} (${TYPES[value] ?? 'unknown'})`);
  const protocol = VERSIONS[version] ?? 'BPDU';
  dissection.say({ protocol, info: TYPES[type] ?? `type ${hexNumber(type, 2)}` });
  if (type !== TYPE_CONFIG && type !== TYPE_RST) return;
  const flags = layer.number('Flags', 1, flagText);
  const root = bridgeId(layer, 'Root');
  const cost = layer.number('Root path cost', 4);
  const bridge = bridgeId(layer, 'Bridge');
  const port = hexNumber(
    layer.number('Port', 2, (value) => hexNumber(value, 4)),
    4,
  );
  for (const label of ['Message age', 'Maximum age', 'Hello time', 'Forward delay']) {
    layer.number(label, 2, (value) => `${value / TICKS_PER_SECOND} s`);
  }
  const role = type === TYPE_CONFIG ? '' : `${roleIn(flags)}, `;
  const change = (flags & 1) === 0 ? '' : ', topology change';
  dissection.say({ info: `${role}root ${root}, cost ${cost}, bridge ${bridge}, port ${port}${change}` });
};

function roleIn(flags: number): string {
  return ROLES[(flags >>> 2) & 3] as string;
}

function flagText(flags: number): string {
  const set = FLAGS.filter((name, bit) => name !== '' && ((flags >>> bit) & 1) === 1);
  return `${hexNumber(flags, 2)} (${[`role ${roleIn(flags)}`, ...set].join(', ')})`;
}

/** `32768.02:00:00:00:00:01`: the priority with its system ID extension, and the address. */
function bridgeId(layer: Layer, label: string): string {
  return layer.octets(label, 8, (octets) => {
    return `${((octets[0] as number) << 8) | (octets[1] as number)}.${formatMacAddress(readMacAddress(octets, 2))}`;
  });
}
