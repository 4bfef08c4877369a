import { nativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import { errnoOf } from '../../native/device-error.ts';
import type { Link, NewAddress } from '../../native/links.ts';

/** Called at each change of one link; a link with `isRemoved` is the last call. */
export type LinkListener = (link: Link) => void;

/**
 * Reports changes of network devices and of the host's addresses to ports: one
 * rtnetlink subscription, open while at least one listener is registered.
 */
class LinkMonitor {
  readonly #listeners = new Map<number, Set<LinkListener>>();
  readonly #nameListeners = new Map<() => void, string>();
  readonly #networkListeners = new Set<() => void>();
  /** The links (by ifindex) that were running at their last event. */
  readonly #running = new Set<number>();
  #descriptor: Descriptor | undefined;

  /** @returns a function that ends the watch; its promise resolves when the descriptor is closed. Idempotent. */
  watch(index: number, listener: LinkListener): () => Promise<void> {
    this.#subscribe();
    const listeners = this.#listeners.get(index) ?? new Set();
    this.#listeners.set(index, listeners);
    listeners.add(listener);
    return () => this.#unwatch(index, listener);
  }

  /**
   * Calls `listener` when a link of that name may have appeared. Spurious calls are possible.
   * @returns as `watch` does
   */
  watchName(name: string, listener: () => void): () => Promise<void> {
    this.#subscribe();
    this.#nameListeners.set(listener, name);
    return async () => {
      if (this.#nameListeners.delete(listener)) await this.#unsubscribe();
    };
  }

  /**
   * Calls `listener` when a dial that failed before may succeed: a link came up
   * or got an address. Spurious calls are possible.
   * @returns as `watch` does
   */
  watchNetwork(listener: () => void): () => Promise<void> {
    this.#subscribe();
    this.#networkListeners.add(listener);
    return async () => {
      if (this.#networkListeners.delete(listener)) await this.#unsubscribe();
    };
  }

  async #unwatch(index: number, listener: LinkListener): Promise<void> {
    const listeners = this.#listeners.get(index);
    if (listeners?.delete(listener) !== true) return;
    if (listeners.size === 0) this.#listeners.delete(index);
    await this.#unsubscribe();
  }

  #subscribe(): void {
    if (this.#descriptor !== undefined) return;
    const descriptor = nativeAddon().openLinkEvents();
    nativeAddon().watch(descriptor, (status) => this.#read(descriptor, status));
    this.#descriptor = descriptor;
  }

  async #unsubscribe(): Promise<void> {
    const descriptor = this.#descriptor;
    const listeners = this.#listeners.size + this.#nameListeners.size + this.#networkListeners.size;
    if (listeners > 0 || descriptor === undefined) return;
    this.#descriptor = undefined;
    this.#running.clear();
    await closeDescriptor(descriptor);
  }

  /** @param status negative errno when the kernel dropped events (ENOBUFS) */
  #read(descriptor: Descriptor, status: number): void {
    const events = nativeAddon().readLinkEvents(descriptor);
    const isLossy = events === null || status < 0;
    let isBetter = isLossy;
    for (const event of events ?? []) {
      if (this.#isGoodNews(event)) isBetter = true;
      if (!('hasNewAddress' in event)) this.#tell(event);
    }
    if (isLossy) this.#readAll();
    if (isBetter) for (const listener of [...this.#networkListeners]) listener();
  }

  #isGoodNews(event: Link | NewAddress): boolean {
    if ('hasNewAddress' in event) return true;
    if (event.isRemoved || !event.isRunning) {
      this.#running.delete(event.index);
      return false;
    }
    const wasRunning = this.#running.has(event.index);
    this.#running.add(event.index);
    return !wasRunning;
  }

  /** Events were lost: reads the current state of every watched link. */
  #readAll(): void {
    for (const listener of [...this.#nameListeners.keys()]) listener();
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
    if (link.isRemoved) return;
    for (const [listener, name] of [...this.#nameListeners]) if (name === link.name) listener();
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

export const linkMonitor: Pick<LinkMonitor, 'watch' | 'watchName' | 'watchNetwork'> = new LinkMonitor();

/** Closes a descriptor; resolves when the event loop no longer polls it. */
export function closeDescriptor(descriptor: Descriptor): Promise<void> {
  return new Promise((resolve) => {
    if (!nativeAddon().close(descriptor, resolve)) resolve();
  });
}
