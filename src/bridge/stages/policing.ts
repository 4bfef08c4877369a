import type { BridgePort } from '../bridge-port.ts';
import type { FilteringDatabase } from '../fdb.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { IngressPolicy } from '../ingress-policy.ts';
import type { Pass } from '../pass.ts';
import type { Answer, Stage } from './stage.ts';

/** Applies the rules of the ingress port's policy about source addresses (IEEE 802.1Q-2022, 8.6.5). */
export class SourcePolicing implements Stage {
  readonly #fdb: FilteringDatabase;

  constructor(fdb: FilteringDatabase) {
    this.#fdb = fdb;
  }

  apply(pass: Pass): Answer {
    const { policy } = pass.ingress;
    return policy === undefined ? MAY_PASS : this.#judge(policy, pass);
  }

  #judge(policy: IngressPolicy, { ingress, vid, source, nowMs }: Pass): Answer {
    if (policy.isAdmitted(source)) return MAY_PASS;
    const holder = this.#fdb.lookup(vid, source, nowMs);
    const isHere = holder === undefined || holder === ingress || policy.mayTakeFrom(holder.meshNode, source);
    return policy.admit(source, !isHere) ? MAY_PASS : 'sourceDenied';
  }
}

/** Applies the other rules: EtherTypes, guards, and rates. Rates come last, so that a refused frame takes no tokens. */
export class Policing implements Stage {
  isUsedBy({ policy }: BridgePort): boolean {
    return policy !== undefined;
  }

  apply(pass: Pass): Answer {
    const { policy } = pass.ingress;
    return policy === undefined ? MAY_PASS : this.#judge(policy, pass);
  }

  #judge(policy: IngressPolicy, { batch, frames, start, length, nowMs }: Pass): Answer {
    return policy.check(batch.bytes, start, length, frames, nowMs) ?? policy.permit;
  }
}
