import { execFileSync } from 'node:child_process';

/** What the tunnels between processes have carried since they were opened, at all of their ends together. */
export interface TunnelTraffic {
  readonly tunnels: number;
  /** octets that were handed to TCP */
  readonly octets: number;
  /** segments of TCP, with those that have no octets */
  readonly segments: number;
}

/** Reads the counters of the kernel. @param processes of connections whose both ends are theirs */
export function trafficBetween(processes: ReadonlySet<number>): TunnelTraffic {
  const text = execFileSync('ss', ['-tinpHO', 'state', 'established'], { encoding: 'utf8', maxBuffer: 1 << 26 });
  const ends = text.split('\n').flatMap((line) => {
    const [, , here, there] = line.trim().split(/\s+/);
    const processId = Number(/pid=(\d+)/.exec(line)?.[1] ?? Number.NaN);
    if (here === undefined || there === undefined || !processes.has(processId)) return [];
    const countOf = (name: string): number => Number(new RegExp(`\\b${name}:(\\d+)`).exec(line)?.[1] ?? 0);
    return [{ here, there, octets: countOf('bytes_sent'), segments: countOf('segs_out') }];
  });
  // Both addresses: the kernel gives one port to several connections that have different peers.
  const own = new Set(ends.map(({ here, there }) => `${here} ${there}`));
  const between = ends.filter(({ here, there }) => own.has(`${there} ${here}`));
  return {
    tunnels: between.length / 2,
    octets: between.reduce((sum, { octets }) => sum + octets, 0),
    segments: between.reduce((sum, { segments }) => sum + segments, 0),
  };
}
