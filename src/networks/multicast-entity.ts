import type { BridgePort } from '../bridge/bridge-port.ts';
import { LazyMap } from '../bridge/lazy-map.ts';
import type { MulticastSnooper } from '../bridge/multicast/multicast-snooper.ts';
import type { SnoopedVlan } from '../bridge/multicast/snooped-vlan.ts';
import type { NetworkSettings } from '../schema/network-options.ts';
import type { EntityHost, NetworkEntity } from './network-entity.ts';

/** Limit of the events of queriers a second: peers decide in how many VLANs they query. */
const MOST_QUERIER_EVENTS = 10;
/** For each port, and for the network, refused memberships are told of once in this time. */
const LIMIT_EVENT_MS = 60_000;

const NONE: ReadonlyMap<SnoopedVlan, number> = new Map();

/** `sources`: of a port, of the sources that are kept of a membership, or in the network. */
type Limit = 'port' | 'network' | 'sources';

/** A count of refusals that was told of, and when. */
interface Told {
  readonly refused: number;
  readonly atMs: number;
}

/** Multicast snooping of a network, which is a part of its bridge: this hands it its settings, and tells what it does. */
export class MulticastEntity implements NetworkEntity {
  readonly #host: EntityHost;
  /** What was told of last: the elected queriers, as numbers of `Querier.election`. */
  #elections = NONE;
  readonly #told = new LazyMap<BridgePort | 'network', Told>();
  readonly #toldOfSources = new LazyMap<BridgePort | 'network', Told>();

  constructor(host: EntityHost) {
    this.#host = host;
  }

  configure({ multicastSnooping, multicastQuerier }: NetworkSettings, nowMs: number): void {
    const { bridge, address } = this.#host;
    const options = { mac: address, isQuerier: multicastQuerier === 'on' };
    bridge.setMulticast(multicastSnooping === 'on' ? options : undefined, nowMs);
  }

  portRemoved(port: BridgePort): void {
    this.#told.delete(port);
    this.#toldOfSources.delete(port);
  }

  /** The bridge itself lets memberships expire, and sends queries. */
  tick(nowMs: number): void {
    const { multicast } = this.#host.bridge;
    if (multicast === undefined) return;
    this.#tellQueriers(multicast, nowMs);
    const { refusedByNetwork } = multicast.counters;
    this.#tellLimit('network', 'network', refusedByNetwork, nowMs);
    for (const [port, refused] of multicast.refusals()) this.#tellLimit(port, 'port', refused, nowMs);
    for (const [port, tooLong] of multicast.overflows()) this.#tellLimit(port, 'sources', tooLong, nowMs);
  }

  #tellQueriers(snooper: MulticastSnooper, nowMs: number): void {
    const before = this.#elections;
    const now = new Map<SnoopedVlan, number>();
    let left = MOST_QUERIER_EVENTS;
    for (const vlan of snooper.vlans()) {
      const { querier, vid, family } = vlan;
      const election = querier.isOtherPresent(nowMs) ? querier.election : querier.isOwn(nowMs) ? 0 : -1;
      now.set(vlan, election);
      if (election === (before.get(vlan) ?? -1) || left-- <= 0) continue;
      const address =
        election > 0 ? String(querier.address) : election === 0 ? String(snooper.ownAddress(family)) : null;
      const port = election > 0 ? querier.port?.number : undefined;
      const facts = { ...(port === undefined ? {} : { port }), vid, family, querier: address };
      this.#host.publish('multicast-querier', { ...facts, own: election === 0 });
      this.#host.logger.info({ ...facts, own: election === 0 }, 'multicast querier');
    }
    this.#elections = now.size === 0 ? NONE : now;
  }

  #tellLimit(of: BridgePort | 'network', limit: Limit, refused: number, nowMs: number): void {
    const allTold = limit === 'sources' ? this.#toldOfSources : this.#told;
    const told = allTold.get(of);
    if (refused <= (told?.refused ?? 0)) {
      // Snooping was switched off and on, and counts anew.
      if (told !== undefined && refused < told.refused) allTold.delete(of);
      return;
    }
    if (told !== undefined && nowMs - told.atMs < LIMIT_EVENT_MS) return;
    allTold.set(of, { refused, atMs: nowMs });
    const facts = { ...(of === 'network' ? {} : { port: of.number }), limit, refused: refused - (told?.refused ?? 0) };
    this.#host.publish('multicast-limit', facts);
    this.#host.logger.warn(
      facts,
      limit === 'sources'
        ? 'lists of multicast sources were longer than those that are kept: the port gets all sources of these groups'
        : 'memberships in multicast groups were refused at the limit',
    );
  }
}
