import type { BridgePort } from '../bridge/bridge-port.ts';
import type { BridgeTrace } from '../bridge/bridge-trace.ts';
import type { EventHub } from '../events/event-hub.ts';
import { limitLevel, type RecordLimit } from '../observability/limited-logger.ts';
import type { Logger } from '../observability/logger.ts';
import type { OffloadEngine } from '../wire/offload/engine.ts';
import type { PortLabels } from './attached-port.ts';
import { loggerOf, traceTo } from './log-facts.ts';

/** The rate limit of each kind of warning that peers can cause. */
const WARNINGS: RecordLimit = { burst: 10, perSecond: 0.2 };
/** The rate limit of lines about ports: a client that connects repeatedly causes three for each connection. */
const PORT_LINES: RecordLimit = { burst: 300, perSecond: 30 };

/** The log of a switch. Each kind of warning has its own rate limit, so that a flood of one does not suppress the others. */
export class SwitchLogs {
  readonly all: Logger;
  readonly faults: Logger;
  readonly moves: Logger;
  readonly parallel: Logger;

  constructor(logger: Logger) {
    this.all = limitLevel(logger, 'info', PORT_LINES);
    this.faults = limitLevel(this.all, 'warn', WARNINGS);
    this.moves = limitLevel(this.all, 'warn', WARNINGS);
    this.parallel = limitLevel(this.all, 'warn', WARNINGS);
  }
}

/** The limits of filtering databases that the switch has for all networks. */
export interface FdbLimits {
  readonly ageingTimeMs: number;
  readonly fdbCapacity: number;
}

/** What a switch knows and does for all of its networks. */
export interface SwitchSide {
  readonly logs: SwitchLogs;
  readonly events: EventHub;
  readonly forwardReserved: number;
  readonly offloadEngine: OffloadEngine;
  /** what addresses of networks are made of */
  readonly addressSeed: string;
  labelsOf(port: BridgePort): PortLabels;
  /** @param network its network must be this one */
  portCalled(reference: string, network: string): BridgePort | undefined;
  controlAddress(): string | undefined;
  /** The state or link of a port may be another one. */
  changed(port: BridgePort): void;
  /** The same, where the network's entities know it already. */
  announce(port: BridgePort): void;
}

/** What logs each decision of a network's bridge, if the level of the log is debug. */
export function traceOf({ all }: SwitchLogs, name: string): BridgeTrace | undefined {
  return all.isLevelEnabled('debug') ? traceTo(loggerOf(all, name)) : undefined;
}
