import type { Bridge } from '../bridge/bridge.ts';
import type { BridgePort } from '../bridge/bridge-port.ts';
import type { EventFacts, EventKind } from '../events/event.ts';
import type { Logger } from '../observability/logger.ts';
import type { NetworkSettings } from '../schema/network-options.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { PortLabels } from './attached-port.ts';
import { LldpEntity } from './lldp/lldp-entity.ts';
import { MeshEntity } from './mesh/mesh-entity.ts';
import { SharedLeases } from './mesh/shared-leases.ts';
import { MirrorEntity } from './mirror-entity.ts';
import { MulticastEntity } from './multicast-entity.ts';
import { Pings } from './ping/pings.ts';
import { PortProtections } from './port-protections.ts';
import { SpanningTreeEntity } from './spanning-tree-entity.ts';

/**
 * A protocol entity of a network, such as its spanning tree or its LLDP agent (IEEE 802.1Q-2022, 8.10). It is sans-I/O:
 * its network tells it what happens and what time it is. All times are of one monotonic clock, in milliseconds. No
 * method throws.
 */
export interface NetworkEntity {
  /** The settings are these from now on. Called once before the first port, and after each change. */
  configure?(settings: NetworkSettings, nowMs: number): void;
  /** The port has its number, and is not open yet. */
  portAdded?(port: BridgePort, nowMs: number): void;
  /** The port's link, administrative state, standby or settings may have changed. */
  portChanged?(port: BridgePort, nowMs: number): void;
  /** The port is about to be removed, and can still send. */
  portLeaving?(port: BridgePort, nowMs: number): void;
  /** The port is no port of the bridge any more. */
  portRemoved?(port: BridgePort, nowMs: number): void;
  /** Called about once a second, and when `EntityHost.wakeBy` has asked for it; maybe earlier than needed. */
  tick?(nowMs: number): void;
  /** The network ends. Its ports are removed already. */
  close?(): void;
}

/** What a network offers its entities. */
export interface EntityHost {
  /** the name of the network */
  readonly network: string;
  /** the address of its bridge: in bridge identifiers, and the source of its own frames */
  readonly address: MacAddress;
  readonly bridge: Bridge;
  /** has the fact `network`, where it is not the default one */
  readonly logger: Logger;
  nowMs(): number;
  /** The name and description that the operator gave the port. */
  labelsOf(port: BridgePort): PortLabels;
  /** The port of this network with this number or name, as text; undefined if there is none. */
  portCalled(reference: string): BridgePort | undefined;
  /** The address at which the control service listens, if it is a certain one. */
  controlAddress?(): string | undefined;
  /** Asks for a call of `tick` by this time. An earlier request stays in force; one call answers all. */
  wakeBy(atMs: number): void;
  /** Tells subscribers and hooks; the fact `network` is added. */
  publish(kind: EventKind, facts: EventFacts): void;
  /** To be called when the entity has changed the state of a port: it is listed and told of anew. */
  portChanged(port: BridgePort): void;
}

/**
 * Makes the entities of a network, each under its name. They are told of everything in this order. A network that does
 * not use an entity should pay nothing for it, so an entity makes its tables when its setting turns it on.
 */
export function makeEntities(host: EntityHost) {
  const lldp = new LldpEntity(host);
  const mesh = new MeshEntity(host);
  new SharedLeases(mesh, host.bridge.sourceGuard);
  const spanningTree = new SpanningTreeEntity(host, mesh);
  // A port that is reserved for a mirror, or no longer, is another one for these.
  const mirrors = new MirrorEntity(host, (port, nowMs) => {
    spanningTree.portChanged(port);
    lldp.portChanged(port, nowMs);
  });
  return {
    spanningTree,
    protections: new PortProtections(host, mesh),
    lldp,
    mirrors,
    pings: new Pings(host.bridge, host.address),
    multicast: new MulticastEntity(host),
    mesh,
  } satisfies Readonly<Record<string, NetworkEntity>>;
}

export type Entities = ReturnType<typeof makeEntities>;
