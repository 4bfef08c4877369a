import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the garbage collector's nursery at the size that it begins with, 1 MiB.
 * Frames wait while it is cleared, and that takes the longer the larger it has
 * grown: behind a thousand logins a second 10 ms at its usual 16 MiB, and 1 ms
 * so, if more often. Holds for all threads of the process, until one more is
 * started: then it has to be said again.
 */
export function keepNurserySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
