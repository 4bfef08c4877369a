import type { BridgePort } from '../bridge-port.ts';
import { MAY_PASS, MUST_COME } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { SourceGuard } from '../source-guard/source-guard.ts';
import type { Answer, Stage } from './stage.ts';

/**
 * DHCP snooping at trusted ports, and the checks of IP sources, ARP and neighbour discovery at guarded ones (SourceGuard).
 * A flow has no IP address, so each frame of a guarded port comes. What trusted ports are read for never takes a flow.
 */
export class SourceGuarding implements Stage {
  readonly #guard: SourceGuard;

  constructor(guard: SourceGuard) {
    this.#guard = guard;
  }

  isUsedBy({ settings }: BridgePort): boolean {
    return settings.hasSourceGuard || settings.isDhcpTrusted;
  }

  apply(pass: Pass): Answer {
    return this.isUsedBy(pass.ingress) ? this.#judge(pass) : MAY_PASS;
  }

  #judge(pass: Pass): Answer {
    const { ingress, batch, start, length, vid, source, nowMs } = pass;
    const frame = { bytes: batch.bytes, start, length, vid, source };
    if (ingress.settings.isDhcpTrusted) this.#guard.snoop(frame, nowMs);
    if (!ingress.settings.hasSourceGuard) return MAY_PASS;
    return this.#guard.refusalOf(ingress.number, frame, nowMs) ?? MUST_COME;
  }
}
