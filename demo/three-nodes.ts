import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NatsServer } from '../test/support/cluster/nats.ts';
import { Underlay } from '../test/support/cluster/underlay.ts';
import { eventually } from '../test/support/etherws.ts';
import type { Host, Lab } from '../test/support/namespaces.ts';
import {
  CLIENT_COMMAND,
  type ClusterHost,
  INSIDE,
  NODES,
  nodeCommand,
  STATUS_COMMAND,
  UNDERLAY,
} from './cluster-commands.ts';
import type { Narrator } from './narrator.ts';

const ETHERWS = [process.execPath, fileURLToPath(new URL('../bundle/cli/etherws.js', import.meta.url))];
const COMMAND_TIMEOUT_MS = 60_000;
const PINGS = 50;
const PING_INTERVAL_S = 0.2;

type Hosts = Readonly<Record<ClusterHost, Host>>;

/** Joins three nodes and a laptop, kills the node of the laptop, and starts it again. @throws Error if a command fails */
export async function joinThreeNodes(lab: Lab, narrator: Narrator): Promise<Hosts> {
  const hosts = await layCables(lab, narrator);
  const directory = join(lab.directory, 'demo');
  mkdirSync(directory);
  await startStore(hosts, directory, narrator);
  const type = (host: ClusterHost, line: string): Promise<void> => typeAt(hosts, host, line, directory, narrator);

  narrator.step('A switch on each, as a node of one cluster');
  for (const node of NODES) {
    await type(node, `${nodeCommand(node)} --pidfile ${node}.pid`);
    await addTap(type, node);
  }
  narrator.step('The laptop: an ordinary switch that dials any node');
  await type('laptop', 'etherws sw --port 8000');
  await addTap(type, 'laptop');
  await type('laptop', CLIENT_COMMAND);

  narrator.step('One Ethernet now: ping from the laptop, which is at r1, to r3');
  await eventually(
    () => hosts.laptop.run(['ping', '-c', '1', '-W', '1', INSIDE.r3]),
    ({ status }) => status === 0,
  );
  narrator.verified('r3 answers through the tunnel to r1 and the mesh');
  await type('r1', STATUS_COMMAND);

  narrator.step(`kill -9 of the switch at r1, while the laptop pings r3 every ${PING_INTERVAL_S} s`);
  const pings = hosts.laptop.spawn(['ping', '-n', '-i', String(PING_INTERVAL_S), '-c', String(PINGS), INSIDE.r3]);
  await pings.output(/icmp_seq=5 /);
  narrator.command('r1', 'kill -9 $(cat r1.pid)');
  await hosts.r1.check(['bash', '-c', 'kill -9 $(cat r1.pid)'], { cwd: directory });
  const { stdout } = await pings.exited;
  narrator.output(stdout.split('\n').slice(-4).join('\n'));
  const answered = [...stdout.matchAll(/icmp_seq=(\d+) ttl/g)].map(([, number]) => Number(number));
  if (answered.at(-1) !== PINGS) throw new Error('the laptop did not come back to the cluster');
  const longest = Math.max(...answered.slice(1).map((number, at) => number - (answered[at] ?? 0)));
  narrator.verified(
    `the laptop is at another node: ${(longest * PING_INTERVAL_S).toFixed(1)} s between two answers at most`,
  );
  await type('r2', STATUS_COMMAND);

  narrator.step('The switch at r1 again');
  await type('r1', `${nodeCommand('r1')} --pidfile r1.pid`);
  await addTap(type, 'r1');
  await eventually(
    () => hosts.laptop.run(['ping', '-c', '1', '-W', '1', INSIDE.r1]),
    ({ status }) => status === 0,
  );
  narrator.verified('r1 answers the laptop again');
  return hosts;
}

/** What a user may try while the demo runs, as commands of another terminal. */
export function tellWhatToTry(hosts: Hosts, narrator: Narrator): void {
  const isRoot = process.getuid?.() === 0;
  const enter = (host: ClusterHost): string =>
    `${isRoot ? '' : 'sudo '}nsenter -t ${hosts[host].pid} --user --preserve-credentials -m -p -n`;
  const etherws = ETHERWS.join(' ');
  narrator.step('Try, in another terminal');
  narrator.note(`${enter('r2')} ${etherws} ctl cluster`);
  narrator.note(`${enter('r2')} ${etherws} ctl listfdb`);
  narrator.note(`${enter('laptop')} ping ${INSIDE.r2}`);
  narrator.note(`${enter('r3')} pkill nats-server     # r1, r2, too: the pings go on`);
  narrator.note(`${enter('r2')} ip link set eth0 down    # and up again`);
}

async function layCables(lab: Lab, narrator: Narrator): Promise<Hosts> {
  narrator.step('Four hosts (network namespaces), joined by a switch of the kernel');
  const underlay = await Underlay.build(lab);
  const hosts: Partial<Record<ClusterHost, Host>> = {};
  for (const name of [...NODES, 'laptop'] as const) {
    hosts[name] = await underlay.addHost(name, Number(UNDERLAY[name].split('.').at(-1)));
    narrator.note(`${name.padEnd(6)} ${UNDERLAY[name]}`);
  }
  return hosts as Hosts;
}

async function startStore(hosts: Hosts, directory: string, narrator: Narrator): Promise<void> {
  narrator.step('The store: a NATS server on each of r1, r2 and r3, with JetStream, as one cluster');
  const addresses = NODES.map((node) => UNDERLAY[node]);
  const servers = NODES.map(
    (node, at) => new NatsServer(hosts[node], `n${at + 1}`, UNDERLAY[node], addresses, directory),
  );
  for (const [at, server] of servers.entries()) {
    narrator.command(NODES[at] ?? '', `nats-server -c ${server.name}.conf`);
    server.start();
  }
  await Promise.all(servers.map((server) => server.healthy()));
  narrator.verified('the three servers agree on a leader');
}

async function typeAt(
  hosts: Hosts,
  host: ClusterHost,
  line: string,
  directory: string,
  narrator: Narrator,
): Promise<void> {
  narrator.command(host, line);
  const [, ...command] = line.split(' ');
  const { status, stdout, stderr } = await hosts[host].run([...ETHERWS, ...command], {
    cwd: directory,
    timeoutMs: COMMAND_TIMEOUT_MS,
  });
  narrator.output(stdout + stderr);
  if (status !== 0) throw new Error(`\`${line}\` on ${host} ended with status ${status}`);
}

async function addTap(type: (host: ClusterHost, line: string) => Promise<void>, host: ClusterHost): Promise<void> {
  await type(host, 'etherws ctl addport tap lan0');
  await type(host, `etherws ctl setif 1 --address ${INSIDE[host]} --netmask 255.255.255.0`);
}
