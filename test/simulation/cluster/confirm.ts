import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { announcementIntervalMs } from '../../../src/cluster/announcement-pace.ts';
import { eventually } from '../../support/etherws.ts';
import { idleTunnel } from './heartbeats.ts';
import { loopHelloOctets } from './loop-hellos.ts';
import { membershipFigures } from './membership-figures.ts';
import { FILLING_MS, movesOf, octetsOfModel, type Point, placingsOf, REST_MS, SETTLE_MS } from './point.ts';
import { RealCluster } from './real/real-cluster.ts';

/**
 * `npm run confirm:cluster -- --nodes N --stations M`: plays one point of the curve by the model, and by a nats-server and N real
 * processes on the loopback, and compares the octets that the model counts with the counters of the processes and of the
 * kernel. Ends with the exit status 1 if they differ by more than the tolerance.
 */
const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '20' },
    stations: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});
/** On a busy machine frames are read together, so that their stations are announced together; and timers are late. */
const TOLERANCE = 0.15;
const GONE_MS = 1000;

const point: Point = {
  nodes: Number(values.nodes),
  stations: Number(values.stations),
  moves: Math.round(Number(values.stations) / 10),
  movingMs: 30_000,
  seed: Number(values.seed),
};
const faults: string[] = [];

function compare(what: string, model: number, real: number): void {
  const ratio = real / model;
  console.log(`${what}: model ${Math.round(model)}, processes ${Math.round(real)} (${ratio.toFixed(2)})`);
  if (!(Math.abs(ratio - 1) <= TOLERANCE)) faults.push(`${what}: the processes took ${ratio.toFixed(2)} of the model`);
}

const model = octetsOfModel(point);
const peers = point.nodes - 1;
const tunnels = (point.nodes * peers) / 2;
/** What the model of stations leaves out, at a node. */
const hellosIn = (ms: number): number => peers * loopHelloOctets(ms);

/** On a machine that is busier than the silence that a tunnel bears, tunnels are lost, and what they say again is counted. */
const LOST = 'tunnels were lost meanwhile: the machine is too busy for this comparison';

const cluster = await RealCluster.start(point.nodes);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cluster.end().finally(() => process.exit(1)));
}
try {
  await delay(SETTLE_MS);
  const meshOctetsOf = async (act: () => Promise<unknown>): Promise<number> => {
    const before = await cluster.meshOctets();
    await act();
    return ((await cluster.meshOctets()) - before) / point.nodes;
  };
  const play = async (placings: Parameters<RealCluster['play']>[0], ms: number): Promise<void> => {
    await Promise.all([cluster.play(placings), delay(ms)]);
  };

  const filling = await meshOctetsOf(() => play(placingsOf(point), FILLING_MS + SETTLE_MS));
  compare('octets of frames at a node while stations come', model.filling + hellosIn(FILLING_MS + SETTLE_MS), filling);
  await eventually(
    () => cluster.stations(),
    (known) => known.every((count) => count === point.stations),
    10_000,
  );

  const numbers = await cluster.meshNumbers();
  const [traffic, announced] = [cluster.traffic, cluster.announcements];
  const atRest = await meshOctetsOf(() => delay(REST_MS));
  const [trafficAfter, announcedAfter] = [cluster.traffic, cluster.announcements];
  compare('octets of frames at a node at rest, in a minute', model.atRest + hellosIn(REST_MS), atRest);
  if (traffic.tunnels !== tunnels) faults.push(`${traffic.tunnels} tunnels instead of ${tunnels}`);
  const idle = idleTunnel();
  const framesOfTunnel = (model.atRest + hellosIn(REST_MS)) / peers;
  compare(
    'octets of TCP in a tunnel at rest, in a minute',
    idle.octets + framesOfTunnel,
    (trafficAfter.octets - traffic.octets) / tunnels,
  );
  console.log(
    `segments in a tunnel at rest, in a minute: ${Math.round((trafficAfter.segments - traffic.segments) / tunnels)}`,
  );

  const membership = membershipFigures(point.nodes, point.stations, point.seed, 1);
  const messages = announcedAfter.messages - announced.messages;
  compare(
    'announcements at a node, in a minute',
    (point.nodes * REST_MS) / announcementIntervalMs(point.nodes),
    messages,
  );
  compare(
    'octets of an announcement',
    membership.announcementOctets,
    (announcedAfter.octets - announced.octets) / messages,
  );

  const moving = await meshOctetsOf(() => play(movesOf(point), point.movingMs + SETTLE_MS));
  compare(
    'octets of frames at a node while stations move',
    model.moving + hellosIn(point.movingMs + SETTLE_MS),
    moving,
  );

  if ((await cluster.meshNumbers()) !== numbers) faults.push(LOST);
  const last = cluster.nodes.at(-1);
  const known = await cluster.stations();
  const megabytes = cluster.nodes.map(({ residentBytes }) => residentBytes / 1e6).sort((one, other) => one - other);
  console.log(
    `memory of a node: ${Math.round(megabytes[0] as number)} to ${Math.round(megabytes.at(-1) as number)} MB`,
  );
  if (last === undefined || known.some((count) => count !== point.stations)) faults.push(`stations known: ${known}`);
  const killedMs = performance.now();
  await last?.process.end();
  const others = cluster.nodes.slice(0, -1);
  await Promise.all(
    others.map((node) =>
      eventually(
        () => node.meshPorts(),
        (ports) => ports.every(({ meshNode, state }) => meshNode !== last?.name || state !== 'up'),
        30_000,
      ),
    ),
  );
  const goneMs = performance.now() - killedMs;
  console.log(`a process was killed: its stations are gone from ${others.length} nodes after ${Math.round(goneMs)} ms`);
  if (goneMs > 2 * GONE_MS) faults.push(`the stations of a dead process were there for ${Math.round(goneMs)} ms`);
} finally {
  await cluster.end();
}
for (const fault of faults) console.log(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
