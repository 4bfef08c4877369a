import { Bridge } from '../bridge/bridge.ts';
import type { BridgePort } from '../bridge/bridge-port.ts';
import type { PortFault } from '../bridge/port-fault.ts';
import type { EventFacts, EventKind } from '../events/event.ts';
import { NativeFlowTable } from '../native/flow-table.ts';
import type { Logger } from '../observability/logger.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { PortLabels } from './attached-port.ts';
import { loggerOf, networkFact } from './log-facts.ts';
import { logFault } from './log-fault.ts';
import type { EntityHost } from './network-entity.ts';
import { type FdbLimits, type SwitchSide, traceOf } from './network-parts.ts';
import { ownAddress } from './own-address.ts';

/** The clock of a network, and its timer. */
export type NetworkClock = Pick<EntityHost, 'nowMs' | 'wakeBy'>;

/**
 * What a network is to its entities, and to its bridge, which it makes. It has methods, and not functions of its own: a function
 * takes 56 octets in each of a thousand networks.
 */
export class NetworkHost implements EntityHost {
  readonly network: string;
  readonly address: MacAddress;
  readonly logger: Logger;
  readonly bridge: Bridge;
  readonly #side: SwitchSide;
  readonly #clock: NetworkClock;

  constructor(network: string, side: SwitchSide, limits: FdbLimits, clock: NetworkClock) {
    this.network = network;
    this.#side = side;
    this.#clock = clock;
    this.address = ownAddress(side.addressSeed, network);
    this.logger = loggerOf(side.logs.all, network);
    const trace = traceOf(side.logs, network);
    this.bridge = new Bridge({
      forwardReserved: side.forwardReserved,
      offloadEngine: side.offloadEngine,
      parallel: this,
      onFault: (port, fault) => this.#fault(port, fault),
      ...limits,
      ...(trace === undefined ? {} : { trace }),
      flowTable: new NativeFlowTable(),
    });
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  labelsOf(port: BridgePort): PortLabels {
    return this.#side.labelsOf(port);
  }

  portCalled(reference: string): BridgePort | undefined {
    return this.#side.portCalled(reference, this.network);
  }

  controlAddress(): string | undefined {
    return this.#side.controlAddress();
  }

  wakeBy(atMs: number): void {
    this.#clock.wakeBy(atMs);
  }

  publish(kind: EventKind, facts: EventFacts): void {
    const port = facts.port === undefined ? undefined : this.portCalled(String(facts.port));
    const named = port === undefined ? {} : { portName: this.labelsOf(port).name ?? null };
    this.#side.events.publish(kind, { ...named, ...facts, network: this.network });
  }

  portChanged(port: BridgePort): void {
    this.#side.announce(port);
  }

  /** `BridgeOptions.parallel`, as the next one. */
  standsBy(bridgePort: BridgePort, active: BridgePort): void {
    const { number, port } = bridgePort;
    const facts = { port: number, ...networkFact(this.network), target: port.target, parallelTo: active.number };
    this.#side.logs.parallel.warn(facts, 'a second tunnel to the same switch stands by');
    this.#side.changed(bridgePort);
  }

  takesOver(bridgePort: BridgePort, former: BridgePort): void {
    const { number, port } = bridgePort;
    const facts = { port: number, ...networkFact(this.network), target: port.target, from: former.number };
    this.#side.logs.parallel.warn(facts, 'a tunnel that stood by takes over');
    this.#side.changed(bridgePort);
  }

  #fault(port: BridgePort, fault: PortFault): void {
    logFault(loggerOf(this.#side.logs.faults, this.network), port, fault);
  }
}
