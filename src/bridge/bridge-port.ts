import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { exampleOf, type FrameExample } from '../wire/ethernet/frame-summary.ts';
import { CELLS, Counters, RX_CELL, TX_CELL } from './counters.ts';
import type { IngressPolicy } from './ingress-policy.ts';
import { MESH_PORT_SETTINGS } from './mesh/mesh-port-settings.ts';
import type { Direction, DiscardReason, LinkState, Port } from './port.ts';
import { FAULT_REASONS, type PortFault } from './port-fault.ts';
import { type BridgePortSettings, DEFAULT_SETTINGS } from './port-settings.ts';
import { type PortTap, SharedTap, TappedPort } from './port-tap.ts';
import type { PortVlans } from './port-vlans.ts';
import { StormControl } from './storm-control.ts';
import type { StpState } from './stp-state.ts';

declare const brand: unique symbol;

/** The number of a bridge port, from 1; numbers are not reused while the bridge exists. */
export type PortNumber = number & { readonly [brand]: 'PortNumber' };

/** An ingress port gets the congestion of an egress port if all its frames have gone there for this time. */
const SOLE_EGRESS_MS = 100;

/** Why the switch has shut a port: it is in a loop, or had more addresses than it may have. */
export interface Protection {
  readonly cause: 'loop' | 'macLimit';
  /** one line */
  readonly reason: string;
}

/** An attached port and its state in the bridge. */
export class BridgePort {
  readonly number: PortNumber;
  /** The attached port, or a port around it while it is tapped. */
  port: Port;
  readonly cells: Float64Array = new Float64Array(CELLS);
  readonly rx: Counters = new Counters(this.cells, RX_CELL);
  readonly tx: Counters = new Counters(this.cells, TX_CELL);
  isShut = false;
  /** The node of the cluster at its other end (Port.meshNode); undefined: it is no port of the mesh. */
  readonly meshNode: string | undefined;
  /** Its part in VLANs, as in `settings`; undefined: it is transparent. */
  vlans: PortVlans | undefined;
  /** The port of the parallel tunnel that forwards; this port is then on standby (ParallelTunnels). */
  standsByFor: BridgePort | undefined;
  /** Whether the port is reserved for the copies of mirrors (Mirrors); it forwards nothing else. */
  isMirrorOutput = false;
  /** To be changed by `Bridge.setStpState` only. */
  stpState: StpState = 'forwarding';
  #settings: BridgePortSettings = DEFAULT_SETTINGS;
  /** What follows of the settings, so that frames of ports without need one load. */
  learnsFreely = true;
  floodsAll = true;
  /** Limits flooded frames that it brings; undefined: any number. */
  storm: StormControl | undefined;
  /** Why the switch itself has shut the port; undefined: it has not. To be changed by `Bridge.protect` only. */
  protection: Protection | undefined;
  link: LinkState = 'up';
  /** Why the link is not up; undefined while it is. */
  linkReason: string | undefined;
  /** The number of the last batch with a frame for this port, to detect the first frame of a batch. */
  touchedBy = 0;

  /** The only egress port of this port's frames since `soleSinceMs`; undefined for none or several. */
  soleEgress: BridgePort | undefined;
  soleSinceMs = 0;
  /** The egress port of the last flow from this port. */
  #flowTo: BridgePort | undefined;
  /** The expiry of that flow. */
  #flowUntilMs = 0;
  /** The expiry of the last flow to another egress port. */
  #elsewhereUntilMs = 0;

  /** Whether an ingress stage checks each frame from this port, also one with the same key as the frame before. */
  isEachFrameJudged = false;

  readonly #attached: Port;
  #taps: readonly PortTap[] = [];
  #tap: PortTap | undefined;
  readonly #policyChanged: () => void;
  readonly #onFault: (fault: PortFault) => void;
  #policy: IngressPolicy | undefined;

  /**
   * @param policyChanged called for each new policy, and for each change of its rules
   * @param onFault called when the port begins to discard frames for one of FAULT_REASONS
   */
  constructor(
    number: PortNumber,
    port: Port,
    policyChanged: () => void = () => undefined,
    onFault: (fault: PortFault) => void = () => undefined,
  ) {
    this.number = number;
    this.port = port;
    this.#attached = port;
    this.meshNode = port.meshNode;
    if (this.meshNode !== undefined) this.settings = MESH_PORT_SETTINGS;
    this.#policyChanged = policyChanged;
    this.#onFault = onFault;
  }

