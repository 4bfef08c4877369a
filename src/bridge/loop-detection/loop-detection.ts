import {
  encodeLoopProbe,
  INSTANCE_BYTES,
  NONCE_BYTES,
  parseLoopProbe,
  type ReceivedProbe,
} from '../../wire/ethernet/loop-probe.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { UNTAGGED, type Vid } from '../../wire/ethernet/vid.ts';
import type { BridgePort } from '../bridge-port.ts';
import { LazyMap } from '../lazy-map.ts';
import { vlanAt } from '../port-vlans.ts';
import { ProbeVids } from './probe-vids.ts';

/**
 * - `off`: no probes
 * - `auto`: probes while a loop is suspected: a storm, or addresses that move to and fro
 * - `on`: probes at each port, always
 */
export type LoopDetectionMode = 'off' | 'auto' | 'on';

/** The interval of probes at a port that is not suspected, or that is shut. */
const PROBE_INTERVAL_MS = 5000;
/** The interval at a suspected port, and for how long the suspicion lasts. */
const SUSPECT_INTERVAL_MS = 1000;
const SUSPICION_MS = 10_000;
/** A port is shut until no probe has come back for this time. */
const HOLD_MS = 30_000;
/** A probe that comes back later than this is ignored, so that it cannot be kept and used. */
const PROBE_LIFE_MS = 5000;

/** A probe of `from` has come back by `by`, in the same VLAN; `shut` is the younger one of the two. */
export interface LoopFound {
  /** UNTAGGED: no VLAN, between transparent ports */
  readonly vid: Vid;
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
  /**
   * Sends a frame without a tag in a VLAN by a port, with the tag that the port has for it, also if the port is shut by
   * `protect`. @param vid UNTAGGED: no VLAN, at a transparent port
   */
  readonly transmit: (port: BridgePort, vid: Vid, frame: Uint8Array, nowMs: number) => void;
  /** Shuts a port. @param reason one line */
  readonly protect: (port: BridgePort, reason: string) => void;
  /** Opens a port that `protect` has shut. */
  readonly unprotect: (port: BridgePort) => void;
  readonly onFound?: (loop: LoopFound) => void;
  readonly onOpened?: (port: BridgePort) => void;
  /** Takes a probe of another node of the cluster. @returns whether it was one; any other probe is relayed */
  readonly onForeignProbe?: (probe: ReceivedProbe, by: BridgePort, nowMs: number) => boolean;
}

/** The probes of one time, one in each of these VLANs. */
interface SentProbes {
  readonly nonce: Uint8Array;
  readonly ms: number;
  readonly vids: readonly Vid[];
}

/** The state of one port. */
interface Watch {
  readonly port: BridgePort;
  sequence: number;
  /** Those of the last two times, the newer ones first. */
  readonly sent: SentProbes[];
  readonly vids: ProbeVids;
  suspectedUntilMs: number;
  /** The port is shut until then; undefined: not by us. */
  heldUntilMs: number | undefined;
}

/**
 * Finds loops without a spanning tree, as the loopback detection of other switches does: a probe that comes back by any
 * port of the bridge, in the VLAN in which it was sent, has gone round a loop. Then the younger port is shut; while it is, it
 * still sends and takes probes, and is opened when none has come back for 30 s. So the loop never carries anything else again.
 *
 * A probe that comes back in another VLAN is relayed in that one: a line that joins two VLANs is no loop, and two of them
 * are one, which the probe then goes round.
 *
 * Probes are known by their nonce, of 128 random bits, one for those of a port at a time, and valid for 5 s: a peer can have only a port shut
 * whose probes it receives, and a peer that sends the probes of one port to another one is the loop.
 *
 * Sans-I/O: `tick` is called about once a second.
 */
export class LoopDetection {
  readonly #parts: LoopDetectionParts;
  readonly #watches = new LazyMap<number, Watch>();
  #mode: LoopDetectionMode;
  /** Made when it is asked for, since most bridges never probe. */
  #instance: Uint8Array | undefined;

  constructor(mode: LoopDetectionMode, parts: LoopDetectionParts) {
    this.#mode = mode;
    this.#parts = parts;
  }

