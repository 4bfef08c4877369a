import { formatVids, parseVids } from './vid-list.ts';

/** How a port takes part in VLANs: its settings `vlanMode`, `pvid` and `vlans`. */
export interface VlanPart {
  readonly mode: 'transparent' | 'access' | 'trunk' | 'native';
  /** the VLAN of frames without a tag, of an access or native port */
  readonly pvid: number;
  /** the VLANs with tags, of a trunk or native port */
  readonly vids: ReadonlySet<number>;
}

/**
 * What a port is in a VLAN: `tagged` or `untagged` member (its PVID, too), `passing` for a transparent port, which sends
 * its frames as they came, or `none`.
 */
export type Membership = 'tagged' | 'untagged' | 'passing' | 'none';

/** A change of the settings of a port for one VLAN, or why there is none. */
export type Change =
  | { readonly settings: Readonly<Record<string, string | number>>; readonly warning: string | null }
  | { readonly refusal: string };

export function partOf(settings: Readonly<Record<string, unknown>>): VlanPart {
  const { vlanMode = 'transparent', pvid = 1, vlans = 'all' } = settings;
  return { mode: vlanMode as VlanPart['mode'], pvid: Number(pvid), vids: parseVids(String(vlans)) };
}

export function membershipOf({ mode, pvid, vids }: VlanPart, vid: number): Membership {
  if (mode === 'transparent') return 'passing';
  if (mode !== 'trunk' && vid === pvid) return 'untagged';
  return mode !== 'access' && vids.has(vid) ? 'tagged' : 'none';
}

/** The parameters of `setPort` that make a port what is wanted in one VLAN, and leave its other VLANs as they are if they can. */
export function changeFor(part: VlanPart, vid: number, wanted: Exclude<Membership, 'passing'>): Change {
  if (wanted === 'tagged') return tagged(part, vid);
  return wanted === 'untagged' ? untagged(part, vid) : left(part, vid);
}

const CEASES = 'The port passes all frames unchanged now. From then on it discards those of other VLANs.';

function tagged({ mode, pvid, vids }: VlanPart, vid: number): Change {
  if (mode === 'transparent') return { settings: trunk(new Set([vid])), warning: CEASES };
  const others = mode === 'access' ? new Set([vid]) : new Set([...vids, vid]);
  if (mode === 'trunk') return { settings: trunk(others), warning: null };
  if (vid !== pvid) return { settings: native(pvid, others), warning: null };
  return { settings: trunk(others), warning: 'Frames without a tag are discarded from then on.' };
}

function untagged({ mode, pvid, vids }: VlanPart, vid: number): Change {
  const replaced = `Frames without a tag are in VLAN ${vid} from then on, no more in VLAN ${pvid}.`;
  switch (mode) {
    case 'transparent':
      return { settings: { vlanMode: 'access', pvid: vid }, warning: CEASES };
    case 'access':
      return { settings: { vlanMode: 'access', pvid: vid }, warning: replaced };
    case 'trunk':
      return { settings: native(vid, without(vids, vid)), warning: null };
    case 'native':
      return { settings: native(vid, without(vids, vid)), warning: replaced };
  }
}

function left({ mode, pvid, vids }: VlanPart, vid: number): Change {
  if (mode === 'transparent')
    return { refusal: 'A transparent port passes all VLANs. Let it be tagged or untagged in another one.' };
  if (mode === 'access') return { refusal: 'An access port is in one VLAN. Let it be untagged in another one.' };
  const others = without(vids, vid);
  if (mode === 'native' && vid === pvid) {
    if (others.size === 0) return { refusal: 'It is the only VLAN of the port. Add it to another one first.' };
    return { settings: trunk(others), warning: 'Frames without a tag are discarded from then on.' };
  }
  if (others.size > 0) return { settings: mode === 'trunk' ? trunk(others) : native(pvid, others), warning: null };
  if (mode === 'native') return { settings: { vlanMode: 'access', pvid }, warning: null };
  return { refusal: 'It is the only VLAN of the port. Add it to another one first.' };
}

function trunk(vids: ReadonlySet<number>) {
  return { vlanMode: 'trunk', vlans: formatVids(vids) };
}

function native(pvid: number, vids: ReadonlySet<number>): Readonly<Record<string, string | number>> {
  return vids.size === 0 ? { vlanMode: 'access', pvid } : { vlanMode: 'native', pvid, vlans: formatVids(vids) };
}

function without(vids: ReadonlySet<number>, vid: number): ReadonlySet<number> {
  return new Set([...vids].filter((other) => other !== vid));
}

/** The command that does the same. */
export function commandOf(port: string | number, settings: Readonly<Record<string, string | number>>): string {
  const flags: Readonly<Record<string, string>> = { vlanMode: '--vlan-mode', pvid: '--pvid', vlans: '--vlans' };
  const options = Object.entries(settings).map(([name, value]) => `${flags[name] ?? name} ${value}`);
  return ['etherws ctl setport', port, ...options].join(' ');
}
