import { encodeLoopProbe, INSTANCE_BYTES, NONCE_BYTES, parseLoopProbe } from '../../wire/ethernet/loop-probe.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { BridgePort } from '../bridge-port.ts';
import { LazyMap } from '../lazy-map.ts';

/**
 * - `off`: no probes
 * - `auto`: probes while a loop is suspected: a storm, or addresses that move to and fro
 * - `on`: probes at each port, always
 */
export const LOOP_DETECTION_MODES = ['off', 'auto', 'on'] as const;
export type LoopDetectionMode = (typeof LOOP_DETECTION_MODES)[number];

/** The interval of probes at a port that is not suspected, or that is shut. */
const PROBE_INTERVAL_MS = 5000;
/** The interval at a suspected port, and for how long the suspicion lasts. */
const SUSPECT_INTERVAL_MS = 1000;
const SUSPICION_MS = 10_000;
/** A port is shut until no probe has come back for this time. */
const HOLD_MS = 30_000;
/** A probe that comes back later than this is ignored, so that it cannot be kept and used. */
const PROBE_LIFE_MS = 5000;

/** A probe of `from` has come back by `by`; `shut` is the younger one of the two. */
export interface LoopFound {
  readonly from: BridgePort;
  readonly by: BridgePort;
  readonly shut: BridgePort;
}

/** What loop detection asks of the bridge that it belongs to, and of its owner. */
export interface LoopDetectionParts {
  /** The source address of probes. */
  readonly address: MacAddress;
  /** Unpredictable octets. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** Sends a frame by a port, also if the port is shut by `protect`. */
  readonly transmit: (port: BridgePort, frame: Uint8Array, nowMs: number) => void;
  /** Shuts a port. @param reason one line */
  readonly protect: (port: BridgePort, reason: string) => void;
  /** Opens a port that `protect` has shut. */
  readonly unprotect: (port: BridgePort) => void;
  readonly onFound?: (loop: LoopFound) => void;
  readonly onOpened?: (port: BridgePort) => void;
}

/** The state of one port. */
interface Watch {
  readonly port: BridgePort;
  sequence: number;
  /** The last two probes, the newer one first. */
  readonly sent: { readonly nonce: Uint8Array; readonly ms: number }[];
  suspectedUntilMs: number;
  /** The port is shut until then; undefined: not by us. */
  heldUntilMs: number | undefined;
}

/**
 * Finds loops without a spanning tree, as the loopback detection of other switches does: a probe that comes back by any
 * port of the bridge has gone round a loop. Then the younger port is shut; while it is, it still sends and takes
 * probes, and is opened when none has come back for 30 s. So the loop never carries anything else again.
 *
 * A probe is known by its nonce, of 128 random bits and valid for 5 s: a peer can have only a port shut
 * whose probes it receives, and a peer that sends the probes of one port to another one is the loop.
 *
 * Sans-I/O: `tick` is called about once a second.
 */
export class LoopDetection {
  readonly #parts: LoopDetectionParts;
  readonly #instance: Uint8Array;
  readonly #watches = new LazyMap<number, Watch>();
  #mode: LoopDetectionMode;

  constructor(mode: LoopDetectionMode, parts: LoopDetectionParts) {
    this.#mode = mode;
    this.#parts = parts;
    this.#instance = parts.randomBytes(INSTANCE_BYTES);
  }

  get mode(): LoopDetectionMode {
    return this.#mode;
  }

