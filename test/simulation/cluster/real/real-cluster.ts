import { setTimeout as delay } from 'node:timers/promises';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { eventually } from '../../../support/etherws.ts';
import { freePorts, NatsServer } from '../../../support/nats-server.ts';
import type { Placing } from '../point.ts';
import { nameOf } from '../sim-node.ts';
import { NodeProcess } from './node-process.ts';
import { type TunnelTraffic, trafficBetween } from './tunnel-traffic.ts';

const START_MS = 120_000;
const POLL_MS = 2;

/** Announcements of nodes that a client of the store has heard. */
export interface Announcements {
  readonly messages: number;
  readonly octets: number;
}

/** A nats-server and nodes of a cluster as processes of this machine, on the loopback. */
export class RealCluster {
  readonly nodes: readonly NodeProcess[];
  readonly #store: NatsServer;
  readonly #observer: NatsConnection;
  #messages = 0;
  #octets = 0;

  private constructor(store: NatsServer, observer: NatsConnection, nodes: readonly NodeProcess[]) {
    [this.nodes, this.#store, this.#observer] = [nodes, store, observer];
    observer.subscribe('etherws.sizes.message.node', {
      callback: (_error, { data }) => {
        this.#messages++;
        this.#octets += data.length;
      },
    });
  }

  /** Starts `count` nodes; resolves when each has a tunnel to each other one. @param more further options of all nodes */
  static async start(count: number, more: readonly string[] = []): Promise<RealCluster> {
    const store = await NatsServer.start();
    const observer = await connect({ servers: store.url });
    const ports = await freePorts(2 * count);
    const nodes = Array.from(
      { length: count },
      (_, at) => new NodeProcess(nameOf(at), [ports[2 * at] as number, ports[2 * at + 1] as number], store.url, more),
    );
    const cluster = new RealCluster(store, observer, nodes);
    try {
      await Promise.all(
        nodes.map(({ process }) => process.output(/service=control|control.*listening|listening/, START_MS)),
      );
      await Promise.all(
        nodes.map((node) =>
          eventually(
            () =>
              node.dial().then(
                () => true,
                () => false,
              ),
            Boolean,
            START_MS,
          ),
        ),
      );
      await cluster.whole();
    } catch (error) {
      await cluster.end();
      throw error;
    }
    return cluster;
  }

  /** The nats-server. */
  get store(): NatsServer {
    return this.#store;
  }

  async whole(): Promise<void> {
    const isWhole = async (node: NodeProcess): Promise<number> =>
      (await node.meshPorts().catch(() => [])).filter(({ state }) => state === 'up').length;
    for (const node of this.nodes)
      await eventually(
        () => isWhole(node),
        (up) => up === this.nodes.length - 1,
        START_MS,
      );
  }

  /** Octets of frames that the mesh ports of the nodes have sent and received. */
  async meshOctets(): Promise<number> {
    const ports = await Promise.all(this.nodes.map((node) => node.meshPorts()));
    return ports.flat().reduce((sum, { txOctets, rxOctets }) => sum + txOctets + rxOctets, 0);
  }

  /** The numbers of the mesh ports: a tunnel that is dialled again has another one. */
  async meshNumbers(): Promise<string> {
    return (await Promise.all(this.nodes.map((node) => node.meshPorts())))
      .flat()
      .map(({ port }) => port)
      .join();
  }

  get traffic(): TunnelTraffic {
    return trafficBetween(new Set(this.nodes.map(({ process }) => process.pid as number)));
  }

  get announcements(): Announcements {
    return { messages: this.#messages, octets: this.#octets };
  }

  /** Lets stations come to nodes when they are to. */
  async play(placings: readonly Placing[]): Promise<void> {
    const startMs = performance.now();
    for (const { atMs, station, node } of placings) {
      while (performance.now() - startMs < atMs) await delay(POLL_MS);
      this.nodes[node]?.arrive(station);
    }
  }

  /** How many stations each node knows. */
  async stations(): Promise<number[]> {
    const entries = await Promise.all(
      this.nodes.map((node) => node.call<{ entries: { stations: number }[] }>('listPort')),
    );
    return entries.map((one) => one.entries.reduce((sum, { stations }) => sum + stations, 0));
  }

  async end(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end()));
    await this.#observer.close();
    await this.#store.end();
  }
}
