import type { ReservedSet } from '../../wire/ethernet/reserved-address.ts';
import type { OffloadEngine } from '../../wire/offload/engine.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { BridgeTrace } from '../bridge-trace.ts';
import type { FilteringDatabase } from '../fdb.ts';
import type { Pass } from '../pass.ts';
import { Decision, NoWayBack, ReservedAddresses } from './decision.ts';
import { PossibleAddresses, WellFormed } from './ingress-rules.ts';
import { Learning } from './learning.ts';
import { Policing, SourcePolicing } from './policing.ts';
import { EgressPortState, IngressPortState } from './port-state.ts';
import type { Answer } from './stage.ts';

/** What stages are made of. */
export interface StageParts {
  readonly fdb: FilteringDatabase;
  readonly engine: OffloadEngine;
  readonly relayedReserved: ReservedSet;
  readonly trace: BridgeTrace | undefined;
}

/**
 * A frame's way through the bridge, in the order of IEEE 802.1Q-2022, 8.6. A new stage
 * is a file, a field, and a line where it is asked.
 *
 * The lists are code, not arrays: each stage has a call of its own, which V8 can
 * inline. It cannot inline one call in a loop that many classes share.
 */
export class Stages {
  readonly #ingressPortState = new IngressPortState();
  readonly #wellFormed: WellFormed;
  readonly #possibleAddresses = new PossibleAddresses();
  readonly #sourcePolicing: SourcePolicing;
  readonly #policing = new Policing();
  readonly #learning: Learning;
  readonly #reservedAddresses: ReservedAddresses;
  readonly #decision: Decision;
  readonly #noWayBack = new NoWayBack();
  readonly #egressPortState = new EgressPortState();

  constructor({ fdb, engine, relayedReserved, trace }: StageParts) {
    this.#wellFormed = new WellFormed(engine);
    this.#sourcePolicing = new SourcePolicing(fdb);
    this.#learning = new Learning(fdb, trace);
    this.#reservedAddresses = new ReservedAddresses(relayedReserved);
    this.#decision = new Decision(fdb);
  }

  /** Asked once a batch, for the ingress port alone. */
  enterPort(pass: Pass): Answer {
    return this.#ingressPortState.apply(pass);
  }

  /** Asked for each frame that has an offload header, or is too long for any port. */
  enterWellFormed(pass: Pass): Answer {
    return this.#wellFormed.apply(pass);
  }

  /** Whether `enter` has to be asked for each frame from this port. Its answer may change with the port's policy. */
  judgesEachFrame(port: BridgePort): boolean {
    return this.#policing.isUsedBy(port);
  }

  /**
   * The stages at ingress.
   * @param isSameSource source and VID are those of the frame before: what was answered for them holds
   * @returns whether the frame goes on; if not, `pass.refusal` says why
   */
  enter(pass: Pass, isSameSource: boolean): boolean {
    const isPoliced = pass.ingress.isEachFrameJudged;
    return (
      (isSameSource || pass.allowsSource(this.#possibleAddresses.apply(pass))) &&
      (!isPoliced || this.#police(pass, isSameSource)) &&
      (isSameSource || pass.allowsSource(this.#learning.apply(pass)))
    );
  }

  /** Apart from `enter`, so that a port without a policy has nothing of it in its way. */
  #police(pass: Pass, isSameSource: boolean): boolean {
    return (
      (isSameSource || pass.allowsSource(this.#sourcePolicing.apply(pass))) &&
      pass.allowsFrame(this.#policing.apply(pass))
    );
  }

  /** Asked for each destination and VID that differs from the frame before; sets `pass.egress`. @returns as `enter` */
  decide(pass: Pass): boolean {
    return (
      pass.allowsKey(this.#reservedAddresses.apply(pass)) &&
      pass.allowsKey(this.#decision.apply(pass)) &&
      pass.allowsKey(this.#noWayBack.apply(pass))
    );
  }

  /** Asked for the port that a frame is about to leave by, together with the decision; of a flood for each port. */
  leave(pass: Pass, egress: BridgePort): Answer {
    return this.#egressPortState.apply(pass, egress);
  }
}
