import { nativeAddon } from '../ports/native.ts';

/**
 * Lets this thread, which is that of the frames, run as soon as one has come, and not only when another thread has used
 * its time up: a thread that verifies passwords has 3 ms at once, however low its priority is. Linux gives this to
 * everybody who asks, for no more than the usual share. Without the addon it stays as it is.
 */
export function wakePromptly(): void {
  try {
    nativeAddon().runBriefly();
  } catch {
    // Some sandboxes forbid the question. Frames are as slow as others then, no slower.
  }
}
