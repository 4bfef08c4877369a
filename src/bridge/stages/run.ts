import { framesIn } from '../../wire/offload/gso.ts';
import { type FlowPermit, MAY_PASS, permitOfBoth } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { DiscardReason } from '../port.ts';
import type { Answer, IngressStage, Stage } from './stage.ts';

/** Asks one stage behind the other until one refuses. @returns its reason, or what all of them permit */
export function ask(stages: readonly Stage[], pass: Pass): Answer {
  let permit: FlowPermit = MAY_PASS;
  for (const stage of stages) {
    const answer = stage.apply(pass);
    if (typeof answer === 'string') return answer;
    permit = permitOfBoth(permit, answer);
  }
  return permit;
}

/** The same at ingress, where what is permitted stays in the pass: for the frame, or for all frames of its source. */
export function enter(stages: readonly IngressStage[], pass: Pass): DiscardReason | undefined {
  for (const stage of stages) {
    const answer = stage.apply(pass);
    if (answer === MAY_PASS) continue;
    if (typeof answer === 'string') return answer;
    if (stage.scope === 'source') pass.sourcePermit = permitOfBoth(pass.sourcePermit, answer);
    else pass.permit = permitOfBoth(pass.permit, answer);
  }
  return undefined;
}

/** Reasons that count a super-frame as one frame: its header cannot be believed, or it has gone nowhere. */
const COUNTED_ONCE: ReadonlySet<DiscardReason> = new Set(['runt', 'tooLong', 'badOffload', 'filtered']);

/** Counts the present frame as a discard of its ingress port. */
export function refuse({ ingress, batch, index }: Pass, reason: DiscardReason): void {
  const frames = COUNTED_ONCE.has(reason) ? 1 : framesIn(batch, index);
  ingress.drop('rx', reason, frames, batch, index);
}
