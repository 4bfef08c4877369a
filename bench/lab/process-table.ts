import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The unit of times in /proc (USER_HZ). */
const TICKS_PER_SECOND = 100;
const BYTES_PER_KIB = 1024;

/** The processes whose network namespace has this inode. */
export function processesInNamespace(inode: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => attempt(() => readlinkSync(`/proc/${name}/ns/net`)) === `net:[${inode}]`)
    .map(Number);
}

/** The processor time of all threads of the processes, in seconds; an ended process counts 0. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
    if (stat === undefined) continue;
    // The second field is the program's name and may contain spaces; utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

/** The resident memory of the processes (VmRSS), in bytes. */
export function residentBytes(pids: readonly number[]): number {
  let kib = 0;
  for (const pid of pids) {
    const status = attempt(() => readFileSync(`/proc/${pid}/status`, 'utf8'));
    kib += Number(/^VmRSS:\s+(\d+) kB$/m.exec(status ?? '')?.[1] ?? 0);
  }
  return kib * BYTES_PER_KIB;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
