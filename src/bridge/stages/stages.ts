import type { ReservedSet } from '../../wire/ethernet/reserved-address.ts';
import type { OffloadEngine } from '../../wire/offload/engine.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { FilteringDatabase } from '../fdb.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { SourceGuard } from '../source-guard/source-guard.ts';
import { Decision, NoWayBack, ReservedAddresses } from './decision.ts';
import { FloodControl } from './flood-control.ts';
import { GroupMembers } from './group-members.ts';
import { PossibleAddresses, WellFormed } from './ingress-rules.ts';
import { Isolation, type MeshKnowledge } from './isolation.ts';
import { Learning, type OnBeyondLimit } from './learning.ts';
import { LockedPort } from './locked-port.ts';
import { Policing, SourcePolicing } from './policing.ts';
import { EgressPortState, ForwardingState, IngressPortState } from './port-state.ts';
import { ServerGuard } from './server-guard.ts';
import { SourceGuarding } from './source-guarding.ts';
import { SplitHorizon } from './split-horizon.ts';
import type { Answer } from './stage.ts';
import { VlanEgress } from './vlan-egress.ts';
import { VlanIngress } from './vlan-ingress.ts';

/** The objects that stages use. */
export interface StageParts {
  readonly fdb: FilteringDatabase;
  readonly engine: OffloadEngine;
  readonly relayedReserved: ReservedSet;
  readonly sourceGuard: SourceGuard;
  readonly onBeyondLimit: OnBeyondLimit;
  readonly mesh: MeshKnowledge;
}

/**
 * The stages of the bridge, in the order of IEEE 802.1Q-2022, 8.6. A new stage
 * is a file, a field, and a line where it is called.
 *
 * The lists are code, not arrays: each stage has its own call, which V8 can
 * inline. It cannot inline one call in a loop over objects of many classes.
 */
export class Stages {
  readonly #ingressPortState = new IngressPortState();
  readonly #wellFormed: WellFormed;
  readonly #vlanIngress = new VlanIngress();
  readonly #possibleAddresses = new PossibleAddresses();
  readonly #sourcePolicing: SourcePolicing;
  readonly #policing = new Policing();
  readonly #serverGuard = new ServerGuard();
  readonly #sourceGuarding: SourceGuarding;
  readonly #lockedPort: LockedPort;
  readonly #learning: Learning;
  readonly #reservedAddresses: ReservedAddresses;
  readonly #decision: Decision;
  /** Snooping, which is off by default. */
  readonly groupMembers: GroupMembers = new GroupMembers();
  readonly #noWayBack = new NoWayBack();
  readonly #forwardingState = new ForwardingState();
  readonly #egressPortState = new EgressPortState();
  readonly #splitHorizon = new SplitHorizon();
  readonly #isolation: Isolation;
  readonly #vlanEgress = new VlanEgress();
  readonly #floodControl = new FloodControl();

  constructor({ fdb, engine, relayedReserved, sourceGuard, onBeyondLimit, mesh }: StageParts) {
    this.#wellFormed = new WellFormed(engine);
    this.#sourcePolicing = new SourcePolicing(fdb);
    this.#sourceGuarding = new SourceGuarding(sourceGuard);
    this.#lockedPort = new LockedPort(fdb);
    this.#learning = new Learning(fdb, onBeyondLimit);
    this.#reservedAddresses = new ReservedAddresses(relayedReserved);
    this.#decision = new Decision(fdb);
    this.#isolation = new Isolation(fdb, mesh);
  }

  /** Run once a batch, for the ingress port. */
  enterPort(pass: Pass): Answer {
    return this.#ingressPortState.apply(pass);
  }

  /** Run for each frame that has an offload header, or is too long for any port. */
  enterWellFormed(pass: Pass): Answer {
    return this.#wellFormed.apply(pass);
  }

  /** Run for each frame of a VLAN-aware port, instead of reading the VID of its C-TAG; sets `pass.vid`. */
  enterVlan(pass: Pass): Answer {
    return this.#vlanIngress.apply(pass);
  }

  /** Whether `enter` must be run for each frame of this port. This may change with the port's policy and settings. */
  judgesEachFrame(port: BridgePort): boolean {
    return this.#policing.isUsedBy(port) || this.#serverGuard.isUsedBy(port) || this.#sourceGuarding.isUsedBy(port);
  }

  /**
   * The stages at ingress.
   * @param isSameSource whether source and VID are those of the frame before, whose answers then apply
   * @returns whether the frame goes on; if not, `pass.refusal` says why
   */
  enter(pass: Pass, isSameSource: boolean): boolean {
    const isPoliced = pass.ingress.isEachFrameJudged;
    return (
      (isSameSource || pass.allowsSource(this.#possibleAddresses.apply(pass))) &&
      (isSameSource || pass.allowsSource(this.#lockedPort.apply(pass))) &&
      (!isPoliced || this.#police(pass, isSameSource)) &&
      (isSameSource || pass.allowsSource(this.#learning.apply(pass)))
    );
  }

  /** Separate from `enter`, so that V8 can inline that for ports without a policy or a guard. The policy's rates come last. */
  #police(pass: Pass, isSameSource: boolean): boolean {
    return (
      (isSameSource || pass.allowsSource(this.#sourcePolicing.apply(pass))) &&
      pass.allowsFrame(this.#serverGuard.apply(pass)) &&
      pass.allowsFrame(this.#sourceGuarding.apply(pass)) &&
      pass.allowsFrame(this.#policing.apply(pass))
    );
  }

  /** Run when destination or VID differ from the frame before; sets `pass.egress`. @returns as `enter` */
  decide(pass: Pass): boolean {
    return (
      pass.allowsKey(this.#reservedAddresses.apply(pass)) &&
      pass.allowsKey(this.#forwardingState.apply(pass)) &&
      pass.allowsKey(this.#decision.apply(pass)) &&
      pass.allowsKey(this.groupMembers.apply(pass)) &&
      pass.allowsKey(this.#noWayBack.apply(pass))
    );
  }

  /** Run for the egress port together with the decision; for a flood for each port. */
  leave(pass: Pass, egress: BridgePort): Answer {
    const answer = this.#egressPortState.apply(pass, egress);
    if (answer !== MAY_PASS) return answer;
    const ofMesh = this.#splitHorizon.apply(pass, egress);
    if (ofMesh !== MAY_PASS) return ofMesh;
    const ofFlooding = this.#floodControl.apply(pass, egress);
    if (ofFlooding !== MAY_PASS) return ofFlooding;
    const ofVlan = this.#vlanEgress.apply(pass, egress);
    // The last one, since it may also say that each frame must come.
    return ofVlan === MAY_PASS ? this.#isolation.apply(pass, egress) : ofVlan;
  }

  /** Run for each frame before it is flooded. */
  flooded(pass: Pass): void {
    this.#sourceGuarding.flooded(pass);
  }

  /** The addresses of the bridge's protocol entities, which are not relayed whatever `relayedReserved` says. */
  reserve(addresses: ReservedSet): void {
    this.#reservedAddresses.reserve(addresses);
  }
}
