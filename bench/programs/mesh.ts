/**
 * Measures one TCP flow between two clients whose nodes are joined by the mesh of a cluster, and by turns the same through two
 * switches without a cluster, which are joined by an ordinary tunnel:
 *
 *   npm run build && node dist/bench/programs/mesh.js [ROUNDS] [SECONDS]
 *
 *   client ═ node ═ mesh ═ node ═ client      client ═ switch ═ tunnel ═ switch ═ client
 *
 * Prints the rate of each round, the medians, and the median of the ratios of each round, both ways. Then it measures what the
 * same frames cost by the broker instead: through a subject of a NATS server between two processes (bench/programs/broker.ts).
 * Needs iperf3 and nats-server; ETHERWS_MESH_BENCH=broker measures the broker alone. Both chains run all the time; only one has traffic.
 */
import { fileURLToPath } from 'node:url';
import { addressOf, ClusterLab, dialingSwitch } from '../../test/support/cluster-lab.ts';
import { EtherwsSwitch, eventually } from '../../test/support/etherws.ts';
import { type Host, Lab } from '../../test/support/namespaces.ts';

const BROKER = [process.execPath, fileURLToPath(new URL('broker.js', import.meta.url))];
const { ETHERWS_MESH_BENCH } = process.env;
const [rounds = 9, seconds = 3] = process.argv.slice(2).map(Number);

/** Two hosts with TAP devices, and the address of the second one. */
interface Chain {
  readonly name: string;
  readonly near: Host;
  readonly far: Host;
  readonly address: string;
}

async function meshChain(cluster: ClusterLab): Promise<Chain> {
  await cluster.startNodes();
  const near = await cluster.addClient(11, 1);
  const far = await cluster.addClient(12, 2);
  return { name: 'mesh', near: near.host, far: far.host, address: addressOf(12) };
}

async function plainChain({ underlay }: ClusterLab): Promise<Chain> {
  const url = (number: number): string => `ws://${underlay.addressOf(number)}:8000/`;
  const [first, second] = [await underlay.addHost('first', 31), await underlay.addHost('second', 32)];
  await EtherwsSwitch.start(second, ['--port', '8000']);
  const dialling = await EtherwsSwitch.start(first, ['--port', '8000']);
  await dialling.done('addport', 'client', url(32));
  const [near, far] = [await underlay.addHost('near', 33), await underlay.addHost('far', 34)];
  await dialingSwitch(near, 21, [url(31)]);
  await dialingSwitch(far, 22, [url(32)]);
  return { name: 'tunnel', near, far, address: addressOf(22) };
}

async function reach({ near, address }: Chain): Promise<void> {
  const ping = ['ping', '-c', '1', '-W', '1', address];
  await eventually(
    () => near.run(ping),
    ({ status }) => status === 0,
    60_000,
  );
}

/** @returns Mbit/s that were received */
async function flow({ near, far, address }: Chain, direction: 'up' | 'down'): Promise<number> {
  const server = far.spawn(['iperf3', '--server', '--one-off', '--forceflush']);
  await server.output(/listening/);
  const reverse = direction === 'down' ? ['--reverse'] : [];
  const report = await near.check(['iperf3', '--client', address, '--json', '--time', String(seconds), ...reverse]);
  await server.exited;
  const { end } = JSON.parse(report) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second / 1e6;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

async function compare(mesh: Chain, tunnel: Chain, direction: 'up' | 'down'): Promise<void> {
  for (const chain of [mesh, tunnel]) await flow(chain, direction); // compilers and caches become warm
  const rates: { readonly mesh: number; readonly tunnel: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    // The order changes from round to round, since the speed of a shared machine does.
    const first = round % 2 === 0 ? mesh : tunnel;
    const one = await flow(first, direction);
    const other = await flow(first === mesh ? tunnel : mesh, direction);
    const pair = first === mesh ? { mesh: one, tunnel: other } : { mesh: other, tunnel: one };
    console.log(`${direction}: mesh ${pair.mesh.toFixed(0)}, tunnel ${pair.tunnel.toFixed(0)} Mbit/s`);
    rates.push(pair);
  }
  const [a, b] = [median(rates.map((pair) => pair.mesh)), median(rates.map((pair) => pair.tunnel))];
  const ratio = median(rates.map((pair) => pair.mesh / pair.tunnel));
  console.log(
    `${direction}: medians of ${rounds}: mesh ${a.toFixed(0)}, tunnel ${b.toFixed(0)} Mbit/s; ratio ${ratio.toFixed(3)} (of the medians ${(a / b).toFixed(3)})`,
  );
}

/** The same hop by the broker, at one of its servers, and by a tunnel of ours for comparison. */
async function measureBroker(cluster: ClusterLab): Promise<void> {
  const { host, nats } = cluster.site(1);
  const other = cluster.site(2).host;
  for (const [from, to] of [
    [host, other],
    [other, host],
  ] as const) {
    const receiver = to.spawn([...BROKER, 'receive', nats.url]);
    await receiver.output(/^ready$/m);
    console.log(
      `broker, ${from.name} → ${to.name}: ${(await from.check([...BROKER, 'send', nats.url, String(seconds)])).trim()}`,
    );
    await receiver.end();
  }
}

const lab = await Lab.open();
try {
  const cluster = await ClusterLab.build(lab, { sites: 2, hasStations: false });
  if (ETHERWS_MESH_BENCH !== 'broker') {
    const chains = [await meshChain(cluster), await plainChain(cluster)] as const;
    await Promise.all(chains.map(reach));
    for (const direction of ['up', 'down'] as const) await compare(...chains, direction);
  }
  await measureBroker(cluster);
} finally {
  await lab.close();
}
