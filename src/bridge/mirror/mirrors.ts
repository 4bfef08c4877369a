import { HEADER_BYTES, MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { OffloadEngine } from '../../wire/offload/engine.ts';
import type { BridgePort } from '../bridge-port.ts';
import { LazyMap } from '../lazy-map.ts';
import type { Pass } from '../pass.ts';
import type { PortTap } from '../port-tap.ts';
import { vlanAt } from '../port-vlans.ts';
import { MirrorOutput } from './mirror-output.ts';

/** Which frames of a port are copied: those that it receives, those that it sends, or both. */
export type MirrorDirection = 'rx' | 'tx' | 'both';

/** A set of VIDs. */
export interface VidFilter {
  has(vid: number): boolean;
}

/** A mirror of a port. */
export interface MirrorSpec {
  /** the port that sends the copies */
  readonly to: BridgePort;
  readonly direction: MirrorDirection;
  /** the VLANs whose frames are copied, 0 for frames without a tag; undefined: all */
  readonly vids?: VidFilter | undefined;
}

/** A spec with its output. */
interface Mirror {
  readonly output: MirrorOutput;
  readonly isRx: boolean;
  readonly isTx: boolean;
  readonly vids: VidFilter | undefined;
}

/**
 * The mirrors of one bridge, with the semantics of Open vSwitch's `output_port`: the port of the copies is reserved for
 * them, and of one frame it sends one copy, of what was received if the ingress port is mirrored, else of what is sent by
 * the first of the mirrored ports that send it.
 * Received frames are copied as they come, before any stage; sent ones after the last.
 */
export class Mirrors {
  readonly #engine: OffloadEngine;
  readonly #taps = new LazyMap<BridgePort, MirrorTap>();
  readonly #outputs = new LazyMap<BridgePort, MirrorOutput>();
  #pass: Pass | undefined;

  constructor(engine: OffloadEngine) {
    this.#engine = engine;
  }

  /** The frames of this pass are being forwarded; undefined: the bridge's own. @returns what `leave` must be called with */
  enter(pass: Pass | undefined): Pass | undefined {
    const outer = this.#pass;
    this.#pass = pass;
    return outer;
  }

  leave(outer: Pass | undefined): void {
    this.#pass = outer;
  }

  /**
   * Replaces the mirrors of a port, and the tap that it has for them.
   * @returns whether it had a mirror before, or has one now
   */
  set(port: BridgePort, specs: readonly MirrorSpec[]): boolean {
    const usable = specs.filter(({ to }) => to !== port);
    const before = this.#taps.get(port);
    if (before === undefined && usable.length === 0) return false;
    if (before !== undefined) port.removeTap(before);
    if (usable.length === 0) this.#taps.delete(port);
    else {
      const mirrors = usable.map((spec) => this.#mirrorOf(spec));
      const tap = new MirrorTap(this, port, usable, mirrors);
      this.#taps.set(port, tap);
      port.addTap(tap);
    }
    this.#dropUnused();
    return true;
  }

  /** Whether any mirror's copies go to this port. */
  isOutput(port: BridgePort): boolean {
    return this.#outputs.has(port);
  }

  /** The ports with a mirror to this one, and the mirrors that they keep without it. */
  without(output: BridgePort): { readonly source: BridgePort; readonly specs: readonly MirrorSpec[] }[] {
    return [...this.#taps]
      .map(([source, { specs }]) => ({ source, all: specs.length, specs: specs.filter(({ to }) => to !== output) }))
      .filter(({ all, specs }) => specs.length < all);
  }

  /** Whether this output has a copy of the frame that `port` sends already, from the port that received it or another one. */
  hasCopy(output: MirrorOutput, port: BridgePort, vid: number): boolean {
    const pass = this.#pass;
    if (pass === undefined) return false;
    return this.#taps.get(pass.ingress)?.copiesReceived(output, vid) === true || output.hasCopyOfOther(port, pass);
  }

  /** Whether a copy is being sent; what taps see then is no frame of the bridge. */
  get isCopying(): boolean {
    for (const output of this.#outputs.values()) if (output.isCopying) return true;
    return false;
  }

  /** Checks the offload header of a received frame, which no stage has checked yet. */
  isWellFormed(batch: FrameBatch, index: number): boolean {
    const length = batch.lengths[index] as number;
    if (length < HEADER_BYTES || length > MAX_SUPER_FRAME_BYTES) return false;
    return this.#engine.check(batch, index) === undefined;
  }

  #mirrorOf({ to, direction, vids }: MirrorSpec): Mirror {
    const output = this.#outputs.get(to) ?? new MirrorOutput(to, this.#engine);
    this.#outputs.set(to, output);
    return { output, isRx: direction !== 'tx', isTx: direction !== 'rx', vids };
  }

  #dropUnused(): void {
    const used = new Set([...this.#taps.values()].flatMap((tap) => tap.outputs));
    for (const [port, output] of this.#outputs) if (!used.has(output)) this.#outputs.delete(port);
  }
}

/** Copies the frames of one port. */
class MirrorTap implements PortTap {
  readonly specs: readonly MirrorSpec[];
  readonly #owner: Mirrors;
  readonly #port: BridgePort;
  readonly #mirrors: readonly Mirror[];

  constructor(owner: Mirrors, port: BridgePort, specs: readonly MirrorSpec[], mirrors: readonly Mirror[]) {
    this.#owner = owner;
    this.#port = port;
    this.specs = specs;
    this.#mirrors = mirrors;
  }

  get outputs(): MirrorOutput[] {
    return this.#mirrors.map(({ output }) => output);
  }

  received(batch: FrameBatch): void {
    for (let index = 0; index < batch.count; index++) {
      if (!this.#owner.isWellFormed(batch, index)) continue;
      const vid = vidAt(this.#port, batch, index);
      for (const [order, { output, isRx, vids }] of this.#mirrors.entries()) {
        if (isRx && selects(vids, vid) && !this.#isEarlier(order, 'isRx', output, vid)) output.copy(batch, index);
      }
    }
    this.flushing();
  }

  sent(batch: FrameBatch, index: number): void {
    if (this.#owner.isCopying) return;
    const vid = vidAt(this.#port, batch, index);
    for (const [order, { output, isTx, vids }] of this.#mirrors.entries()) {
      if (!isTx || !selects(vids, vid) || this.#isEarlier(order, 'isTx', output, vid)) continue;
      if (!this.#owner.hasCopy(output, this.#port, vid)) output.copy(batch, index);
    }
  }

  /** The port is about to be flushed, and may then overwrite the octets. */
  flushing(): void {
    for (const { output } of this.#mirrors) output.flush();
  }

  discarded(): void {
    // A received frame was copied already, and a frame that the port refused was not sent.
  }

  /** Whether `received` has copied a frame of this VLAN to this output. */
  copiesReceived(output: MirrorOutput, vid: number): boolean {
    return this.#isEarlier(this.#mirrors.length, 'isRx', output, vid);
  }

  /** Whether one of the first `order` mirrors copies frames of this VLAN to the same output. */
  #isEarlier(order: number, way: 'isRx' | 'isTx', output: MirrorOutput, vid: number): boolean {
    for (let at = 0; at < order; at++) {
      const mirror = this.#mirrors[at] as Mirror;
      if (mirror[way] && mirror.output === output && selects(mirror.vids, vid)) return true;
    }
    return false;
  }
}

function selects(vids: VidFilter | undefined, vid: number): boolean {
  return vids === undefined || vids.has(vid);
}

/** The VLAN of a frame as it is at this port: when it comes in, and when it leaves. */
function vidAt({ vlans }: BridgePort, { bytes, starts, lengths }: FrameBatch, index: number): number {
  return vlanAt(vlans, bytes, starts[index] as number, lengths[index] as number);
}
