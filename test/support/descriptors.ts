import { readdirSync, readlinkSync } from 'node:fs';

/** What this process has open, sorted: to compare before and after. */
export function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return `${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`;
      } catch {
        return undefined; // the one that listed the directory
      }
    })
    .filter((entry) => entry !== undefined)
    .sort();
}
