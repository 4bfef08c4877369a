import { DISCARD_REASONS, type DiscardReason } from './port.ts';

/** What crossed a port in one direction. Plain numbers: they are on the hot path. */
export class Counters {
  frames = 0;
  octets = 0;
  readonly discards: Record<DiscardReason, number> = Object.fromEntries(
    DISCARD_REASONS.map((reason) => [reason, 0]),
  ) as Record<DiscardReason, number>;

  count(octets: number, frames = 1): void {
    this.frames += frames;
    this.octets += octets;
  }

  discard(reason: DiscardReason, frames = 1): void {
    this.discards[reason] += frames;
  }
}
