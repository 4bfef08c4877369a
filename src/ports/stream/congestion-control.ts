import { readFileSync } from 'node:fs';
import { EtherwsError } from '../../errors.ts';
import { type NativeAddon, nativeAddon } from '../../native/addon.ts';
import type { Descriptor } from '../../native/descriptors.ts';
import type { TcpPath } from '../../native/streams.ts';
import { HEARTBEAT, type Heartbeat, type Periodic } from './heartbeat.ts';

/** `auto`, `system` for the system's default, or the name of one of the kernel's algorithms. */
export type CongestionChoice = string;

/**
 * Algorithms that pace: a timer delays each packet. On a path whose round trip is shorter than the timer's lateness,
 * pacing leaves processors idle, and prevents no queue that could be measured.
 */
const PACING: ReadonlySet<string> = new Set(['bbr', 'bbr2', 'bbr3']);
/** Algorithms that do not pace, best first. Every kernel has the last one, for every user. */
const UNPACED: readonly string[] = ['cubic', 'reno'];
/** The longest round trip of a short path: within one machine, or over one cable. */
const SHORT_US = 1000;
/** A round trip this much above the shortest one shows a queue on the path. */
const QUEUED_US = 3000;
/** After a queue was found, the unpaced algorithm is not used again for this time. */
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
 * Chooses the TCP congestion control algorithm of a tunnel.
 *
 * `auto` keeps the system's default with one exception: when the default paces and the path is short, the tunnel uses
 * an algorithm without pacing. When a growing queue is found on that path, the system's algorithm is set again, because
 * it keeps such queues short.
 */
export class CongestionControl implements Periodic {
  readonly #options: CongestionOptions;
  readonly #heartbeat: Heartbeat;
  /** the system's default algorithm */
  readonly #paced: string = '';
  #isUnpaced = false;
  #heldUntilMs = 0;

  /** Sets the algorithm that can be chosen without measurements. Never throws: a tunnel works with any algorithm. */
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
      // The connection has just failed, which its reader will report.
      return;
    }
    this.#heartbeat.add(this);
  }

  tick(nowMs: number): void {
    const { addon, descriptor } = this.#options;
    // An idle tunnel gives no measurements, and there may be thousands of them.
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

/** Whether the path has a queue. A pause in sending delays the last acknowledgement, which must not count as a queue. */
function isQueued({ shortestUs, roundTripUs, variationUs, unsentBytes }: TcpPath): boolean {
  return unsentBytes > 0 && roundTripUs - shortestUs > QUEUED_US && variationUs < roundTripUs / 2;
}

const AVAILABLE_FILE = '/proc/sys/net/ipv4/tcp_available_congestion_control';

/**
 * Checks a named algorithm at start, because tunnels do not report that it cannot be set.
 * @throws EtherwsError ARGUMENT_INVALID: the kernel does not have or does not permit the algorithm; ADDON_MISSING
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
