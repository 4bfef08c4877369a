import { readFileSync } from 'node:fs';
import { EtherwsError } from '../../errors.ts';
import { type NativeAddon, nativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import type { TcpPath } from '../../native/streams.ts';
import { HEARTBEAT, type Heartbeat, type Periodic } from './heartbeat.ts';

/** `auto`, `system` for what the system has as its default, or the name of one of the kernel's algorithms. */
export type CongestionChoice = string;

/**
 * Algorithms that pace: they let each packet wait for its time, by a timer. Where the whole way takes less than that
 * timer is late, processors sleep instead of working, and pacing prevents no queue that could be measured.
 */
const PACING: ReadonlySet<string> = new Set(['bbr', 'bbr2', 'bbr3']);
/** Algorithms that do not pace, best first. Every kernel has the last one, for every user. */
const UNPACED: readonly string[] = ['cubic', 'reno'];
/** A way that is not longer lies within a machine, or on one cable. */
const SHORT_US = 1000;
/** What a queue on a short way adds to it: something there is slower than we are. */
const QUEUED_US = 3000;
/** Behind a queue it is not tried again for so long. */
const HOLD_MS = 10_000;

export interface CongestionOptions {
  readonly addon: Pick<NativeAddon, 'readCongestionControl' | 'setCongestionControl' | 'readPath' | 'takeHasWaited'>;
  readonly descriptor: Descriptor;
  /** default: `auto` */
  readonly choice?: CongestionChoice | undefined;
  /** default: that of the process */
  readonly heartbeat?: Heartbeat;
}

/**
 * Chooses how a tunnel's TCP answers congestion.
 *
 * `auto` leaves it to the system, but for one case: where the system paces, and the way is short, a tunnel does not.
 * Once something on that way turns out to have a queue, and it grows, the system's algorithm is back, which keeps such
 * queues short.
 */
export class CongestionControl implements Periodic {
  readonly #options: CongestionOptions;
  readonly #heartbeat: Heartbeat;
  /** the system's */
  readonly #paced: string = '';
  #isUnpaced = false;
  #heldUntilMs = 0;

  /** Sets what is known to be right at once. It never throws: a tunnel works with any algorithm. */
  constructor(options: CongestionOptions) {
    this.#options = options;
    this.#heartbeat = options.heartbeat ?? HEARTBEAT;
    const { addon, descriptor, choice = 'auto' } = options;
    if (choice === 'system') return;
    if (choice !== 'auto') {
      this.#set(choice);
      return;
    }
    try {
      this.#paced = addon.readCongestionControl(descriptor);
      if (!PACING.has(this.#paced)) return;
      if (addon.readPath(descriptor).shortestUs < SHORT_US) this.#unpace();
    } catch {
      // A connection that has just died; its reader will hear of that.
      return;
    }
    this.#heartbeat.add(this);
  }

  tick(nowMs: number): void {
    const { addon, descriptor } = this.#options;
    // Idle tunnels tell nothing about their way, and there may be thousands.
    if (!addon.takeHasWaited(descriptor) || nowMs < this.#heldUntilMs) return;
    let path: TcpPath;
    try {
      path = addon.readPath(descriptor);
    } catch {
      return;
    }
    if (this.#isUnpaced && isQueued(path)) {
      this.#isUnpaced = false;
      this.#heldUntilMs = nowMs + HOLD_MS;
      this.#set(this.#paced);
    } else if (!this.#isUnpaced && path.shortestUs < SHORT_US && path.roundTripUs < SHORT_US) {
      this.#unpace();
    }
  }

  /** To be called before the descriptor is closed. Idempotent. */
  close(): void {
    this.#heartbeat.remove(this);
  }

  #unpace(): void {
    this.#isUnpaced = UNPACED.some((name) => this.#set(name));
  }

  #set(name: string): boolean {
    try {
      this.#options.addon.setCongestionControl(this.#options.descriptor, name);
      return true;
    } catch {
      return false;
    }
  }
}

/** Not at a pause: there the last acknowledgement comes late, for no queue's sake, and the round trip varies by it. */
function isQueued({ shortestUs, roundTripUs, variationUs, unsentBytes }: TcpPath): boolean {
  return unsentBytes > 0 && roundTripUs - shortestUs > QUEUED_US && variationUs < roundTripUs / 2;
}

const AVAILABLE_FILE = '/proc/sys/net/ipv4/tcp_available_congestion_control';

/**
 * Tells now what would otherwise show in no tunnel's log.
 * @throws EtherwsError ARGUMENT_INVALID: the kernel has no such algorithm, or not for us; ADDON_MISSING
 */
export function requireCongestionControl(choice: CongestionChoice, loadAddon: () => NativeAddon = nativeAddon): void {
  if (choice === 'auto' || choice === 'system') return;
  try {
    loadAddon().tryCongestionControl(choice);
  } catch (error) {
    if (error instanceof EtherwsError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EPERM' ? 'is not for this user' : `cannot be had from this kernel (${code})`;
    throw new EtherwsError('ARGUMENT_INVALID', `The congestion control "${choice}" ${why}`, {
      cause: error,
      hint:
        code === 'EPERM'
          ? 'Run as root, or add it to the sysctl net.ipv4.tcp_allowed_congestion_control'
          : `Load it (modprobe tcp_${choice}), or give one of: auto, system, ${available().join(', ')}`,
    });
  }
}

function available(): string[] {
  try {
    return readFileSync(AVAILABLE_FILE, 'utf8').trim().split(' ');
  } catch {
    return ['reno'];
  }
}
