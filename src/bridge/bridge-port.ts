import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { exampleOf, type FrameExample } from '../wire/ethernet/frame-summary.ts';
import { CELLS, Counters, RX_CELL, TX_CELL } from './counters.ts';
import type { IngressPolicy } from './ingress-policy.ts';
import type { Direction, DiscardReason, LinkState, Port } from './port.ts';
import { FAULT_REASONS, type PortFault } from './port-fault.ts';

declare const brand: unique symbol;

/** A bridge port's number: 1 and upward, never used again while the bridge lives. */
export type PortNumber = number & { readonly [brand]: 'PortNumber' };

/** For so long nothing may have gone elsewhere before an ingress port is told of its egress port's congestion. */
const SOLE_EGRESS_MS = 100;

/** What the bridge knows of one attached port. */
export class BridgePort {
  readonly number: PortNumber;
  readonly port: Port;
  readonly cells: Float64Array = new Float64Array(CELLS);
  readonly rx: Counters = new Counters(this.cells, RX_CELL);
  readonly tx: Counters = new Counters(this.cells, TX_CELL);
  isShut = false;
  /** The port to whose tunnel this one's is parallel: this one forwards nothing (ParallelTunnels). */
  standsByFor: BridgePort | undefined;
  link: LinkState = 'up';
  /** Why the link is not up; undefined while it is. */
  linkReason: string | undefined;
  /** The last batch that touched this port: tells a first frame from a further one without a set. */
  touchedBy = 0;

  /** The only port that this one's frames went to since `soleSinceMs`; undefined: there was none, or several. */
  soleEgress: BridgePort | undefined;
  soleSinceMs = 0;
  /** The target of the last flow that was installed from here. */
  #flowTo: BridgePort | undefined;
  /** When that flow expires. */
  #flowUntilMs = 0;
  /** When the last one to another target expires. */
  #elsewhereUntilMs = 0;

  /** Whether a stage at ingress judges each frame from here, those too whose key is that of the frame before. */
  isEachFrameJudged = false;

  readonly #policyChanged: () => void;
  readonly #onFault: (fault: PortFault) => void;
  #policy: IngressPolicy | undefined;

  /**
   * @param policyChanged told of each new policy, and of each change of its rules
   * @param onFault told when frames begin to be dropped for a reason that points at a fault
   */
  constructor(
    number: PortNumber,
    port: Port,
    policyChanged: () => void = () => undefined,
    onFault: (fault: PortFault) => void = () => undefined,
  ) {
    this.number = number;
    this.port = port;
    this.#policyChanged = policyChanged;
    this.#onFault = onFault;
  }

  /** Counts frames that are dropped. @param example one of them, if it can be shown */
  discard(direction: Direction, reason: DiscardReason, frames: number, example?: FrameExample): void {
    const { discards } = this[direction];
    const isFirst = discards[reason] === 0;
    discards[reason] += frames;
    if (isFirst && FAULT_REASONS.has(reason)) this.#onFault({ direction, reason, example });
  }

  /** The same for frame `index` of a batch, which stands for so many. */
  drop(direction: Direction, reason: DiscardReason, frames: number, batch: FrameBatch, index: number): void {
    const isFirst = this[direction].discards[reason] === 0;
    const isExplained = isFirst && FAULT_REASONS.has(reason);
    this.discard(direction, reason, frames, isExplained ? exampleOf(batch, index) : undefined);
  }

  /** What may come in; undefined: everything. */
  get policy(): IngressPolicy | undefined {
    return this.#policy;
  }

  set policy(policy: IngressPolicy | undefined) {
    if (this.#policy !== undefined) this.#policy.onChange = () => undefined;
    this.#policy = policy;
    if (policy !== undefined) policy.onChange = this.#policyChanged;
    this.#policyChanged();
  }

  /** Frames from here may go to `egress` unseen, until then. */
  noteFlow(egress: BridgePort, untilMs: number): void {
    if (egress !== this.#flowTo) this.#elsewhereUntilMs = this.#flowUntilMs;
    this.#flowTo = egress;
    this.#flowUntilMs = untilMs;
  }

  /** Whether all frames from here have gone to `egress` for a while, those that no one has seen among them. */
  sendsOnlyTo(egress: BridgePort, nowMs: number): boolean {
    if (egress !== this.soleEgress || nowMs - this.soleSinceMs < SOLE_EGRESS_MS) return false;
    return nowMs >= (egress === this.#flowTo ? this.#elsewhereUntilMs : this.#flowUntilMs);
  }

  /** Whether frames could enter and leave by this port. */
  get isUsable(): boolean {
    return !this.isShut && this.link === 'up';
  }

  /** Whether they do. */
  get isForwarding(): boolean {
    return this.isUsable && this.standsByFor === undefined;
  }
}
