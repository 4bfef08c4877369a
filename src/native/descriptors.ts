declare const brand: unique symbol;

/**
 * An open file descriptor that the addon keeps. It is closed by `close`, when the object is collected, or with its
 * thread. The event loop does not keep the object: its owner has to, as long as it is watched.
 */
export type Descriptor = object & { readonly [brand]: 'Descriptor' };

/** Events of `await` and of `onReady`. As in native/datapath/host.h. */
export const READABLE = 1;
export const WRITABLE = 2;
/** Told to a device: frames that followed a flow were lost, and stand in the shared tally. */
export const LOST = 4;

/** The event loop's part: what all kinds of descriptors have in common. Each throws TypeError for what is no descriptor. */
export interface DescriptorDoor {
  /**
   * Calls `onReady` once per wake-up while something is waiting. `onReady` is kept until the descriptor is closed.
   * @param onReady `status` is a negative errno, or READABLE and WRITABLE, or'ed. `count` with READABLE: what was read
   *   already, for what is read before (readsFrames, openTunnel), or a negative errno; with WRITABLE, of a tunnel: see
   *   sendOctets
   * @throws EBADF: closed, or watched already; the errno of uv_poll_start, and then it is closed
   */
  watch(descriptor: Descriptor, onReady: (status: number, count: number) => void): void;
  /**
   * Sets which events wake the loop up: READABLE, WRITABLE, or'ed; 0 for nothing. It holds until the next call of
   * `await`, `pause` or `resume`. A descriptor that is watched begins with READABLE. One that is not watched, or that
   * is closed, wakes nothing up: the call is then without effect.
   * @throws the errno of uv_poll_start
   */
  await(descriptor: Descriptor, events: number): void;
  /**
   * Calls `onReady` of each descriptor of frames that awaits READABLE and is, as the loop will do; but not where the
   * last time is a fifth of a millisecond ago or less, nor from inside of an `onReady`.
   */
  pollNow(): void;
  /** `await(descriptor, 0)`: what arrives stays in the kernel's queue, and no flow takes it from there. @throws as `await` */
  pause(descriptor: Descriptor): void;
  /** `await(descriptor, READABLE)`: WRITABLE is not awaited any more, either. @throws as `await` */
  resume(descriptor: Descriptor): void;
  /**
   * No readiness is told from here on, and what was kept for the descriptor is let go. Idempotent.
   * @param onClosed called once, when nothing of the descriptor is left in the loop
   * @returns whether `onClosed` will be called: not for a descriptor that was never watched, or is closed already
   */
  close(descriptor: Descriptor, onClosed: () => void): boolean;
}
