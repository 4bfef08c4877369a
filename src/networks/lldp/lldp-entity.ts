import { hostname, release, type } from 'node:os';
import type { BridgePort } from '../../bridge/bridge-port.ts';
import {
  LldpAgent,
  type LldpCounters,
  type LldpLocalPort,
  type NeighborEnd,
  noCounters,
} from '../../bridge/lldp/lldp-agent.ts';
import type { LldpNeighbor } from '../../bridge/lldp/lldp-neighbors.ts';
import type { EventFacts } from '../../events/event.ts';
import { DEFAULT_NETWORK, type NetworkSettings } from '../../schema/network-options.ts';
import type { ManagementAddress } from '../../wire/lldp/lldpdu.ts';
import { showChassisId, showPortId } from '../../wire/lldp/shown.ts';
import type { EntityHost, NetworkEntity } from '../network-entity.ts';
import { managementAddresses } from './management-addresses.ts';

/** For how long addresses of devices are not read again. */
const FOUND_MS = 1000;

const SYSTEM = `etherws on ${type()} ${release()}`;

/** LLDP in a network (IEEE 802.1AB-2016): an agent while the setting `lldp` is on, and what subscribers are told. */
export class LldpEntity implements NetworkEntity {
  readonly #host: EntityHost;
  #isOn = false;
  #management = 'auto';
  /** What was found for a second, since each port tells it. */
  #found: { readonly addresses: readonly ManagementAddress[]; readonly untilMs: number } | undefined;
  #agent: LldpAgent | undefined;

  constructor(host: EntityHost) {
    this.#host = host;
  }

  /** undefined while LLDP is off, or the network has had no port yet */
  get agent(): LldpAgent | undefined {
    return this.#agent;
  }

  configure({ lldp, lldpManagement }: NetworkSettings, nowMs: number): void {
    const isOther = lldpManagement !== this.#management;
    this.#management = lldpManagement;
    if (isOther) this.#found = undefined;
    this.#isOn = lldp === 'on';
    if (this.#isOn) {
      if (this.#agent !== undefined) {
        if (isOther) for (const port of this.#host.bridge.eachPort()) this.#agent.update(port, nowMs);
        return;
      }
      for (const port of this.#host.bridge.eachPort()) this.portAdded(port, nowMs);
    } else if (this.#agent !== undefined) {
      this.#agent.close(nowMs);
      this.#host.bridge.removeProtocol(this.#agent);
      this.#agent = undefined;
    }
  }

  portAdded(port: BridgePort, nowMs: number): void {
    if (!this.#isOn) return;
    this.#agent ??= this.#start();
    this.#agent.update(port, nowMs);
  }

  portChanged(port: BridgePort, nowMs: number): void {
    this.#agent?.update(port, nowMs);
  }

  portLeaving(port: BridgePort, nowMs: number): void {
    this.#agent?.remove(port, nowMs);
  }

  tick(nowMs: number): void {
    this.#agent?.tick(nowMs);
  }

  #start(): LldpAgent {
    const agent = this.#newAgent();
    this.#host.bridge.addProtocol(agent);
    return agent;
  }

  #newAgent(): LldpAgent {
    const { bridge, network, address } = this.#host;
    const suffix = network === DEFAULT_NETWORK ? '' : `, network ${network}`;
    return new LldpAgent({
      system: { chassis: address, name: hostname(), description: SYSTEM + suffix },
      modeOf: ({ settings }) => settings.lldp,
      describe: (port) => this.#describe(port),
      managementAddresses: (nowMs) => this.#addresses(nowMs),
      transmit: (port, frame) => void bridge.transmit(port, frame),
      added: (neighbor) => this.#host.publish('neighbor-added', this.#factsOf(neighbor)),
      changed: (neighbor) => this.#host.publish('neighbor-changed', this.#factsOf(neighbor)),
      removed: (neighbor, why) =>
        this.#host.publish('neighbor-removed', { ...this.#factsOf(neighbor), reason: WORDS[why] }),
    });
  }

  #addresses(nowMs: number): readonly ManagementAddress[] {
    if (this.#found !== undefined && nowMs < this.#found.untilMs) return this.#found.addresses;
    const { bridge } = this.#host;
    const addresses = managementAddresses(this.#management, bridge.ports.values(), this.#host.controlAddress?.());
    this.#found = { addresses, untilMs: nowMs + FOUND_MS };
    return addresses;
  }

  #describe(port: BridgePort): LldpLocalPort {
    const { name, description } = this.#host.labelsOf(port);
    const { type: kind, target } = port.port;
    const { vlans } = port;
    return {
      id: name ?? `port-${port.number}`,
      description: description ?? `${kind} ${target}`,
      // A trunk has no VLAN for frames without a tag (IEEE 802.1Q-2022, D.2.1); a transparent port knows of none.
      ...(vlans === undefined ? {} : { portVlanId: vlans.mode === 'trunk' ? 0 : vlans.pvid }),
    };
  }

  #factsOf({ port, lldpdu }: LldpNeighbor): EventFacts {
    return {
      port: port.number,
      portName: this.#host.labelsOf(port).name ?? null,
      system: lldpdu.systemName ?? null,
      chassis: showChassisId(lldpdu.chassisId),
      neighborPort: showPortId(lldpdu.portId),
    };
  }
}

/** Why a neighbour was removed, for people. */
const WORDS: Readonly<Record<NeighborEnd, string>> = {
  aged: 'silent for its TTL',
  left: 'it said that it leaves',
  'port-down': 'the port is down',
  'port-removed': 'the port was removed',
  disabled: 'LLDP was switched off',
};

/** The sums of counters of all ports, and the present neighbours. */
export interface LldpUse extends LldpCounters {
  neighbors: number;
}

/** @param agents those of all networks, undefined for a network without */
export function lldpUse(agents: Iterable<LldpAgent | undefined>): LldpUse {
  const use: LldpUse = { neighbors: 0, ...noCounters() };
  for (const agent of agents) {
    if (agent === undefined) continue;
    use.neighbors += agent.neighbors.size;
    for (const [name, count] of Object.entries(agent.counters)) use[name as keyof LldpCounters] += count;
  }
  return use;
}
