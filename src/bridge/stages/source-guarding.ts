import { kindOf } from '../../wire/ethernet/frame-kind.ts';
import type { BridgePort } from '../bridge-port.ts';
import { MAY_PASS, MUST_COME } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { SourceGuard } from '../source-guard/source-guard.ts';
import type { Answer, Stage } from './stage.ts';

/**
 * DHCP snooping at trusted ports, and the checks of IP sources, ARP and neighbour discovery at guarded ones (SourceGuard).
 * A guarded port that is not trusted brings no answers of DHCP servers, as with DHCP snooping of other switches: they
 * would name other stations, and hand out addresses that the guard then refuses.
 *
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

  /** To be called for a frame that is about to be flooded, with the ports in `pass.flood`. */
  flooded(pass: Pass): void {
    const { ingress, batch, index, vid, source, flood, nowMs } = pass;
    if (ingress.settings.hasSourceGuard || !flood.some(({ settings }) => settings.hasSourceGuard)) return;
    const [start, length] = [batch.starts[index] as number, batch.lengths[index] as number];
    this.#guard.overhear({ bytes: batch.bytes, start, length, vid, source }, nowMs);
  }

  #judge(pass: Pass): Answer {
    const { ingress, batch, start, length, vid, source, nowMs } = pass;
    const frame = { bytes: batch.bytes, start, length, vid, source };
    const { isDhcpTrusted, hasSourceGuard } = ingress.settings;
    if (isDhcpTrusted) this.#guard.snoop(frame, nowMs);
    if (!hasSourceGuard) return MAY_PASS;
    if (!isDhcpTrusted && kindOf(batch.bytes, start, length) === 'dhcpServer') return 'serverDenied';
    return this.#guard.refusalOf(ingress.number, frame, nowMs) ?? MUST_COME;
  }
}
