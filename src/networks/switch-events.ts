import type { BridgePort, PortNumber } from '../bridge/bridge-port.ts';
import type { AddressListener } from '../bridge/bridge-trace.ts';
import type { FilteringEntry } from '../bridge/fdb.ts';
import type { MoveReport } from '../bridge/move-watch.ts';
import type { DiscardReason } from '../bridge/port.ts';
import { detailsOf } from '../bridge/port-details.ts';
import type { EventFacts } from '../events/event.ts';
import type { EventHub } from '../events/event-hub.ts';
import { formatMacAddress } from '../wire/ethernet/mac-address.ts';
import type { AttachedPort } from './attached-port.ts';
import type { PortDirectory } from './port-directory.ts';
import { stateOf } from './port-entries.ts';

/** Reasons of discards that a station behind the port is responsible for: rules of a policy, and of IEEE 802. */
const VIOLATIONS: readonly DiscardReason[] = [
  'sourceDenied',
  'typeDenied',
  'serverDenied',
  'rateExceeded',
  'badSource',
  'badVid',
  'badMembership',
  'macLimit',
  'locked',
  'ipSourceDenied',
  'arpDenied',
  'ndDenied',
];

/** Makes events of what ports, addresses and counters of one switch do. */
export class SwitchEvents implements AddressListener {
  readonly #hub: EventHub;
  readonly #directory: PortDirectory;
  /** Frames that were refused, by port and reason, when they were looked at last. */
  readonly #refused = new Map<AttachedPort, number[]>();

  constructor(hub: EventHub, directory: PortDirectory) {
    this.#hub = hub;
    this.#directory = directory;
  }

  get wantsAddresses(): boolean {
    const hub = this.#hub;
    return hub.isWanted('address-learned') || hub.isWanted('address-moved') || hub.isWanted('address-aged');
  }

  /** The port has its number and is open. */
  added(port: AttachedPort): void {
    port.isAnnounced = true;
    this.#hub.publish('port-added', { ...factsOf(port), ...stateOf(port.bridgePort) });
    this.changed(port);
  }

  /** The port's state or its link may be another one. */
  changed(port: AttachedPort): void {
    if (!port.isAnnounced) return;
    const { bridgePort } = port;
    const { link, isForwarding } = bridgePort;
    if (detailsOf(bridgePort.port)?.kind === 'tunnel' && (link === 'up') !== port.wasTunnelUp) {
      port.wasTunnelUp = link === 'up';
      const kind = port.wasTunnelUp ? 'tunnel-up' : 'tunnel-down';
      this.#hub.publish(kind, { ...factsOf(port), ...tunnelFactsOf(port), ...stateOf(bridgePort) });
    }
    if (isForwarding === port.wasForwarding) return;
    port.wasForwarding = isForwarding;
    this.#hub.publish(isForwarding ? 'port-up' : 'port-down', { ...factsOf(port), ...stateOf(bridgePort) });
  }

  /** The port is none any more. */
  removed(port: AttachedPort): void {
    const facts = factsOf(port);
    const why = { state: 'closed', reason: stateOf(port.bridgePort).reason ?? 'the port was removed' };
    if (port.wasTunnelUp) this.#hub.publish('tunnel-down', { ...facts, ...tunnelFactsOf(port), ...why });
    if (port.wasForwarding) this.#hub.publish('port-down', { ...facts, ...why });
    this.#hub.publish('port-removed', { ...facts, ...why });
    this.#refused.delete(port);
  }

  learned({ vid, mac, port }: FilteringEntry): void {
    this.#hub.publish('address-learned', { ...this.#numbersOf(port), vid, mac: formatMacAddress(mac) });
  }

  moved({ vid, mac, port }: FilteringEntry, from: PortNumber): void {
    this.#hub.publish('address-moved', { ...this.#numbersOf(port), vid, mac: formatMacAddress(mac), movedFrom: from });
  }

  aged({ vid, mac, port }: FilteringEntry, isDisplaced: boolean): void {
    const facts = { vid, mac: formatMacAddress(mac), displaced: isDisplaced };
    this.#hub.publish('address-aged', { ...this.#numbersOf(port), ...facts });
  }

  flapping(report: MoveReport, network: string): void {
    const { ports, moves } = report;
    if (report.kind === 'loop') this.#hub.publish('loop', { ports, network, addresses: report.addresses, moves });
    else {
      const { vid, mac, withinMs } = report;
      const facts = { ports, network, vid, mac: formatMacAddress(mac), moves, withinMs };
      this.#hub.publish('address-flapping', facts);
    }
  }

  /** Looks for violations since the last call; about once a second. Counters of refused frames are all that frames cost. */
  lookForViolations(): void {
    if (!this.#hub.isWanted('violation')) {
      this.#refused.clear();
      return;
    }
    for (const port of this.#directory.ports()) {
      const { discards } = port.bridgePort.rx;
      const now = VIOLATIONS.map((reason) => discards[reason]);
      const before = this.#refused.get(port);
      this.#refused.set(port, now);
      // What was refused before anyone asked for events is in listport.
      if (before === undefined) continue;
      now.forEach((count, at) => {
        const frames = count - (before[at] ?? 0);
        if (frames > 0) {
          const facts = { reason: VIOLATIONS[at], frames, user: port.user ?? null };
          this.#hub.publish('violation', { ...factsOf(port), ...facts });
        }
      });
    }
  }

  #numbersOf(port: BridgePort): EventFacts {
    const attached = this.#directory.of(port);
    return { port: port.number, portName: attached?.name ?? null, network: attached?.network.name };
  }
}

function factsOf({ bridgePort, network, name }: AttachedPort): EventFacts {
  const { number, port } = bridgePort;
  return { port: number, portName: name ?? null, network: network.name, type: port.type, target: port.target };
}

function tunnelFactsOf({ bridgePort, user }: AttachedPort): Readonly<Record<string, unknown>> {
  const details = detailsOf(bridgePort.port);
  const connection = details?.kind === 'tunnel' ? details.connection : undefined;
  return { user: user ?? null, wire: connection?.wire ?? null, url: connection?.url ?? null };
}
