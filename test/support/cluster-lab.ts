import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { PortEntry } from '../../src/control/schema.ts';
import { NATS_TOOLS, NatsServer, urlsOf } from './cluster/nats.ts';
import { ClusterNode, type NodeStart, QUICK_DIAL } from './cluster/node.ts';
import { Oracle } from './cluster/oracle.ts';
import { macOfStation, Station } from './cluster/station.ts';
import { Underlay } from './cluster/underlay.ts';
import { EtherwsSwitch, eventually } from './etherws.ts';
import { openTapLab } from './lab-test.ts';
import type { Host, Lab } from './namespaces.ts';

/*
 * A cluster in namespaces: sites joined by one switch of the kernel, a nats-server and a node of etherws at each, and stations
 * behind them: by a cable at a site, or by a tunnel of a switch of their own.
 *
 *   station 1 ─ r1 ╮        ╭ r2 ─ station 2
 *             nats ┤backbone├ nats
 *   client 11 ═════╯        ╰ r3 ─ station 3
 */

/** The interval of numbered frames: the resolution of the oracle's times. */
const PERIOD_MS = 25;
/** Numbers of underlay addresses of clients begin here; those of sites are 1, 2 and so on. */
const CLIENT_ADDRESSES = 100;
/** The device of a place for a station that has moved there, beside `eth0`. */
const GUEST = 'eth1';
const STATION_PORTS = ['type: netdev, target: sta, name: sta', 'type: netdev, target: guest, name: guest'];
/** The LAN inside: station N is `192.0.2.N`. */
const INSIDE = '192.0.2.';

export interface Site {
  readonly number: number;
  readonly host: Host;
  readonly nats: NatsServer;
  readonly node: ClusterNode;
}

/** A switch with a TAP device, whose tunnel goes to the cluster. Its TAP device is the station. */
export interface Client {
  readonly id: number;
  readonly host: Host;
  readonly switch: EtherwsSwitch;
}

export interface ClusterLabOptions {
  readonly sites?: number;
  /** further options of every node */
  readonly options?: readonly string[];
  /** Whether the nodes have a secret (`--cluster-secret`). Default: no. */
  readonly hasSecret?: boolean;
  /** how far the wall clock of each node is ahead, the first one's first */
  readonly clocks?: readonly (string | undefined)[];
  /** Whether each site has a place for stations that are connected by a cable. Default: yes. */
  readonly hasStations?: boolean;
}

export class ClusterLab {
  readonly lab: Lab;
  readonly underlay: Underlay;
  readonly sites: readonly Site[];
  readonly clients: Client[] = [];
  readonly oracle: Oracle = new Oracle([]);
  readonly #places: readonly Host[];

