import type { PortVariables } from './variables.ts';

/** The Port Timers state machine (IEEE 802.1D-2004, 17.22), state TICK: once a second. */
export function portTimers(port: PortVariables): void {
  port.helloWhen = decremented(port.helloWhen);
  port.tcWhile = decremented(port.tcWhile);
  port.fdWhile = decremented(port.fdWhile);
  port.rcvdInfoWhile = decremented(port.rcvdInfoWhile);
  port.rrWhile = decremented(port.rrWhile);
  port.rbWhile = decremented(port.rbWhile);
  port.mdelayWhile = decremented(port.mdelayWhile);
  port.edgeDelayWhile = decremented(port.edgeDelayWhile);
  port.txCount = decremented(port.txCount);
  port.tcHeardWhile = decremented(port.tcHeardWhile);
}

/** Received times may have fractions of a second. */
function decremented(timer: number): number {
  return Math.max(0, timer - 1);
}
