import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { nativeAddon } from '../native/addon.ts';

const INTERVAL_MS = 10_000;
/** Of an interval; ten thousand idle tunnels take less. */
const IDLE_UTILIZATION = 0.02;
const FINALIZERS_MS = 200;
/** Where pages are larger, relief comes a little later. */
const PAGE_BYTES = 4096;
const LEAST_GROWTH_BYTES = 8 * 1024 * 1024;

/** What `MemoryRelief` sees of the process, and does to it. */
export interface MemoryOfProcess {
  /** Anonymous resident memory: heaps and stacks, without the pages of files such as code. */
  anonymousBytes(): number;
  /** The share of the time since the last call, 0 to 1, in which the event loop had something to do. */
  utilization(): number;
  relieve(): Promise<void>;
}

/**
 * Gives memory back to the system once many clients have gone. V8 collects garbage
 * only when something is allocated, and malloc keeps free memory below blocks in use:
 * a daemon that falls idle behind a thousand tunnels would hold twice what it
 * needs for as long as it stays idle. Pages of code that only the start ran go, too.
 *
 * Relief stops the process for some 20 ms, so only one that idles gets it, and
 * only when it has grown since the last time. It keeps no process alive.
 */
export class MemoryRelief {
  readonly #memory: MemoryOfProcess;
  readonly #timer: NodeJS.Timeout;
  /** What was left behind the last relief. */
  #leanBytes = 0;
  #isRelieving = false;

  constructor(memory: MemoryOfProcess = memoryOfProcess(), intervalMs: number = INTERVAL_MS) {
    this.#memory = memory;
    this.#timer = setInterval(() => void this.look(), intervalMs).unref();
  }

  /** What the timer does, and a test. Never rejects. */
  async look(): Promise<void> {
    const isIdle = this.#memory.utilization() < IDLE_UTILIZATION;
    if (!isIdle || this.#isRelieving) return;
    const before = this.#memory.anonymousBytes();
    if (before < this.#leanBytes + LEAST_GROWTH_BYTES) return;
    this.#isRelieving = true;
    try {
      await this.#memory.relieve();
    } catch {
      // A Node without an inspector: nothing is worse than before.
    }
    const after = this.#memory.anonymousBytes();
    // Where much was to be had there is more: what closes in its own time has gone by the next look.
    this.#leanBytes = before - after >= LEAST_GROWTH_BYTES ? 0 : after;
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
      // What native code freed for the objects of the first collection lets a second one, and malloc, give more.
      await delay(FINALIZERS_MS, undefined, { ref: false });
      await collectGarbage();
      trim();
    },
  };
}

/** proc_pid_statm(5): pages in all, resident, and of these shared with a file. Elsewhere than on Linux all that is resident. */
function anonymousBytes(): number {
  try {
    const [, resident, ofFiles] = readFileSync('/proc/self/statm', 'ascii').split(' ').map(Number);
    if (resident !== undefined && ofFiles !== undefined) return (resident - ofFiles) * PAGE_BYTES;
  } catch {
    // No /proc.
  }
  return process.memoryUsage.rss();
}

/** The one supported way to ask V8 for it without a flag of Node. It opens no port. */
async function collectGarbage(): Promise<void> {
  // Loaded late: not every build of Node has it.
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.collectGarbage');
  } finally {
    session.disconnect();
  }
}

/** Without the addon what malloc has stays where it is. */
function trim(): void {
  try {
    nativeAddon().trimMemory();
  } catch {
    // There are no devices either, and so less to keep.
  }
}
