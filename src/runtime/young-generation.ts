import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's young generation at its initial size, a semi-space of 1 MiB. V8 stops the thread while it collects the
 * young generation, and for longer the larger that has grown: at a thousand logins a second 10 ms with the usual
 * 16 MiB, and 1 ms with 1 MiB, though more often.
 * The flag is of the whole process, and a new thread resets it: call this again in each worker.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
