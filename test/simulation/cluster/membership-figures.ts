import { announcementIntervalMs } from '../../../src/cluster/announcement-pace.ts';
import { Membership } from '../../../src/cluster/membership.ts';
import { Random } from '../../support/random.ts';
import { nameOf } from './sim-node.ts';

export interface MembershipFigures {
  /** the octets of one announcement: JSON, without what the store adds */
  readonly announcementOctets: number;
  readonly intervalMs: number;
  /** by the store, of all nodes together */
  readonly deliveriesPerSecond: number;
  /** received by each node, for each station and minute */
  readonly octetsPerStation: number;
  /** of this process, for one that is received */
  readonly processorMicroseconds: number;
  /** from the death of a node to which no tunnel leads, until no sampled node has it: the longest */
  readonly forgottenMs: number;
  readonly faults: readonly string[];
}

const TICK_MS = 250;
const LATENCY_MS = 20;

/**
 * Memberships of a cluster: all nodes announce themselves by the code of the product, and some of them hear it. The model of the
 * store delivers each message to each node once, later by LATENCY_MS.
 */
export function membershipFigures(nodes: number, stations: number, seed: number, heard = 3): MembershipFigures {
  const random = new Random(seed);
  const intervalMs = announcementIntervalMs(nodes);
  const senders = Array.from({ length: nodes }, (_, at) => membershipOf(at));
  const hearers = senders.slice(0, heard);
  const phases = senders.map(() => random.below(intervalMs));
  const dead = new Set<number>();
  const faults: string[] = [];
  let [nowMs, messages, octets, spentMs, isConnected] = [0, 0, 0, 0, true];

  /** Lets time pass in steps of one tick. */
  const pass = (ms: number): void => {
    for (const endMs = nowMs + ms; nowMs < endMs; nowMs += TICK_MS) {
      for (const [at, sender] of senders.entries()) {
        if (dead.has(at) || (nowMs - (phases[at] as number) + LATENCY_MS) % intervalMs >= TICK_MS) continue;
        const message = JSON.stringify(sender.announce(factsOf(at, intervalMs)));
        messages++;
        octets += message.length;
        if (!isConnected) continue;
        const startMs = performance.now();
        for (const hearer of hearers) hearer.heard(JSON.parse(message));
        spentMs += performance.now() - startMs;
      }
      for (const hearer of hearers) hearer.tick(nowMs);
    }
  };
  const expect = (what: string, members: number): void => {
    for (const { size } of hearers) if (size !== members) faults.push(`${what}: ${size} members instead of ${members}`);
  };

  for (const hearer of hearers) hearer.setStore(true);
  pass(2 * intervalMs);
  expect('after the start', nodes - 1);
  [messages, octets, spentMs] = [0, 0, 0];
  const measuredMs = 6 * intervalMs;
  pass(measuredMs);
  const perSecond = (messages * 1000) / measuredMs;
  const mean = octets / messages;
  const processorMicroseconds = (spentMs * 1000) / (messages * hearers.length);

  isConnected = false;
  for (const hearer of hearers) hearer.setStore(false);
  pass(60_000 + 4 * intervalMs);
  expect('without the store', nodes - 1);
  isConnected = true;
  for (const hearer of hearers) hearer.setStore(true);
  pass(intervalMs);
  expect('with the store again', nodes - 1);

  dead.add(nodes - 1);
  const diedMs = nowMs;
  while (hearers.some(({ size }) => size !== nodes - 2) && nowMs - diedMs < 10 * intervalMs) pass(TICK_MS);
  expect('after a death', nodes - 2);
  return {
    announcementOctets: Math.round(mean),
    intervalMs,
    deliveriesPerSecond: Math.round(perSecond * nodes),
    octetsPerStation: (perSecond * 60 * mean) / stations,
    processorMicroseconds: Math.round(10 * processorMicroseconds) / 10,
    forgottenMs: nowMs - diedMs,
    faults,
  };
}

function membershipOf(node: number): Membership {
  return new Membership({ node: nameOf(node), boot: `boot-${node}`, onChange: () => undefined });
}

function factsOf(node: number, intervalMs: number) {
  return {
    url: `wss://${nameOf(node)}.switches.example/`,
    version: '2.0.0-alpha',
    networks: ['default', 'office', 'lab'],
    load: { tunnels: 1000, mostTunnels: 10_000, loopDelayMs: 1.25 },
    isDraining: false,
    detours: {},
    intervalMs,
  };
}
