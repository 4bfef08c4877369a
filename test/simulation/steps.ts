import { encodeBpdu } from '../../src/wire/bpdu/encode.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { formatResumeField } from '../../src/wire/tunnel/resume-header.ts';
import { dhcpReply, routerAdvertisement } from '../support/ip-frames.ts';
import { Random } from '../support/random.ts';
import { checkCounters } from './counters.ts';
import { LONGEST_WAY_MS } from './judge.ts';
import type { StationFacts } from './model.ts';
import { BROADCAST, numberedFrame } from './numbered-frame.ts';
import type { Lie, Step } from './plan.ts';
import { macOf } from './station.ts';
import type { World } from './world.ts';

const TALK_MS = 100;
const BURST = 100;
const FIRST_VISITOR = 100;

/** Lets time pass, while stations talk. */
export async function talk(world: World, forMs: number, random: Random): Promise<void> {
  for (let leftMs = forMs; leftMs > 0; leftMs -= TALK_MS) {
    await world.clock.run(Math.min(TALK_MS, leftMs));
    const stations = [...world.judge.facts.stations.values()];
    const { id } = random.pick(stations);
    const destination = random.once(3) ? BROADCAST : macOf(random.pick(stations).id);
    world.send(id, destination, someTag(world.station(id), random));
  }
}

/** A tag that the station may send, or seldom one that its port refuses. */
function someTag({ mode, vlans, pvid }: StationFacts, random: Random): number | undefined {
  const isWrong = random.once(10);
  if (mode === 'transparent') return isWrong ? 10 : undefined;
  if (mode === 'access') return isWrong ? pvid : undefined;
  if (mode === 'native' && random.once(2)) return undefined;
  return isWrong ? (random.once(2) ? undefined : 4000) : random.pick([...vlans, pvid]);
}

/** The tags with which a station reaches its VLANs. */
export function tagsOf({ mode, vlans }: StationFacts): readonly (number | undefined)[] {
  if (mode === 'trunk') return vlans;
  return mode === 'native' ? [undefined, ...vlans] : [undefined];
}

/** @param number of the step in its plan */
export async function perform(world: World, step: Step, number: number): Promise<void> {
  const { clock, judge } = world;
  const edge = 'edge' in step ? world.edges[step.edge] : undefined;
  if (edge !== undefined) {
    if (step.kind !== 'damage') edge.wasDisturbed = true;
    world.disturb(edge.network);
  }
  switch (step.kind) {
    case 'cut':
      if (edge === undefined) return;
      edge.blockedUntilMs = world.nowMs + step.ms;
      edge.line?.cut();
      return;
    case 'silence': {
      const line = edge?.line;
      line?.setSilent(true);
      clock.after(step.ms, () => {
        line?.setSilent(false);
        if (edge !== undefined) world.disturb(edge.network);
      });
      return;
    }
    case 'damage':
      if (edge?.line === undefined) return;
      edge.wasDisturbed = true;
      edge.line.damage(() => {
        judge.damaged();
        world.disturb(edge.network);
      });
      return;
    case 'remove': {
      const far = edge && world.portsOf(edge)[1];
      if (edge !== undefined && far !== undefined) void world.switches[edge.ends[1]]?.etherSwitch.detach(far.number);
      return;
    }
    case 'shut': {
      const there = edge && world.switches[edge.ends[0]];
      const port = edge?.port;
      if (there === undefined || port === undefined || edge === undefined) return;
      there.etherSwitch.administration.setShut(port, true);
      clock.after(step.ms, () => {
        if (world.switches[edge.ends[0]] !== there) return;
        there.etherSwitch.administration.setShut(port, false);
        world.disturb(edge.network);
      });
      return;
    }
    case 'restart':
    case 'crash':
      return restart(world, step.at, step.ms, step.kind === 'crash');
    case 'priority':
      world.disturb(step.network);
      world.switches[step.at]?.etherSwitch.network(step.network).configure({ priority: step.priority });
      return;
    case 'visit':
      return visit(world, step.at, step.ms, number);
    default:
      return atStation(world, step);
  }
}

async function atStation(world: World, step: Extract<Step, { station: number }>): Promise<void> {
  const facts = world.station(step.station);
  const there = world.switches[facts.at]?.etherSwitch;
  const device = world.devices.get(step.station);
  const isPlain = facts.copiesOf === undefined && device !== undefined;
  const isWatched = [...world.plans.values()].some(({ copiesOf }) => copiesOf === step.station);
  if (step.kind === 'lie') return lie(world, step.station, step.lie);
  if (step.kind === 'burst') return burst(world, step.station);
  if (!isPlain) return;
  if (step.kind === 'unplug') {
    device.setLink(false);
    world.clock.after(step.ms, () => device.setLink(true));
  } else if (step.kind === 'move' && !isWatched) {
    checkCounters(world, facts.at);
    if (device.bridgePort !== undefined) await there?.detach(device.bridgePort.number);
    device.gone();
    world.setStation(facts.id, { ...facts, at: step.to });
    world.judge.unsettled(facts.network, LONGEST_WAY_MS);
    world.plug(facts.id);
  } else if (step.kind === 'isolate') {
    world.setStation(facts.id, { ...facts, isIsolated: !facts.isIsolated });
    if (device.bridgePort !== undefined)
      there?.administration.setValues(`n${facts.id}`, { isolated: !facts.isIsolated });
  } else if (step.kind === 'join' && facts.mode === 'access') {
    const pvid = (facts.pvid % 40) + 10;
    world.setStation(facts.id, { ...facts, pvid });
    if (device.bridgePort !== undefined) there?.administration.setValues(`n${facts.id}`, { pvid });
  }
}