  private constructor(lab: Lab, underlay: Underlay, sites: readonly Site[], places: readonly Host[]) {
    [this.lab, this.underlay, this.sites, this.#places] = [lab, underlay, sites, places];
  }

  /** Builds sites, and starts their NATS servers; `startNodes` starts the nodes. */
  static async build(lab: Lab, { sites: count = 3, ...options }: ClusterLabOptions = {}): Promise<ClusterLab> {
    const underlay = await Underlay.build(lab);
    const numbers = Array.from({ length: count }, (_, at) => at + 1);
    const hosts = await Promise.all(numbers.map((number) => underlay.addHost(`site${number}`, number)));
    const hasStations = options.hasStations ?? true;
    const places: Host[] = [];
    if (hasStations) for (const [at, host] of hosts.entries()) places.push(await addPlace(lab, host, at + 1));
    const directory = join(lab.directory, 'cluster');
    mkdirSync(directory);
    // A cluster of NATS wants an odd number of servers; three are enough for any number of nodes.
    const addresses = numbers.slice(0, 3).map((number) => underlay.addressOf(number));
    const servers = addresses.map(
      (address, at) => new NatsServer(hosts[at] as Host, `n${at + 1}`, address, addresses, directory),
    );
    const secret = join(directory, 'secret');
    writeFileSync(secret, `${randomBytes(32).toString('base64')}\n`);
    const cluster = ['--cluster', urlsOf(servers), '--cluster-name', 'lab', ...(options.options ?? [])];
    if (options.hasSecret === true) cluster.push('--cluster-secret', secret);
    const sites = hosts.map((host, at): Site => {
      const start: NodeStart = {
        ...(options.clocks?.[at] === undefined ? {} : { clock: options.clocks[at] }),
        ports: hasStations ? STATION_PORTS : [],
      };
      const node = new ClusterNode(host, `r${at + 1}`, underlay.addressOf(at + 1), cluster, directory, start);
      return { number: at + 1, host, nats: servers[at % servers.length] as NatsServer, node };
    });
    const built = new ClusterLab(lab, underlay, sites, places);
    for (const server of servers) server.start();
    await Promise.all(servers.map((server) => server.healthy()));
    return built;
  }

  /** The servers of NATS, each once. */
  get servers(): NatsServer[] {
    return [...new Set(this.sites.map(({ nats }) => nats))];
  }

  get nodes(): ClusterNode[] {
    return this.sites.map(({ node }) => node);
  }

  /** The site with this number, which must exist. */
  site(number: number): Site {
    const found = this.sites[number - 1];
    if (found === undefined) throw new Error(`no site ${number}`);
    return found;
  }

  /** The node of the site with this number, which must exist. */
  node(number: number): ClusterNode {
    return this.site(number).node;
  }

  /** Starts all nodes. */
  async startNodes(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()));
  }

  /** The namespace whose devices lead to the node of a site. */
  placeAt(number: number): Host {
    const place = this.#places[number - 1];
    if (place === undefined) throw new Error(`no place for a station at site ${number}`);
    return place;
  }

  /**
   * A switch that dials the cluster, with its TAP device `lan0`.
   * @param sites the numbers of the sites that it may dial, in that order
   */
  async addClient(id: number, ...sites: readonly number[]): Promise<Client> {
    const host = await this.underlay.addHost(`client${id}`, CLIENT_ADDRESSES + id);
    const urls = sites.map((number) => this.node(number).url);
    const client = { id, host, switch: await dialingSwitch(host, id, urls) };
    this.clients.push(client);
    return client;
  }

  /** Starts a station at each site (id: the site's number) and at each client, which all send to each other. */
  async startStations(): Promise<void> {
    const ids = [...this.#places.keys()].map((at) => at + 1).concat(this.clients.map(({ id }) => id));
    for (const [at, place] of this.#places.entries()) {
      this.oracle.stations.push(new Station(place, 'eth0', at + 1, ids, PERIOD_MS));
    }
    for (const { id, host } of this.clients) this.oracle.stations.push(new Station(host, 'lan0', id, ids, PERIOD_MS));
    await Promise.all(this.oracle.stations.map((station) => station.ready()));
  }

  /** Moves a station to another site, which has room for one; it starts again with new numbers. */
  async moveStation(id: number, site: number): Promise<void> {
    const { stations } = this.oracle;
    const at = stations.findIndex((station) => station.id === id);
    const former = stations[at];
    if (former === undefined) throw new Error(`no station ${id}`);
    await former.end();
    // The kernel of its place has its address, too, and would ask its neighbours 5 s after a ping whether they are there.
    await former.host.check(['ip', 'link', 'set', former.device, 'arp', 'off']);
    const ids = stations.map((station) => station.id);
    const moved = new Station(this.placeAt(site), GUEST, id, ids, PERIOD_MS, former.incarnation + 1);
    await moved.ready();
    stations[at] = moved;
  }

  /** Waits until a node has no mesh port, and no other one has a mesh port to it. */
  async withoutMesh(number: number, timeoutMs?: number): Promise<void> {
    const { name } = this.node(number);
    const meshPorts = async (): Promise<number> => {
      const ports = await Promise.all(this.nodes.map((node) => node.ports()));
      const isTo = ({ meshNode }: PortEntry, at: number): boolean => at === number - 1 || meshNode === name;
      return ports.flatMap((each, at) => each.filter((port) => port.type === 'mesh' && isTo(port, at))).length;
    };
    await eventually(meshPorts, (count) => count === 0, timeoutMs);
  }

  /** Waits until each node has mesh ports to all others that are up. */
  async whole(timeoutMs?: number): Promise<void> {
    await Promise.all(
      this.nodes.map((node) =>
        eventually(
          async () => (await node.ports()).filter(({ type, state }) => type === 'mesh' && state === 'up').length,
          (up) => up >= this.nodes.length - 1,
          timeoutMs,
        ),
      ),
    );
  }
}

/** @returns undefined if the test was marked as skipped */
export async function openClusterLab(
  t: TestContext,
  options: ClusterLabOptions = {},
  ...tools: readonly string[]
): Promise<ClusterLab | undefined> {
  const lab = await openTapLab(t, 'ping', 'nft', 'python3', ...NATS_TOOLS, ...tools);
  return lab === undefined ? undefined : ClusterLab.build(lab, options);
}

/** A switch with the TAP device `lan0`, which is station ID, and a port `uplink` that dials these URLs in turn. */
export async function dialingSwitch(host: Host, id: number, urls: readonly string[]): Promise<EtherwsSwitch> {
  const own = await EtherwsSwitch.start(host, ['--port', '8000']);
  await own.done('addport', 'tap', 'lan0', '--mac', macOfStation(id));
  await own.done('setif', '1', '--address', addressOf(id), '--netmask', '255.255.255.0');
  await own.done('addport', 'client', ...urls, '--name', 'uplink', ...QUICK_DIAL);
  return own;
}

/** The address of station ID. */
export function addressOf(id: number): string {
  return `${INSIDE}${id}`;
}

/** A namespace whose devices `eth0` and `eth1` lead to the devices `sta` and `guest` of a site. */
async function addPlace(lab: Lab, site: Host, number: number): Promise<Host> {
  const place = await lab.host(`place${number}`);
  // The kernel of a place must not send frames of a station that has moved away.
  await place.check(['sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6']);
  await lab.link(
    { host: site, device: 'sta', addresses: [] },
    { host: place, device: 'eth0', addresses: [`${addressOf(number)}/24`] },
  );
  await place.check(['ip', 'link', 'set', 'eth0', 'address', macOfStation(number)]);
  await lab.link({ host: site, device: 'guest', addresses: [] }, { host: place, device: GUEST, addresses: [] });
  return place;
}
