import type { NeighborEntry } from '../../../../src/control/neighbor-entries.ts';
import type { PortEntry } from '../../../../src/control/schema.ts';
import type { LiveStpPortEntry } from '../../../../src/control/stp-entries.ts';
import { type Graph, idOf, type Link, type Look, type Node } from './graph.ts';
import { briefTarget, counted, neighborLabel, portLabel, shorten, stationLabel } from './names.ts';
import { type PortLook, portLook } from './port-look.ts';
import { indexStations, type StationIndex } from './station-index.ts';
import type { Tables } from './tables.ts';

/** The bounds of what is drawn at once: some 500 nodes, however many ports and stations there are. */
export interface TopologyBounds {
  /** networks with a node of their own; the largest ones */
  readonly networks: number;
  /** ports in all that are drawn singly without being asked for */
  readonly ports: number;
  /** the nodes of a group that is open */
  readonly opened: number;
  /** stations of one port that are drawn singly without being asked for */
  readonly stations: number;
}

export const BOUNDS: TopologyBounds = { networks: 40, ports: 80, opened: 120, stations: 4 };
const MOST_NODES = 500;

export interface TopologyOptions {
  /** the name of this switch */
  readonly name: string;
  /** ids of groups that are open */
  readonly opened: ReadonlySet<string>;
  /** ids of nodes that are drawn singly, since a search has found them */
  readonly revealed: ReadonlySet<string>;
  readonly bounds?: TopologyBounds;
  /** default: made of the table */
  readonly stations?: StationIndex;
}

/** Makes the graph of the tables. Its order is that of the tables; ids do not depend on order. */
export function topologyOf(tables: Tables, options: TopologyOptions): Graph {
  return new Topology(tables, options).build();
}

class Topology {
  readonly #tables: Tables;
  readonly #options: TopologyOptions;
  readonly #bounds: TopologyBounds;
  readonly #nodes = new Map<string, Node>();
  readonly #links: Link[] = [];
  readonly #stations: StationIndex;
  readonly #inTrees = new Map<number, LiveStpPortEntry>();
  readonly #neighbors = new Map<number, NeighborEntry[]>();
  readonly #looks = new Map<PortEntry, PortLook>();

  constructor(tables: Tables, options: TopologyOptions) {
    this.#tables = tables;
    this.#options = options;
    const bounds = options.bounds ?? BOUNDS;
    this.#bounds = bounds;
    const most = (port: number): number => (options.opened.has(idOf.stations(port)) ? bounds.opened : bounds.stations);
    this.#stations = options.stations ?? indexStations(tables.stations, most);
    for (const port of tables.treePorts.values()) this.#inTrees.set(port.port, port);
    for (const neighbor of tables.neighbors.values()) {
      const those = this.#neighbors.get(neighbor.port);
      if (those === undefined) this.#neighbors.set(neighbor.port, [neighbor]);
      else those.push(neighbor);
    }
  }

