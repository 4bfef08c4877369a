/** The VLAN IDs of a setting: `all`, or those of `10,20,30-40`. */

export const MIN_VID = 1;
export const MAX_VID = 4094;

const EVERY: ReadonlySet<number> = new Set(Array.from({ length: MAX_VID }, (_, at) => at + MIN_VID));

/** Reads a list as the switch tells it. What is no list is empty. */
export function parseVids(list: string): ReadonlySet<number> {
  if (list === 'all') return EVERY;
  const vids = new Set<number>();
  for (const part of list.split(',')) {
    const [, from, to] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim()) ?? [];
    if (from === undefined) continue;
    const last = Math.min(Number(to ?? from), MAX_VID);
    for (let vid = Math.max(Number(from), MIN_VID); vid <= last; vid++) vids.add(vid);
  }
  return vids;
}

/** The shortest list of these VIDs; empty for none. */
export function formatVids(vids: ReadonlySet<number>): string {
  if (vids.size === MAX_VID) return 'all';
  const sorted = [...vids].sort((one, other) => one - other);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while (sorted[end + 1] === (sorted[end] as number) + 1) end++;
    const [first, last] = [sorted[at] as number, sorted[end] as number];
    if (end === at) parts.push(String(first));
    else parts.push(end === at + 1 ? `${first},${last}` : `${first}-${last}`);
    at = end + 1;
  }
  return parts.join(',');
}
