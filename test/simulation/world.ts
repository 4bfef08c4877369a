import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import type { BridgePortValues } from '../../src/schema/bridge-port-options.ts';
import type { NetworkChange } from '../../src/schema/network-options.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { Random } from '../support/random.ts';
import { Judge, LONGEST_WAY_MS, RECONFIGURATION_MS } from './judge.ts';
import { Line } from './line.ts';
import type { Facts, StationFacts } from './model.ts';
import { numberedFrame } from './numbered-frame.ts';
import type { EdgePlan, NetworkPlan, Plan, StationPlan } from './plan.ts';
import { type Setting, SimulatedSwitch, type UserRules } from './simulated-switch.ts';
import { DeviceStation, macOf, TunnelStation, valuesOf } from './station.ts';
import { VirtualClock } from './virtual-clock.ts';

const TREE: NetworkChange = { stp: 'on', helloTime: 1, maxAge: 6, forwardDelay: 4 };

/** A tunnel between two switches; its line is another one after each loss. */
export interface Edge {
  readonly index: number;
  readonly user: string;
  readonly network: string;
  /** the one that dials, and the one that accepts */
  readonly ends: readonly [number, number];
  line: Line | undefined;
  /** The peer cannot be reached before. */
  blockedUntilMs: number;
  /** The number of the port that dials; undefined while its switch is off. */
  port: number | undefined;
  /** Lines since the start, and whether one was disturbed: else nothing may be lost. */
  lines: number;
  wasDisturbed: boolean;
}

/** All switches, tunnels and stations of a run. */
export class World {
  readonly plan: Plan;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly judge: Judge;
  readonly edges: Edge[];
  /** undefined: it is off */
  readonly switches: (SimulatedSwitch | undefined)[] = [];
  readonly devices = new Map<number, DeviceStation>();
  readonly liars = new Map<number, TunnelStation>();
  readonly plans = new Map<number, StationPlan>();
  readonly #setting: Setting;
  readonly #lives: number[];
  #tunnels = 0;

