import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { eventually } from '../../support/etherws.ts';
import { freePorts, NatsServer } from '../../support/nats-server.ts';
import { NodeProcess } from './real/node-process.ts';

/**
 * `node dist/test/simulation/cluster/memory.js --stations N --networks K`: what a real node takes in memory for each station that
 * another one has told, for each that is at itself, and for each mesh tunnel, by the resident memory of its process.
 */
const { values } = parseArgs({
  options: { stations: { type: 'string', default: '200000' }, networks: { type: 'string', default: '300' } },
});
const [stations, networks] = [Number(values.stations), Number(values.networks)];
const PATIENCE_MS = 300_000;
/** An idle daemon collects garbage, and gives memory back. */
const IDLE_MS = 30_000;
const BURST = 500;
const BURST_MS = 5;

async function idleBytes(node: NodeProcess): Promise<number> {
  await delay(IDLE_MS);
  return node.residentBytes;
}

const store = await NatsServer.start();
const started: NodeProcess[] = [];

async function start(name: string): Promise<NodeProcess> {
  const [tunnelPort = 0, controlPort = 0] = await freePorts(2);
  const more = ['--fdb-size', String(2 * stations), '--max-tunnels', '10000'];
  const node = new NodeProcess(name, [tunnelPort, controlPort], store.url, more);
  started.push(node);
  await eventually(
    () =>
      node.meshPorts().then(
        () => true,
        () => false,
      ),
    Boolean,
    PATIENCE_MS,
  );
  return node;
}

async function known(node: NodeProcess): Promise<number> {
  const { entries } = await node.call<{ entries: { stations: number }[] }>('listPort');
  return entries.reduce((sum, port) => sum + port.stations, 0);
}

async function knows(node: NodeProcess): Promise<void> {
  await eventually(
    () => known(node),
    (count) => count === stations,
    PATIENCE_MS,
  );
}

/** A port in each network, which makes the node a member. Nothing answers at its URL, and it dials once. */
async function addMembers(node: NodeProcess): Promise<void> {
  for (let at = 0; at < networks; at++) {
    const network = `net${at}`;
    await node.call('addNet', { network, stp: 'off', lldp: 'off' });
    await node.call('addPort', {
      type: 'client',
      target: 'ws://127.0.0.1:1/',
      network,
      options: { wait: false, reconnect: false },
    });
  }
}

const say = (what: string, bytes: number, count: number): void =>
  console.log(`${what}: ${Math.round(bytes / count)} octets (${Math.round(bytes / 1e6)} MB for ${count})`);

async function end(): Promise<void> {
  await Promise.all(started.map((node) => node.end()));
  await store.end();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void end().finally(() => process.exit(1)));
}

try {
  const first = await start('n0');
  await first.dial();
  const empty = await idleBytes(first);
  console.log(`a node alone: ${Math.round(empty / 1e6)} MB`);
  // What the queue of the tunnel has dropped comes in the next round.
  await eventually(
    async () => {
      for (let station = 0; station < stations; station++) {
        first.arrive(station);
        if (station % BURST === 0) await delay(BURST_MS);
      }
      return known(first);
    },
    (count) => count === stations,
    PATIENCE_MS,
  );
  say('a station at the node itself', (await idleBytes(first)) - empty, stations);

  const second = await start('n1');
  await second.dial();
  await knows(second);
  say('a station of another node', (await idleBytes(second)) - empty, stations);
  await second.end();
  await first.end();

  const near = await start('n2');
  await addMembers(near);
  const alone = await idleBytes(near);
  console.log(`a node with ${networks} networks and no mesh tunnel: ${Math.round(alone / 1e6)} MB`);
  await addMembers(await start('n3'));
  await eventually(
    async () => (await near.meshPorts()).filter(({ state }) => state === 'up').length,
    (up) => up === networks,
    PATIENCE_MS,
  );
  say('a mesh tunnel', (await idleBytes(near)) - alone, networks);
} finally {
  await end();
}