  /** Counts discarded frames. @param example one of them, if available */
  discard(direction: Direction, reason: DiscardReason, frames: number, example?: FrameExample): void {
    const counters = this[direction];
    const isFirst = counters.discardsFor(reason) === 0;
    counters.discard(reason, frames);
    if (isFirst && FAULT_REASONS.has(reason)) this.#onFault({ direction, reason, example });
  }

  /** Counts the discard of frame `index` of a batch. @param frames the number of finished frames that it makes */
  drop(direction: Direction, reason: DiscardReason, frames: number, batch: FrameBatch, index: number): void {
    const isFirst = this[direction].discardsFor(reason) === 0;
    const isExplained = isFirst && FAULT_REASONS.has(reason);
    this.discard(direction, reason, frames, isExplained ? exampleOf(batch, index) : undefined);
    this.#tap?.discarded(direction, reason, batch, index);
  }

  /** What sees the frames of this port; undefined: nothing does, and this has no cost. */
  get tap(): PortTap | undefined {
    return this.#tap;
  }

  /** To be called by the bridge, which ends the flows. */
  addTap(tap: PortTap): void {
    this.#setTaps([...this.#taps, tap]);
  }

  /** The same. */
  removeTap(tap: PortTap): void {
    this.#setTaps(this.#taps.filter((other) => other !== tap));
  }

  #setTaps(taps: readonly PortTap[]): void {
    this.#taps = taps;
    this.#tap = taps.length > 1 ? new SharedTap(taps) : taps[0];
    this.port = this.#tap === undefined ? this.#attached : new TappedPort(this.#attached, this.#tap);
  }

  get settings(): BridgePortSettings {
    return this.#settings;
  }

  /** To be set by `Bridge.setSettings` only, which ends the flows. */
  set settings(settings: BridgePortSettings) {
    const { isLearning, macLimit, floodsUnicast, floodsMulticast, floodsBroadcast, storm } = settings;
    if (this.storm?.rates !== storm) this.storm = StormControl.of(storm);
    this.learnsFreely = isLearning && macLimit === 0;
    this.floodsAll = floodsUnicast && floodsMulticast && floodsBroadcast;
    this.vlans = settings.vlans;
    this.#settings = settings;
  }

  get isIsolated(): boolean {
    return this.#settings.isIsolated;
  }

  /** The rules for received frames; undefined: all are accepted. */
  get policy(): IngressPolicy | undefined {
    return this.#policy;
  }

  set policy(policy: IngressPolicy | undefined) {
    if (this.#policy !== undefined) this.#policy.onChange = () => undefined;
    this.#policy = policy;
    if (policy !== undefined) policy.onChange = this.#policyChanged;
    this.#policyChanged();
  }

  /** Notes a flow from this port to `egress`, whose frames the bridge does not see until `untilMs`. */
  noteFlow(egress: BridgePort, untilMs: number): void {
    if (egress !== this.#flowTo) this.#elsewhereUntilMs = this.#flowUntilMs;
    this.#flowTo = egress;
    this.#flowUntilMs = untilMs;
  }

  /** Whether all frames from this port have gone to `egress` for SOLE_EGRESS_MS, frames of flows included. */
  sendsOnlyTo(egress: BridgePort, nowMs: number): boolean {
    if (egress !== this.soleEgress || nowMs - this.soleSinceMs < SOLE_EGRESS_MS) return false;
    return nowMs >= (egress === this.#flowTo ? this.#elsewhereUntilMs : this.#flowUntilMs);
  }

  /** Whether the port could forward: it is not shut, and its link is up. */
  get isUsable(): boolean {
    return !this.isShut && this.protection === undefined && this.link === 'up';
  }

  /** Whether the port forwards: it is usable, not on standby, not reserved for a mirror, and in the active topology. */
  get isForwarding(): boolean {
    return this.isUsable && this.standsByFor === undefined && !this.isMirrorOutput && this.stpState === 'forwarding';
  }
}
