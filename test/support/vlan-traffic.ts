import { VLAN_MODES } from '../../src/wire/ethernet/vlan-mode.ts';
import type { Random } from './random.ts';
import type { ModelFrame, ModelPort, ModelTag } from './vlan-oracle.ts';

const VIDS = [1, 2, 10, 20, 4094];
const TPIDS = [0x8100, 0x8100, 0x88a8];

/** Random settings of a port, with VIDs that other ports are likely to have, too. */
export function anyModelPort(random: Random): ModelPort {
  const all = Array.from({ length: 4094 }, (_, at) => at + 1);
  const vlans = random.once(3) ? all : VIDS.filter(() => random.once(2));
  return {
    mode: random.pick(VLAN_MODES),
    pvid: random.pick(VIDS),
    vlans: new Set(vlans.length === 0 ? [random.pick(VIDS)] : vlans),
    tpid: random.pick(TPIDS),
  };
}

/** A random frame between few stations, with up to three tags. */
export function anyModelFrame(random: Random): ModelFrame {
  const tags = Array.from({ length: random.pick([0, 0, 1, 1, 1, 2, 3]) }, () => anyTag(random));
  const destination = random.once(8) ? 'ffffffffffff' : `02000000000${random.below(5)}`;
  // An EtherType for experiments.
  const rest = `88b5${random.bytes(random.between(0, 80)).toString('hex')}`;
  return { destination, source: `02000000000${random.below(5)}`, tags, rest };
}

function anyTag(random: Random): ModelTag {
  const vid = random.once(5) ? 0 : random.once(30) ? 4095 : random.pick(VIDS);
  return { tpid: random.pick(TPIDS), priority: random.once(2) ? 0 : random.below(16), vid };
}