  /** Changes the mode. `off` opens the ports that were shut. */
  setMode(mode: LoopDetectionMode): void {
    this.#mode = mode;
    if (mode !== 'off') return;
    for (const { port, heldUntilMs } of this.#watches.values()) if (heldUntilMs !== undefined) this.#open(port);
    this.#watches.clear();
  }

  /** Frames that the port brings may go round a loop. */
  suspect(port: BridgePort, nowMs: number): void {
    if (this.#mode === 'off') return;
    this.#watchOf(port).suspectedUntilMs = nowMs + SUSPICION_MS;
  }

  /** To be called when the port is removed, or when the operator opens it. */
  forget(port: BridgePort): void {
    this.#watches.delete(port.number);
  }

  /** Sends the probes that are due, and opens ports. @param ports those of the bridge */
  tick(ports: Iterable<BridgePort>, nowMs: number): void {
    if (this.#mode === 'off') return;
    for (const port of ports) {
      const watch = this.#mode === 'on' ? this.#watchOf(port) : this.#watches.get(port.number);
      if (watch === undefined) continue;
      if (watch.heldUntilMs !== undefined && nowMs >= watch.heldUntilMs) {
        watch.heldUntilMs = undefined;
        this.#open(port);
      }
      if (this.#isDue(port, watch, nowMs)) this.#probe(port, watch, nowMs);
    }
  }

  /**
   * Takes a frame to LOOP_PROBE_ADDRESS.
   * @returns whether it is a probe of this bridge; any other frame is relayed
   */
  received(by: BridgePort, bytes: Uint8Array, start: number, length: number, nowMs: number): boolean {
    const probe = this.#watches.size === 0 ? undefined : parseLoopProbe(bytes, start, length);
    const watch = probe && this.#watches.get(probe.port);
    const own = watch?.sent.find(({ nonce }) => nonce.every((octet, at) => octet === probe?.nonce[at]));
    if (watch === undefined || own === undefined) return false;
    if (nowMs - own.ms < PROBE_LIFE_MS) this.#found(watch.port, by, nowMs);
    return true;
  }

  #found(from: BridgePort, by: BridgePort, nowMs: number): void {
    const held = [from, by].find((port) => this.#watches.get(port.number)?.heldUntilMs !== undefined);
    // One that another protection has shut carries no loop, and is not opened when probes are absent.
    if (held === undefined && (from.protection ?? by.protection) !== undefined) return;
    const shut = held ?? (from.number > by.number ? from : by);
    this.#watchOf(shut).heldUntilMs = nowMs + HOLD_MS;
    if (held !== undefined) return;
    const other = shut === from ? by : from;
    const way = other === shut ? 'frames that it sends come back' : `a loop with port ${other.number}`;
    this.#parts.protect(shut, `${way}; tried again after ${HOLD_MS / 1000} s without it`);
    this.#parts.onFound?.({ from, by, shut });
  }

  #isDue(port: BridgePort, { sent, suspectedUntilMs, heldUntilMs }: Watch, nowMs: number): boolean {
    if (heldUntilMs === undefined && !port.isForwarding) return false;
    const isSuspected = nowMs < suspectedUntilMs;
    if (this.#mode === 'auto' && !isSuspected && heldUntilMs === undefined) return false;
    const intervalMs = isSuspected && heldUntilMs === undefined ? SUSPECT_INTERVAL_MS : PROBE_INTERVAL_MS;
    // The caller's timer is not exact, so half a second less is due as well.
    return sent[0] === undefined || nowMs - sent[0].ms >= intervalMs - SUSPECT_INTERVAL_MS / 2;
  }

  #probe(port: BridgePort, watch: Watch, nowMs: number): void {
    const nonce = this.#parts.randomBytes(NONCE_BYTES);
    watch.sent.unshift({ nonce, ms: nowMs });
    watch.sent.length = Math.min(watch.sent.length, 2);
    watch.sequence = (watch.sequence + 1) >>> 0;
    const { address: source } = this.#parts;
    const probe = { source, instance: this.#instance, port: port.number, sequence: watch.sequence, nonce };
    this.#parts.transmit(port, encodeLoopProbe(probe), nowMs);
  }

  #open(port: BridgePort): void {
    this.#parts.unprotect(port);
    this.#parts.onOpened?.(port);
  }

  #watchOf(port: BridgePort): Watch {
    let watch = this.#watches.get(port.number);
    if (watch === undefined) {
      watch = { port, sequence: 0, sent: [], suspectedUntilMs: Number.NEGATIVE_INFINITY, heldUntilMs: undefined };
      this.#watches.set(port.number, watch);
    }
    return watch;
  }
}