  /** The octets in its probes that tell it from other bridges. */
  get instance(): Uint8Array {
    this.#instance ??= this.#parts.randomBytes(INSTANCE_BYTES);
    return this.#instance;
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

  /** Frames that the port brings may go round a loop. @param vids the VLANs of such frames, as far as they are known */
  suspect(port: BridgePort, vids: Iterable<Vid>, nowMs: number): void {
    if (this.#mode === 'off' || port.meshNode !== undefined) return;
    const watch = this.#watchOf(port);
    watch.suspectedUntilMs = nowMs + SUSPICION_MS;
    for (const vid of vids) watch.vids.suspect(vid);
  }

  /** To be called when the port is removed, or when the operator opens it. */
  forget(port: BridgePort): void {
    this.#watches.delete(port.number);
  }

  /** Sends the probes that are due, and opens ports. @param ports those of the bridge */
  tick(ports: Iterable<BridgePort>, nowMs: number): void {
    if (this.#mode === 'off') return;
    for (const port of ports) {
      // The mesh is no loop by itself, and one behind other ports is found by their probes.
      if (port.meshNode !== undefined) continue;
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
   * Takes a frame to LOOP_PROBE_ADDRESS, with the tag that it has at the port.
   * @returns whether it is a probe of this bridge in its VLAN; any other frame is relayed
   */
  received(by: BridgePort, bytes: Uint8Array, start: number, length: number, nowMs: number): boolean {
    const isAwaited = this.#watches.size > 0 || this.#parts.onForeignProbe !== undefined;
    const probe = isAwaited ? parseLoopProbe(bytes, start, length) : undefined;
    if (probe === undefined) return false;
    const own = this.#probeOf(probe);
    // By the mesh it comes from a node that does not know it yet, and will tell of the next one.
    if (by.meshNode !== undefined) return own !== undefined;
    if (vlanAt(by.vlans, bytes, start, length) !== probe.vid) return false;
    if (own === undefined) {
      const isOfNode = this.#parts.onForeignProbe?.(probe, by, nowMs) ?? false;
      // So this port probes the VLAN each time, too, if it is shut.
      if (isOfNode && this.#mode !== 'off') this.#watchOf(by).vids.suspect(probe.vid);
      return isOfNode;
    }
    if (nowMs - own.ms < PROBE_LIFE_MS) this.#found({ from: own.port, by, vid: probe.vid }, nowMs);
    return true;
  }

  /** The port that has sent a probe with this nonce within the time that probes are valid for. */
  proberOf(port: number, nonce: Uint8Array, nowMs: number): BridgePort | undefined {
    const own = this.#sentBy(port, nonce);
    return own !== undefined && nowMs - own.ms < PROBE_LIFE_MS ? own.port : undefined;
  }

  /** Whether the port is shut for a loop. */
  isHeld(port: BridgePort): boolean {
    return this.#watches.get(port.number)?.heldUntilMs !== undefined;
  }

  /** Shuts a port that is in a loop with one of another node. @param other that one @returns whether it was open before */
  shutFor(port: BridgePort, other: string, nowMs: number): boolean {
    const wasHeld = this.isHeld(port);
    if (this.#mode === 'off' || (!wasHeld && port.protection !== undefined)) return false;
    this.#watchOf(port).heldUntilMs = nowMs + HOLD_MS;
    if (!wasHeld) this.#parts.protect(port, reasonOf(`a loop with port ${other}`));
    return !wasHeld;
  }

  /** The probe as it was sent by this bridge, in this VLAN. */
  #probeOf({ port, nonce, vid }: ReceivedProbe) {
    const own = this.#sentBy(port, nonce);
    return own?.vids.includes(vid) === true ? own : undefined;
  }

  #sentBy(port: number, nonce: Uint8Array) {
    const watch = this.#watches.get(port);
    const sent = watch?.sent.find((each) => each.nonce.every((octet, at) => octet === nonce[at]));
    return watch === undefined || sent === undefined ? undefined : { port: watch.port, ms: sent.ms, vids: sent.vids };
  }

  #found({ from, by, vid }: Omit<LoopFound, 'shut'>, nowMs: number): void {
    const held = [from, by].find((port) => this.#watches.get(port.number)?.heldUntilMs !== undefined);
    // One that another protection has shut carries no loop, and is not opened when probes are absent.
    if (held === undefined && (from.protection ?? by.protection) !== undefined) return;
    // Not a port of the mesh, by which all stations of another node are reached.
    const isYounger = from.number > by.number;
    const shut = held ?? (isYounger ? from : by);
    const watch = this.#watchOf(shut);
    watch.heldUntilMs = nowMs + HOLD_MS;
    // It is probed each time while the port is shut.
    watch.vids.suspect(vid);
    if (held !== undefined) return;
    const other = shut === from ? by : from;
    const way = other === shut ? 'frames that it sends come back' : `a loop with port ${other.number}`;
    this.#parts.protect(shut, reasonOf(vid === UNTAGGED ? way : `${way} in VLAN ${vid}`));
    this.#parts.onFound?.({ from, by, shut, vid });
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
    const vids = watch.vids.next(port.vlans);
    watch.sent.unshift({ nonce, ms: nowMs, vids });
    watch.sent.length = Math.min(watch.sent.length, 2);
    const { address: source } = this.#parts;
    for (const vid of vids) {
      watch.sequence = (watch.sequence + 1) >>> 0;
      const probe = { source, instance: this.instance, port: port.number, sequence: watch.sequence, nonce, vid };
      this.#parts.transmit(port, vid, encodeLoopProbe(probe), nowMs);
    }
  }

  #open(port: BridgePort): void {
    this.#parts.unprotect(port);
    this.#parts.onOpened?.(port);
  }

  #watchOf(port: BridgePort): Watch {
    let watch = this.#watches.get(port.number);
    if (watch === undefined) {
      const suspectedUntilMs = Number.NEGATIVE_INFINITY;
      watch = { port, sequence: 0, sent: [], vids: new ProbeVids(), suspectedUntilMs, heldUntilMs: undefined };
      this.#watches.set(port.number, watch);
    }
    return watch;
  }
}

function reasonOf(way: string): string {
  return `${way}; tried again after ${HOLD_MS / 1000} s without it`;
}