async function restart(world: World, at: number, offMs: number, isCrash: boolean): Promise<void> {
  const running = world.switches[at];
  if (running === undefined) return;
  checkCounters(world, at);
  world.switches[at] = undefined;
  for (const edge of world.edges) {
    if (!edge.ends.includes(at)) continue;
    edge.wasDisturbed = true;
    world.disturb(edge.network);
    if (isCrash) edge.line?.cut();
    if (edge.ends[0] === at) edge.port = undefined;
  }
  for (const { id, at: place, network } of world.judge.facts.stations.values()) {
    if (place !== at) continue;
    world.devices.get(id)?.gone();
    if (world.network(network) === undefined) leave(world, id);
  }
  void running.close(isCrash ? 'shutdown' : 'restart');
  world.clock.after(offMs, () => {
    if (world.switches[at] === undefined) world.startSwitch(at);
  });
}

/** A network comes for a while, with two stations, and goes. */
async function visit(world: World, at: number, forMs: number, number: number): Promise<void> {
  const there = world.switches[at];
  if (there === undefined) return;
  const network = `visit-${number}`;
  there.addNetwork(network, { stp: 'off' });
  const base = {
    network,
    at,
    mode: 'transparent',
    pvid: 1,
    vlans: [],
    isIsolated: false,
    copiesOf: undefined,
  } as const;
  const ids = [FIRST_VISITOR + 2 * number, FIRST_VISITOR + 2 * number + 1];
  for (const id of ids) {
    const station = { ...base, id, kind: 'device', storm: undefined } as const;
    world.plans.set(id, station);
    world.setStation(id, station);
    world.plug(id);
  }
  for (const id of ids) world.send(id, BROADCAST);
  world.clock.after(forMs, () => {
    if (world.switches[at] !== there) return;
    checkCounters(world, at);
    for (const id of ids) leave(world, id);
    void there.etherSwitch.removeNetwork(network, true);
  });
}

function leave(world: World, id: number): void {
  world.devices.delete(id);
  world.plans.delete(id);
  world.setStation(id, undefined);
}

/** More broadcasts at once than a limited port may bring. */
async function burst(world: World, from: number): Promise<void> {
  const limit = world.plans.get(from)?.storm;
  const [tag] = tagsOf(world.station(from));
  const numbers = Array.from({ length: BURST }, () => world.judge.sends(from, tag));
  const source = macOf(from);
  const device = world.devices.get(from);
  device?.send(...numbers.map((number) => numberedFrame({ number, destination: BROADCAST, source, tag })));
  if (limit === undefined) return;
  world.clock.after(400, () => {
    for (const to of world.judge.facts.stations.values()) {
      const got = numbers.filter((number) => world.judge.timesOf(number, to.id) > 0).length;
      if (to.copiesOf !== from && got > limit) {
        world.judge.fault(
          `station ${to.id} gets ${got} frames of a storm of station ${from}, which may bring ${limit}/s`,
        );
      }
    }
  });
}

/** A liar sends what its rules forbid. */
async function lie(world: World, from: number, kind: Lie): Promise<void> {
  const facts = world.station(from);
  world.joinLiar(from);
  await world.clock.run(50);
  const liar = world.liars.get(from);
  if (liar === undefined) return;
  const own = macOf(from);
  const random = new Random(world.judge.sends(from, undefined, true));
  const others = [...world.judge.facts.stations.values()].filter(({ id }) => id !== from);
  const sends = (fields: Omit<Parameters<typeof numberedFrame>[0], 'number'>): void => {
    liar.send(numberedFrame({ ...fields, number: world.judge.sends(from, fields.tag, true) }));
  };
  switch (kind) {
    case 'spoof':
      for (const { id } of others) sends({ destination: BROADCAST, source: macOf(id) });
      return;
    case 'group':
      sends({ destination: BROADCAST, source: '010203040506' });
      sends({ destination: BROADCAST, source: '000000000000' });
      return;
    case 'tag':
      if (facts.mode === 'transparent') return;
      for (const tag of [10, 20, 30, 40, 4095]) sends({ destination: BROADCAST, source: own, tag });
      return;
    case 'bpdu': {
      const identity = { rootId: 1n, rootPathCost: 0, bridgeId: 1n, portId: 1 } as never;
      const times = { messageAge: 0, maxAge: 6, helloTime: 1, forwardDelay: 4 };
      const bpdu = { type: 'rst', flags: 0x3e, ...(identity as object), ...times } as never;
      const frame = Buffer.from(encodeBpdu(bpdu, Number.parseInt(own, 16) as MacAddress));
      sends({ destination: '0180c2000000', source: own, contents: frame.toString('hex', 12) });
      await world.clock.run(50);
      for (const each of world.switches) {
        const { tree } = each?.etherSwitch.network(facts.network).entities.spanningTree.tree ?? {};
        if (tree?.bridge.rootPriority.rootId === 1n) world.judge.fault(`${each?.name} takes liar ${from} for the root`);
      }
      return;
    }
    case 'router':
      sends({ destination: '333300000001', source: own, contents: routerAdvertisement(own).slice(24) });
      return;
    case 'dhcp': {
      const reply = dhcpReply(own, { client: macOf(random.pick(others).id), assigned: '192.0.2.66', leaseSeconds: 60 });
      sends({ destination: BROADCAST, source: own, contents: reply.slice(24) });
      return;
    }
    case 'token': {
      const tokens = [...(world.switches[facts.at]?.tokens ?? [])].filter(([user]) => user !== `liar-${from}`);
      if (tokens.length > 0) world.joinLiar(from, formatResumeField(random.pick(tokens)[1]));
      return;
    }
    case 'garbage':
      liar.damage();
      world.judge.damaged();
      for (let count = 0; count < 5; count++) sends({ destination: BROADCAST, source: own, tag: 4095 });
  }
}
