import type { ReservedSet } from '../wire/ethernet/reserved-address.ts';
import type { OffloadEngine } from '../wire/offload/engine.ts';
import type { BridgePort } from './bridge-port.ts';
import type { BridgeTrace } from './bridge-trace.ts';
import type { FlowTable } from './flow-table.ts';
import type { PortFault } from './port-fault.ts';

export interface BridgeOptions {
  /** The ageing time (IEEE 802.1Q-2022, table 8-6). Default 300 s. */
  ageingTimeMs?: number;
  /** Limit of FDB entries. When it is reached, the port with most loses its least recently seen one. Default 65 536. */
  fdbCapacity?: number;
  /** The reserved group addresses that are forwarded nevertheless. Default none. */
  forwardReserved?: ReservedSet;
  /** Checks super-frames, and does the offloads that an egress port does not take. Default: the engine in TypeScript. */
  offloadEngine?: OffloadEngine;
  /** Forwards frames of flows without the bridge. Default: none. */
  flowTable?: FlowTable;
  /** Called when a port goes on standby for a parallel tunnel, and when it takes over. */
  parallel?: {
    standsBy(port: BridgePort, active: BridgePort): void;
    takesOver(port: BridgePort, former: BridgePort): void;
  };
  /** Called once for each port, direction and reason, at the first discard for one of FAULT_REASONS. */
  onFault?: (port: BridgePort, fault: PortFault) => void;
  /** The first value of `Bridge.trace`. */
  trace?: BridgeTrace;
}

/** @throws RangeError */
export function requireAgeingTime(ageingTimeMs: number): void {
  if (!(ageingTimeMs > 0)) throw new RangeError(`ageingTimeMs must be above 0, got ${ageingTimeMs}`);
}

/** @throws RangeError */
export function requireCapacity(capacity: number): void {
  if (Number.isSafeInteger(capacity) && capacity >= 1) return;
  throw new RangeError(`fdbCapacity must be a whole number of at least 1, got ${capacity}`);
}
