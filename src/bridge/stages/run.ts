import type { BridgePort } from '../bridge-port.ts';
import { type FlowPermit, MAY_PASS, permitOfBoth } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { DiscardReason } from '../port.ts';
import type { Answer, EgressStage, IngressStage, Stage } from './stage.ts';

// The loops go by index: this is the hot path, where an iterator costs as much as a stage.

/** Asks one stage behind the other until one refuses. @returns its reason, or what all of them permit */
export function ask(stages: readonly Stage[], pass: Pass): Answer {
  let permit: FlowPermit = MAY_PASS;
  for (let at = 0; at < stages.length; at++) {
    const answer = (stages[at] as Stage).apply(pass);
    if (answer === MAY_PASS) continue;
    if (typeof answer === 'string') return answer;
    permit = permitOfBoth(permit, answer);
  }
  return permit;
}

/** The same for stages at egress. */
export function askEgress(stages: readonly EgressStage[], pass: Pass, egress: BridgePort): Answer {
  let permit: FlowPermit = MAY_PASS;
  for (let at = 0; at < stages.length; at++) {
    const answer = (stages[at] as EgressStage).apply(pass, egress);
    if (answer === MAY_PASS) continue;
    if (typeof answer === 'string') return answer;
    permit = permitOfBoth(permit, answer);
  }
  return permit;
}

/** Asks what has to be asked for each frame; the permit stays in the pass. @returns whether the frame goes on */
export function enter(stages: readonly IngressStage[], pass: Pass): boolean {
  for (let at = 0; at < stages.length; at++) {
    const answer = (stages[at] as IngressStage).apply(pass);
    if (answer === MAY_PASS) continue;
    if (typeof answer === 'string') {
      refuse(pass, answer);
      return false;
    }
    pass.permit = permitOfBoth(pass.permit, answer);
  }
  return true;
}

/** Counts the present frame as a discard of its ingress port; one that goes nowhere counts once, whatever it stands for. */
export function refuse({ ingress, batch, index, frames }: Pass, reason: DiscardReason): void {
  ingress.drop('rx', reason, reason === 'filtered' ? 1 : frames, batch, index);
}

/** The same for a frame whose way was decided: it counts at the port that it cannot leave by, if there is one. */
export function refuseAt(pass: Pass, egress: BridgePort | undefined, reason: DiscardReason): void {
  if (egress === undefined || egress === pass.ingress) refuse(pass, reason);
  else egress.tx.discard(reason);
}
