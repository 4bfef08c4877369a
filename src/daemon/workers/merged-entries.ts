import type { EndpointEntry, StatusEntry } from '../../control/schema.ts';

/** How entries of several processes become those of one service. */

export type AnyEntry = Readonly<Record<string, unknown>>;

const MOST_FAULTS = 20;

/** Whether an entry is none of the mesh between the processes: another process has the station or the port itself. */
export function isOutside({ type, kind }: AnyEntry): boolean {
  return type !== 'mesh' && kind !== 'told';
}

/**
 * The entries of `listMdb` of all processes, without what is behind the mesh between them: another process has the members,
 * routers and queriers there. Each process that asks for groups is the switch itself, which is listed once.
 * @param ports those of all processes
 */
export function mdbOf(entries: readonly AnyEntry[], ports: Iterable<AnyEntry>): AnyEntry[] {
  const mesh = new Set<unknown>();
  for (const { type, port } of ports) if (type === 'mesh') mesh.add(port);
  const known = new Set<string>();
  return entries.filter(({ kind, network, vid, address, port }) => {
    if (port !== null || kind !== 'querier') return !mesh.has(port);
    const key = `${network}|${vid}|${address}`;
    const isNew = !known.has(key);
    known.add(key);
    return isNew;
  });
}

/** Adds numbers up; of other members those of the first entry count. */
export function summed(entries: readonly AnyEntry[]): AnyEntry {
  const [first = {}, ...others] = entries;
  const sum: Record<string, unknown> = { ...first };
  for (const other of others) {
    for (const [key, value] of Object.entries(other)) {
      if (typeof value === 'number') sum[key] = value + ((sum[key] as number | undefined) ?? 0);
    }
  }
  return sum;
}

/** The entries of networks of all processes, one for each network. @param ports those of all processes */
export function networksOf(entries: readonly AnyEntry[], ports: Iterable<AnyEntry>): AnyEntry[] {
  const counts = new Map<unknown, number>();
  for (const { type, network } of ports) if (type !== 'mesh') counts.set(network, (counts.get(network) ?? 0) + 1);
  return grouped(entries, ({ network }) => String(network)).map((entry) => ({
    ...entry,
    ports: counts.get(entry['network']) ?? 0,
  }));
}

/** The entries of VLANs of all processes, one for each VLAN of a network. @param ports those of all processes */
export function vlansOf(entries: readonly AnyEntry[], ports: Iterable<AnyEntry>): AnyEntry[] {
  const mesh = new Set<unknown>();
  for (const { type, port } of ports) if (type === 'mesh') mesh.add(port);
  const outside = (numbers: unknown): unknown[] => (numbers as unknown[]).filter((number) => !mesh.has(number));
  return grouped(entries, ({ network, vid }) => `${network}|${vid}`).map((entry) => ({
    ...entry,
    tagged: outside(entry['tagged']),
    untagged: outside(entry['untagged']),
  }));
}

/**
 * One entry for those of all processes with one key: lists one behind the other. Each process counts the addresses of the
 * others as well, so the highest count is that of all.
 */
function grouped(entries: readonly AnyEntry[], keyOf: (entry: AnyEntry) => string): AnyEntry[] {
  const groups = new Map<string, AnyEntry>();
  for (const entry of entries) {
    const former = groups.get(keyOf(entry));
    const merged: Record<string, unknown> = { ...(former ?? entry) };
    if (former !== undefined) {
      for (const [member, value] of Object.entries(entry)) {
        const before = former[member];
        if (Array.isArray(value) && Array.isArray(before)) merged[member] = [...before, ...value];
        if (member === 'addresses') merged[member] = Math.max(Number(before), Number(value));
      }
    }
    groups.set(keyOf(entry), merged);
  }
  return [...groups.values()];
}

export function doorsOf(all: readonly (readonly EndpointEntry[])[]): EndpointEntry[] {
  const [own = [], ...others] = all;
  return own.map((door) => {
    const same = others.flat().filter(({ service }) => service === door.service);
    return {
      ...door,
      counters: summed([door.counters, ...same.map(({ counters }) => counters)]) as typeof door.counters,
    };
  });
}

/** The status of the service: that of the first process, with the ports, tunnels and memory of all. */
export function statusOf([first, ...others]: readonly StatusEntry[]): StatusEntry | undefined {
  if (first === undefined) return undefined;
  const all = [first, ...others];
  return {
    ...first,
    ports: summed(all.map(({ ports }) => ports)) as StatusEntry['ports'],
    tunnels: summed(all.map(({ tunnels }) => tunnels)) as StatusEntry['tunnels'],
    faults: all
      .flatMap(({ faults }) => faults)
      .sort((a, b) => b.frames - a.frames)
      .slice(0, MOST_FAULTS),
    memory: summed(all.map(({ memory }) => memory)) as StatusEntry['memory'],
    limits: first.limits.map((limit) => {
      if (limit.limit !== '--max-tunnels') return limit;
      const used = all.map(({ limits }) => limits.find((other) => other.limit === limit.limit)?.used ?? 0);
      return { ...limit, used: used.reduce((sum, each) => sum + each, 0) };
    }),
  };
}
