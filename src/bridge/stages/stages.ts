import type { ReservedSet } from '../../wire/ethernet/reserved-address.ts';
import type { OffloadEngine } from '../../wire/offload/engine.ts';
import type { BridgeTrace } from '../bridge.ts';
import type { FilteringDatabase } from '../fdb.ts';
import { Decision, NoWayBack, ReservedAddresses } from './decision.ts';
import { PossibleAddresses, WellFormed } from './ingress-rules.ts';
import { Learning } from './learning.ts';
import { Policing } from './policing.ts';
import { EgressPortState, IngressPortState } from './port-state.ts';
import type { Stages } from './stage.ts';

/** What stages are made of. */
export interface StageParts {
  readonly fdb: FilteringDatabase;
  readonly engine: OffloadEngine;
  readonly relayedReserved: ReservedSet;
  readonly trace: BridgeTrace | undefined;
}

/** A frame's way through the bridge, in the order of IEEE 802.1Q-2022, 8.6. A new stage is a file and a line here. */
export function stagesOf({ fdb, engine, relayedReserved, trace }: StageParts): Stages {
  return {
    port: [new IngressPortState()],
    wellFormed: new WellFormed(engine),
    ingress: [new PossibleAddresses(), new Policing(fdb), new Learning(fdb, trace)],
    decision: [new ReservedAddresses(relayedReserved), new Decision(fdb), new NoWayBack()],
    egress: [new EgressPortState()],
  };
}