  build(): Graph {
    this.#add({
      ...{ id: idOf.switch, kind: 'switch', label: shorten(this.#options.name), note: '' },
      ...{ look: 'up', reason: '', parent: undefined, of: { kind: 'switch' } },
    });
    this.#addNetworks();
    for (const [network, ports] of this.#portsByNetwork()) this.#addPorts(network, ports);
    return { nodes: [...this.#nodes.values()], links: this.#links };
  }

  get #isFull(): boolean {
    return this.#nodes.size >= MOST_NODES;
  }

  #add(node: Node): void {
    this.#nodes.set(node.id, node);
  }

  #addNetworks(): void {
    const networks = [...this.#tables.networks.values()];
    const { revealed } = this.#options;
    const shown =
      networks.length <= this.#bounds.networks
        ? networks
        : networks
            .toSorted((one, other) => other.ports - one.ports)
            .filter(({ network }, at) => at < this.#bounds.networks - 1 || revealed.has(idOf.network(network)));
    for (const { network, ports } of shown) {
      const id = idOf.network(network);
      this.#addBeside(idOf.switch, {
        ...{ id, kind: 'network', label: shorten(network), note: counted(ports, 'port'), look: 'up', reason: '' },
        of: { kind: 'network', network },
      });
    }
    const rest = networks.length - shown.length;
    if (rest <= 0) return;
    this.#addBeside(idOf.switch, {
      ...{ id: idOf.networks, kind: 'more', label: `+ ${counted(rest, 'network')}`, note: '', look: 'up', reason: '' },
      of: { kind: 'networks', count: rest },
    });
  }

  /** Only of drawn networks. */
  #portsByNetwork(): Map<string, PortEntry[]> {
    const byNetwork = new Map<string, PortEntry[]>();
    for (const port of this.#tables.ports.values()) {
      if (!this.#nodes.has(idOf.network(port.network))) continue;
      const ports = byNetwork.get(port.network);
      if (ports === undefined) byNetwork.set(port.network, [port]);
      else ports.push(port);
    }
    return byNetwork;
  }

  #lookOf(port: PortEntry): PortLook {
    const known = this.#looks.get(port);
    if (known !== undefined) return known;
    const look = portLook(port, this.#inTrees.get(port.port), this.#stations.flapping.get(port.port));
    this.#looks.set(port, look);
    return look;
  }

  /** Ports with a fault, a neighbour, or that were asked for are drawn singly; the others by type when they are many. */
  #addPorts(network: string, ports: readonly PortEntry[]): void {
    const isLarge = this.#tables.ports.size > this.#bounds.ports;
    const room = { faults: this.#bounds.opened, neighbors: this.#bounds.opened };
    const groups = new Map<string, { all: PortEntry[]; single: number }>();
    for (const port of ports) {
      const look = this.#lookOf(port);
      const isSingle =
        !isLarge ||
        port.meshNode !== undefined ||
        this.#options.revealed.has(idOf.port(port.port)) ||
        (look.look === 'fault' && room.faults-- > 0) ||
        (this.#neighbors.has(port.port) && room.neighbors-- > 0);
      if (isSingle && !this.#isFull && port.meshNode !== undefined) {
        this.#addMember(port, port.meshNode, look, idOf.network(network));
      } else if (isSingle && !this.#isFull) this.#addPort(port, look, idOf.network(network));
      else {
        const group = groups.get(port.type) ?? { all: [], single: 0 };
        group.all.push(port);
        groups.set(port.type, group);
      }
    }
    for (const [type, { all }] of groups) this.#addGroup(network, type, all);
  }

  #addGroup(network: string, type: string, ports: readonly PortEntry[]): void {
    const id = idOf.ports(network, type);
    const singly = this.#options.opened.has(id) ? ports.slice(0, this.#bounds.opened) : [];
    let drawn = 0;
    for (const port of singly) {
      if (this.#isFull) break;
      this.#addPort(port, this.#lookOf(port), idOf.network(network));
      drawn++;
    }
    const rest = ports.slice(drawn);
    if (rest.length === 0) return;
    const [look, note] = summaryOf(rest.map((port) => this.#lookOf(port).look));
    const label = `${drawn > 0 ? '+ ' : ''}${counted(rest.length, `${type} port`)}`;
    const bitRate = rest.reduce((sum, { rxBitRate, txBitRate }) => sum + rxBitRate + txBitRate, 0);
    this.#addBeside(
      idOf.network(network),
      { id, kind: 'ports', label, note, look, reason: '', of: { kind: 'ports', network, type, count: rest.length } },
      { bitRate, look },
    );
  }

  /** The tunnels to one node are links to it, one for each network. What is at that node is behind it. */
  #addMember(port: PortEntry, node: string, { look, reason }: PortLook, network: string): void {
    const id = idOf.member(node);
    const of = { kind: 'member', node } as const;
    const known = this.#nodes.get(id);
    const isFirst = known === undefined || known.look === 'up';
    if (isFirst) {
      const shown = { label: shorten(node), note: 'node of the cluster', look, reason };
      this.#add({ id, kind: 'member', ...shown, parent: known?.parent ?? network, of });
    }
    const bitRate = port.rxBitRate + port.txBitRate;
    this.#links.push({ id: `${network} ${id}`, from: network, to: id, look, reason, bitRate, port: port.port });
    this.#addStations(port, id, look);
  }

  #addPort(port: PortEntry, { look, reason }: PortLook, parent: string): void {
    const id = idOf.port(port.port);
    const bitRate = port.rxBitRate + port.txBitRate;
    const note = port.name === null ? shorten(briefTarget(port.target), 22) : `${port.type} · port ${port.port}`;
    const of = { kind: 'port', port: port.port } as const;
    this.#addBeside(
      parent,
      { id, kind: 'port', label: shorten(portLabel(port)), note, look, reason, of },
      { bitRate, look, reason, port: port.port },
    );
    const beside = /^parallel to port (\d+)$/.exec(port.reason ?? '')?.[1];
    if (port.state === 'standby' && beside !== undefined) this.#joinParallel(port.port, Number(beside), reason);
    const behind = this.#addNeighbors(port, { bitRate, look, reason });
    this.#addStations(port, behind ?? id, look);
  }

  #joinParallel(port: number, active: number, reason: string): void {
    this.#links.push({
      ...{ id: `parallel ${port} ${active}`, from: idOf.port(port), to: idOf.port(active) },
      ...{ look: 'standby', reason, bitRate: 0, port },
    });
  }

  /** @returns the id of the only neighbour, if it forwards: the stations of the port are behind it */
  #addNeighbors(
    { port, network }: PortEntry,
    load: { readonly bitRate: number; readonly look: Look; readonly reason: string },
  ): string | undefined {
    const neighbors = this.#neighbors.get(port) ?? [];
    const ids = neighbors.slice(0, this.#bounds.stations).map((neighbor) => {
      const id = idOf.neighbor(network, neighbor.chassis);
      const node: Omit<Node, 'parent'> = {
        ...{ id, kind: 'neighbor', label: shorten(neighborLabel(neighbor)), look: 'up', reason: '' },
        note: neighbor.system === null ? '' : shorten(neighbor.chassis),
        of: { kind: 'neighbor', network, chassis: neighbor.chassis },
      };
      // A neighbour at two ports is one node with two links: that is how a loop looks.
      if (!this.#nodes.has(id)) this.#add({ ...node, parent: idOf.port(port) });
      this.#links.push({ id: `${idOf.port(port)} ${id}`, from: idOf.port(port), to: id, ...load, port });
      return id;
    });
    const isBridge = neighbors[0]?.capabilities.some((name) => name === 'bridge' || name === 'router') ?? false;
    return neighbors.length === 1 && isBridge ? ids[0] : undefined;
  }

  #addStations({ port }: PortEntry, parent: string, look: Look): void {
    const at = this.#stations.byPort.get(port);
    if (at === undefined) return;
    const id = idOf.stations(port);
    const isOpen = this.#options.opened.has(id);
    const keys = new Set(at.count <= this.#bounds.stations || isOpen ? at.some : []);
    for (const key of this.#revealedAt(port)) keys.add(key);
    let drawn = 0;
    for (const key of keys) {
      const station = this.#tables.stations.get(key);
      if (station === undefined || this.#isFull) continue;
      drawn++;
      const label = shorten(stationLabel(station));
      const isFlapping = station.flapping;
      this.#addBeside(
        parent,
        {
          ...{ id: idOf.station(key), kind: 'station', label, note: '' },
          ...{ look: isFlapping ? 'fault' : 'up', reason: isFlapping ? 'Moves to and fro between two ports' : '' },
          of: { kind: 'station', key, port },
        },
        { look: isFlapping ? 'fault' : look === 'off' ? 'off' : 'up', port },
      );
    }
    const rest = at.count - drawn;
    if (rest <= 0) return;
    const label = `${drawn > 0 ? '+ ' : ''}${counted(rest, 'station')}`;
    this.#addBeside(
      parent,
      { id, kind: 'stations', label, note: '', look: 'up', reason: '', of: { kind: 'stations', port, count: rest } },
      { port },
    );
  }

  *#revealedAt(port: number): Iterable<string> {
    for (const id of this.#options.revealed) {
      if (!id.startsWith(STATION)) continue;
      const key = id.slice(STATION.length);
      if (this.#tables.stations.get(key)?.port === port) yield key;
    }
  }

  #addBeside(parent: string, node: Omit<Node, 'parent'>, link: Partial<Link> = {}): void {
    this.#add({ ...node, parent });
    const plain = { look: 'up', reason: '', bitRate: 0, port: undefined } as const;
    this.#links.push({ ...plain, ...link, id: `${parent} ${node.id}`, from: parent, to: node.id });
  }
}

const STATION = idOf.station('');

/** How a group looks: as its worst member that is not off, and how many forward. */
function summaryOf(looks: readonly Look[]): [Look, string] {
  const count = (look: Look): number => looks.filter((one) => one === look).length;
  const [faults, up] = [count('fault'), count('up')];
  const look = faults > 0 ? 'fault' : up > 0 ? 'up' : count('waiting') > 0 ? 'waiting' : (looks[0] ?? 'up');
  if (faults > 0) return [look, `${faults} blocked or looping`];
  return [look, up === looks.length ? '' : `${up} forward`];
}
