/** A limit as `getStatus` tells it. */
export interface Limit {
  readonly limit: string;
  readonly used: number;
  readonly most: number;
}

export interface ShownLimit extends Limit {
  /** in words */
  readonly name: string;
  /** 0 to 100 */
  readonly percent: number;
  readonly state: 'good' | 'near' | 'full';
}

/** A limit is near when this share is used; `etherws ctl status` and `listFinding` have the same. */
const NEAR_PERCENT = 80;

const NAMES: Readonly<Record<string, string>> = {
  '--fdb-size': 'Addresses of stations',
  '--max-tunnels': 'Tunnels',
  '--max-unproven': 'Connections without credentials yet',
  '--max-buffers': 'Octets that wait, in MiB',
  descriptors: 'Open files',
};

/** The limits with a name in words. */
export const KNOWN_LIMITS: readonly string[] = Object.keys(NAMES);

/** Those that are near first, the fullest of them at the top. The others keep their order, so that none jumps. */
export function shownLimits(limits: readonly Limit[]): ShownLimit[] {
  return limits
    .map((limit): ShownLimit => {
      const percent = limit.most <= 0 ? 100 : Math.min(100, (100 * limit.used) / limit.most);
      const state = percent >= 100 ? 'full' : percent >= NEAR_PERCENT ? 'near' : 'good';
      return { ...limit, percent, state, name: NAMES[limit.limit] ?? limit.limit };
    })
    .sort((one, other) => fullness(other) - fullness(one));
}

function fullness({ state, percent }: ShownLimit): number {
  return state === 'good' ? 0 : percent;
}
