import { readdirSync, readlinkSync } from 'node:fs';
import { nativeAddon } from '../../src/native/addon.ts';
import type { Descriptor } from '../../src/native/descriptors.ts';
import { within } from './waits.ts';

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

/** Closes what the addon has opened; resolves when it is closed. Nothing happens when it was closed before. */
export function closeDescriptor(descriptor: Descriptor): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    if (!nativeAddon().close(descriptor, resolve)) resolve();
  });
  return within(closed, 'end of a descriptor of the addon');
}
