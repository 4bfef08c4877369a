import { readdirSync, readlinkSync } from 'node:fs';
import { nativeAddon } from '../../src/native/addon.ts';
import type { Descriptor } from '../../src/native/descriptors.ts';
import { within } from './waits.ts';

/** The open descriptors of this process, sorted, for a comparison of before and after. */
export function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return `${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`;
      } catch {
        return undefined; // the descriptor of the directory itself
      }
    })
    .filter((entry) => entry !== undefined)
    .sort();
}

/** Closes a descriptor of the addon; resolves when it is closed. Idempotent. */
export function closeDescriptor(descriptor: Descriptor): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    if (!nativeAddon().close(descriptor, resolve)) resolve();
  });
  return within(closed, 'end of a descriptor of the addon');
}