  constructor(plan: Plan) {
    this.plan = plan;
    this.clock = new VirtualClock(plan.seed);
    this.random = new Random(plan.seed ^ 0x5eed);
    this.#lives = Array.from({ length: plan.switches }, () => 0);
    this.#setting = {
      clock: this.clock,
      random: this.random,
      rulesOf: (user, network, at) => this.#rulesOf(user, network, at),
      nextTunnel: () => ++this.#tunnels,
    };
    this.edges = plan.edges.map(({ network, ends }, index) => ({
      ...{ index, user: `s${ends[0]}`, network, ends },
      ...{ line: undefined, blockedUntilMs: 0, port: undefined, lines: 0, wasDisturbed: false },
    }));
    for (const station of plan.stations) this.plans.set(station.id, station);
    const facts: Facts = {
      stations: new Map(this.plans),
      edges: plan.edges,
      carried: new Map(plan.networks.map(({ name, carried }) => [name, carried])),
    };
    this.judge = new Judge(facts, () => this.clock.nowMs);
  }

  get nowMs(): number {
    return this.clock.nowMs;
  }

  network(name: string): NetworkPlan | undefined {
    return this.plan.networks.find((network) => network.name === name);
  }

  station(id: number): StationFacts {
    return this.judge.facts.stations.get(id) as StationFacts;
  }

  /** Changes what is known of a station; undefined: it is gone. */
  setStation(id: number, facts: StationFacts | undefined): void {
    const stations = new Map(this.judge.facts.stations);
    if (facts === undefined) stations.delete(id);
    else stations.set(id, facts);
    this.judge.change({ ...this.judge.facts, stations });
  }

  /** The tree of a network may change. */
  disturb(network: string): void {
    if (this.network(network)?.hasTree === true) this.judge.unsettled(network, RECONFIGURATION_MS);
  }

  start(): void {
    for (let at = 0; at < this.plan.switches; at++) this.startSwitch(at);
  }

  startSwitch(at: number): void {
    const life = (this.#lives[at] as number) + 1;
    this.#lives[at] = life;
    const started = new SimulatedSwitch(`s${at}`, life, this.#setting);
    this.switches[at] = started;
    for (const { name, hasTree } of this.plan.networks) {
      started.addNetwork(name, { ...(hasTree ? TREE : { stp: 'off' }) });
      this.disturb(name);
      // What the former life has sent may come back by a tunnel of the new one.
      this.judge.unsettled(name, LONGEST_WAY_MS);
    }
    for (const { id } of this.plans.values()) if (this.station(id)?.at === at) this.plug(id);
    for (const edge of this.edges) if (edge.ends[0] === at) this.#dial(edge, started);
  }

  /** Connects a station to its switch, as its facts say. */
  plug(id: number): void {
    const facts = this.station(id);
    const there = this.switches[facts.at];
    if (there === undefined || this.plans.get(id)?.kind === 'liar') return;
    const device = this.devices.get(id) ?? new DeviceStation((frame) => this.judge.receives(id, frame));
    this.devices.set(id, device);
    const copies = [...this.plans.values()].find(({ copiesOf }) => copiesOf === id);
    const mirror: BridgePortValues = copies === undefined ? {} : { mirrorTo: `n${copies.id}` };
    const values = { ...valuesOf({ ...this.plans.get(id), ...facts } as StationPlan), ...mirror };
    device.attach(there, `n${id}`, facts.network, values);
  }

  /** Sends a frame of a station. */
  send(from: number, destination: string, tag?: number): number {
    const number = this.judge.sends(from, tag);
    const frame = numberedFrame({ number, destination, source: macOf(from), tag });
    this.devices.get(from)?.send(frame);
    this.liars.get(from)?.send(frame);
    return number;
  }

  /** Connects a liar, if it is not. @param resume as `TunnelStation.connect` */
  joinLiar(id: number, resume?: string): void {
    const { at, network } = this.station(id);
    const there = this.switches[at];
    if (there === undefined) return;
    const liar = this.liars.get(id) ?? new TunnelStation((frame) => this.judge.receives(id, frame));
    this.liars.set(id, liar);
    if (liar.isConnected && resume === undefined) return;
    liar.connect(there, new Line(this.clock, this.random), { user: `liar-${id}`, network }, resume);
  }

  /** The bridge ports of a tunnel; undefined where there is none now. */
  portsOf(edge: Edge): readonly [BridgePort | undefined, BridgePort | undefined] {
    const [near, far] = edge.ends.map((at) => this.switches[at]?.etherSwitch);
    const dialled = edge.port === undefined ? undefined : near?.ports.get(edge.port as never);
    const accepted = edge.line && this.switches[edge.ends[1]]?.accepted.get(edge.line);
    return [dialled, accepted === undefined ? undefined : far?.ports.get(accepted as never)];
  }

  #dial(edge: Edge, dialling: SimulatedSwitch): void {
    const { network, user, index } = edge;
    const { isolated, pathCost } = this.plan.edges[index] as EdgePlan;
    const values = { ...this.#tunnelValues(network), isolated: isolated[0], pathCost };
    edge.port = dialling.dial(`edge-${index}`, { user, network, values }, () => {
      const peer = this.switches[edge.ends[1]];
      if (peer === undefined || this.nowMs < edge.blockedUntilMs) return undefined;
      edge.lines++;
      edge.line = new Line(this.clock, this.random);
      this.disturb(network);
      return { line: edge.line, peer };
    });
  }

  #tunnelValues(network: string): BridgePortValues {
    const carried = this.network(network)?.carried;
    return carried === undefined ? {} : { vlanMode: 'trunk', vlans: carried.join(',') };
  }

  #rulesOf(user: string, network: string, at: string): UserRules {
    const edge = this.plan.edges.find(
      ({ network: other, ends }) => other === network && user === `s${ends[0]}` && at === `s${ends[1]}`,
    );
    if (edge !== undefined) {
      const { isolated, pathCost } = edge;
      return { values: { ...this.#tunnelValues(network), isolated: isolated[1], pathCost } };
    }
    const number = Number(user.slice('liar-'.length));
    const guard = number % 2 === 0 ? { bpduFilter: true } : { rootGuard: true };
    const sources = new Set([Number.parseInt(macOf(number), 16) as MacAddress]);
    return {
      values: { ...valuesOf(this.plans.get(number) as StationPlan), ...guard },
      ingress: { sources, forbidsDhcpServer: true, forbidsRouterAdvertisements: true },
    };
  }
}
