import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { nativeAddon } from '../native/addon.ts';

const INTERVAL_MS = 10_000;
/** The share of an interval below which the process counts as idle; 10 000 idle tunnels take less. */
const IDLE_UTILIZATION = 0.02;
const FINALIZERS_MS = 200;
/** With larger pages growth is underestimated, and relief comes later. */
const PAGE_BYTES = 4096;
const MIN_GROWTH_BYTES = 8 * 1024 * 1024;

/** The access of `MemoryRelief` to the process. */
export interface MemoryOfProcess {
  /** Anonymous resident memory: heaps and stacks, without the pages of files such as code. */
  anonymousBytes(): number;
  /** The share of the time since the last call, 0 to 1, in which the event loop was busy. */
  utilization(): number;
  relieve(): Promise<void>;
}

/**
 * Gives memory back to the system after many clients have gone. V8 collects garbage
 * only when memory is allocated, and malloc keeps free memory below blocks in use. So
 * a daemon that becomes idle after a thousand tunnels would keep twice the memory that
 * it needs. Pages of code that only the start ran are given back, too.
 *
 * Relief stops the thread for about 20 ms. So it happens only while the process is idle, and
 * only if it has grown by 8 MiB since the last time. The timer does not keep the process alive.
 */
export class MemoryRelief {
  readonly #memory: MemoryOfProcess;
  readonly #timer: NodeJS.Timeout;
  /** The anonymous memory after the last relief; 0 if another relief is likely to free more. */
  #relievedBytes = 0;
  #isRelieving = false;

  constructor(memory: MemoryOfProcess = memoryOfProcess(), intervalMs: number = INTERVAL_MS) {
    this.#memory = memory;
    this.#timer = setInterval(() => void this.look(), intervalMs).unref();
  }

  /** Relieves the process if it is idle and has grown. The timer calls it. Never rejects. */
  async look(): Promise<void> {
    const isIdle = this.#memory.utilization() < IDLE_UTILIZATION;
    if (!isIdle || this.#isRelieving) return;
    const before = this.#memory.anonymousBytes();
    if (before < this.#relievedBytes + MIN_GROWTH_BYTES) return;
    this.#isRelieving = true;
    try {
      await this.#memory.relieve();
    } catch {
      // This build of Node has no inspector.
    }
    const after = this.#memory.anonymousBytes();
    // After a large gain the next interval tries again: objects that were still closing are garbage by then.
    this.#relievedBytes = before - after >= MIN_GROWTH_BYTES ? 0 : after;
    this.#isRelieving = false;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function memoryOfProcess(): MemoryOfProcess {
  let last = performance.eventLoopUtilization();
  return {
    anonymousBytes,
    utilization: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    relieve: async () => {
      await collectGarbage();
      // Finalizers of the first collection free native memory, and make further objects garbage.
      await delay(FINALIZERS_MS, undefined, { ref: false });
      await collectGarbage();
      trim();
    },
  };
}

/** From proc_pid_statm(5), in pages: size, resident, and shared with files. On other systems the whole resident memory. */
function anonymousBytes(): number {
  try {
    const [, resident, ofFiles] = readFileSync('/proc/self/statm', 'ascii').split(' ').map(Number);
    if (resident !== undefined && ofFiles !== undefined) return (resident - ofFiles) * PAGE_BYTES;
  } catch {
    // No /proc.
  }
  return process.memoryUsage.rss();
}

/** By the inspector protocol: the only supported way without a flag of Node. It opens no TCP port. */
async function collectGarbage(): Promise<void> {
  // A dynamic import, since not every build of Node has the module.
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.collectGarbage');
  } finally {
    session.disconnect();
  }
}

/** Calls malloc_trim(3) and gives pages of code back, if there is the addon. */
function trim(): void {
  try {
    nativeAddon().trimMemory();
  } catch {
    // The addon was not built.
  }
}
