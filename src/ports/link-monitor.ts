import { errnoOf } from './device-error.ts';
import { type Descriptor, type Link, nativeAddon } from './native.ts';

/** Hears every change of one link; `isRemoved` is the last. */
export type LinkListener = (link: Link) => void;

/**
 * Tells ports what becomes of their devices: one rtnetlink subscription for all
 * of them, open while at least one listens.
 */
class LinkMonitor {
  readonly #listeners = new Map<number, Set<LinkListener>>();
  #descriptor: Descriptor | undefined;

  /** @returns ends the watch; resolves when no descriptor of it is left. Idempotent. */
  watch(index: number, listener: LinkListener): () => Promise<void> {
    if (this.#descriptor === undefined) {
      const descriptor = nativeAddon().openLinkEvents();
      nativeAddon().watch(descriptor, (status) => this.#read(descriptor, status));
      this.#descriptor = descriptor;
    }
    const listeners = this.#listeners.get(index) ?? new Set();
    this.#listeners.set(index, listeners);
    listeners.add(listener);
    return () => this.#unwatch(index, listener);
  }

  async #unwatch(index: number, listener: LinkListener): Promise<void> {
    const listeners = this.#listeners.get(index);
    if (listeners?.delete(listener) !== true) return;
    if (listeners.size === 0) this.#listeners.delete(index);
    const descriptor = this.#descriptor;
    if (this.#listeners.size > 0 || descriptor === undefined) return;
    this.#descriptor = undefined;
    await closeDescriptor(descriptor);
  }

  /** @param status less than 0 when the kernel had to drop events (ENOBUFS) */
  #read(descriptor: Descriptor, status: number): void {
    const events = nativeAddon().readLinkEvents(descriptor);
    for (const link of events ?? []) this.#tell(link);
    if (events === null || status < 0) this.#readAll();
  }

  /** Events were lost: asks for the present state of everything that is listened to. */
  #readAll(): void {
    for (const index of [...this.#listeners.keys()]) {
      try {
        this.#tell(nativeAddon().readLink(index));
      } catch (error) {
        if (errnoOf(error) !== 'ENODEV') throw error;
        this.#tell({ ...REMOVED, index });
      }
    }
  }

  #tell(link: Link): void {
    for (const listener of [...(this.#listeners.get(link.index) ?? [])]) listener(link);
  }
}

const REMOVED: Link = {
  index: 0,
  name: '',
  hardwareType: 0,
  isUp: false,
  isRunning: false,
  isRemoved: true,
  mtu: 0,
};

export const linkMonitor: Pick<LinkMonitor, 'watch'> = new LinkMonitor();

/** Closes a descriptor, and resolves when the event loop has let go of it. */
export function closeDescriptor(descriptor: Descriptor): Promise<void> {
  return new Promise((resolve) => {
    if (!nativeAddon().close(descriptor, resolve)) resolve();
  });
}
