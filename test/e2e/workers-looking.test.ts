import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PcapngReader, type ReadPacket } from '../../src/capture/pcapng-reader.ts';
import { ControlClient } from '../../src/control/client.ts';
import type { LiveEntry, TableName } from '../../src/control/live/table-keys.ts';
import { openStation } from '../support/arp-station.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { FrameSource } from '../support/frame-source.ts';
import { numberOf, testFrame } from '../support/port-recorder.ts';
import { Process } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';
import { until } from '../support/waits.ts';
import { WorkerService } from '../support/worker-service.ts';

/** What callers see of a service with several processes: captures, events, and tables of all of them. */

const skip = missingTools('tshark');
const isFar = (port: number): boolean => port > 500_000_000;

interface World {
  readonly service: WorkerService;
  readonly sources: readonly FrameSource[];
  /** the ports of the tunnels; the second one is at the worker */
  readonly ports: readonly [number, number];
  ctl(...words: readonly string[]): Process;
}

async function open(t: TestContext): Promise<World> {
  const service = await WorkerService.start(t, 2);
  const sources = [await FrameSource.open(t, service.tunnelPort), await FrameSource.open(t, service.tunnelPort)];
  const numbers = (
    await eventually(
      () => service.ports(),
      (ports) => ports.length === 2,
    )
  ).map(({ port }) => port);
  const ports = numbers.sort((one, other) => one - other) as [number, number];
  assert.deepEqual(ports.map(isFar), [false, true]);
  const ctl = (...words: readonly string[]): Process => {
    const process = new Process([...ETHERWS, 'ctl', '--ctlurl', service.controlUrl, ...words], { timeoutMs: 120_000 });
    t.after(() => process.end());
    return process;
  };
  return { service, sources, ports, ctl };
}

let number = 0;

/** A frame of each station to all. */
function send(sources: readonly FrameSource[]): void {
  number++;
  for (const [at, source] of sources.entries()) {
    const frame = testFrame(number, 100);
    frame.fill(0xff, 0, 6);
    Buffer.from([2, 0, 0, 0, 0, at + 1]).copy(frame, 6);
    source.send(frame);
  }
}

async function whileSending(sources: readonly FrameSource[], program: Process): Promise<Awaited<Process['exited']>> {
  const timer = setInterval(() => send(sources), 20);
  try {
    return await program.exited;
  } finally {
    clearInterval(timer);
  }
}

function packetsIn(file: string): ReadPacket[] {
  return new PcapngReader().read(readFileSync(file));
}

test('ctl capture has the ports of all processes in one file', { skip }, async (t) => {
  const { service, sources, ports, ctl } = await open(t);
  const [near, far] = ports;
  await service.done('setport', String(far), '--name', 'far');
  const file = join(service.directory, 'both.pcapng');
  const both = ctl('capture', String(near), 'far', '-w', file, '--count', '40', '--filter', 'ether src 2:0:0:0:0:1');
  const { status, stderr } = await whileSending(sources, both);
  assert.equal(status, 0, stderr);
  assert.match(
    stderr,
    /^40 frames captured: --count is reached\n {2}port \d: .*\n {2}port \d{9} \(far\): .* matched, 0 lost\n$/,
  );
  const packets = packetsIn(file);
  assert.equal(packets.length, 40);
  for (const [name, direction] of [
    [`port-${near}`, 'rx'],
    ['far', 'tx'],
  ] as const) {
    const own = packets.filter(({ interfaceName }) => interfaceName === name);
    const numbers = own.map(({ bytes }) => numberOf(Buffer.from(bytes)));
    assert.ok(own.length > 10 && own.every((packet) => packet.direction === direction), `${own.length} at ${name}`);
    assert.equal(new Set(numbers).size, numbers.length, 'each once');
  }
  const alone = await whileSending(sources, ctl('capture', 'far', '--count', '3'));
  assert.equal(alone.status, 0, alone.stderr);
  const network = ctl('capture', '--net', 'default', '--json');
  const sending = whileSending(sources, network);
  await until(() => /"port":"far"/.test(network.stdout) && network.stdout.includes(`"port":"port-${near}"`));
  process.kill(service.workers.get(2) ?? 0, 'SIGKILL');
  await network.output(/worker 2 takes no part any more: /);
  network.signal('SIGINT');
  assert.equal((await sending).status, 0);
  const none = await ctl('capture', '5000000').exited;
  assert.match(none.stderr, /There is no port 5000000/);
});

test('ctl watch has the events of all processes, each once, also of a worker that was started again', async (t) => {
  const { service, sources, ports, ctl } = await open(t);
  const [near, far] = ports;
  const watching = ctl('watch', '--events', 'port-added,port-up,port-down,address-learned,network-added,worker-up');
  const seen = (pattern: string): number => watching.stdout.match(new RegExp(pattern, 'g'))?.length ?? 0;
  await eventually(
    async () => {
      for (const port of ports)
        for (const shut of ['1', '0']) await service.done('setport', String(port), '--shut', shut);
      return seen(`port-up port=${near} `) > 0 && seen(`port-up port=${far} .*worker=2`) > 0;
    },
    (isThere) => isThere,
  );
  send(sources);
  await watching.output(new RegExp(`address-learned port=${far} .*mac=02:00:00:00:00:02 `));
  await service.done('addnet', 'lab');
  await watching.output(/network-added network=lab/);
  const pid = service.workers.get(2);
  process.kill(pid ?? 0, 'SIGKILL');
  await watching.output(/worker-up worker=2/);
  await until(() => service.workers.get(2) !== pid);
  const again: FrameSource[] = [];
  await eventually(
    async () => {
      again.push(await FrameSource.open(t, service.tunnelPort));
      return seen('port-added port=\\d{9} .*worker=2');
    },
    (count) => count > 0,
  );
  assert.equal(seen('network-added network=lab'), 1);
  assert.equal(seen('type=mesh .*worker=2'), 0, watching.stdout);
});

test('tables that are observed, as the console and ctl top do, have what is in all processes', async (t) => {
  const { service, sources, ports } = await open(t);
  const client = new ControlClient({ url: service.controlUrl });
  const tables = new Map<TableName, readonly LiveEntry[]>();
  for (const table of ['ports', 'stations', 'networks', 'vlans', 'status'] as const) {
    const end = await client.observe(
      { table, interval: 1 },
      (entries) => tables.set(table, [...entries]),
      () => undefined,
    );
    t.after(end);
  }
  send(sources);
  const entriesOf = (table: TableName): readonly LiveEntry[] => tables.get(table) ?? [];
  const portsOf = (table: TableName): unknown[] =>
    entriesOf(table)
      .map((entry) => entry['port'])
      .sort();
  await until(() => portsOf('ports').length === 2 && portsOf('stations').length === 2);
  assert.deepEqual(portsOf('ports'), ports);
  assert.deepEqual(portsOf('stations'), ports);
  await until(() => entriesOf('networks')[0]?.['ports'] === 2);
  await until(() => JSON.stringify(entriesOf('vlans')[0]?.['untagged']) === JSON.stringify(ports));
  // The calls tell the same.
  const nets = (await service.list('listnet')) as { readonly ports: number }[];
  assert.deepEqual(
    nets.map((entry) => entry.ports),
    [2],
  );
  const vlans = (await service.list('listvlan')) as { readonly untagged: number[] }[];
  assert.deepEqual(
    vlans.map((entry) => entry.untagged),
    [ports],
  );
  const accepted = (): unknown => (entriesOf('status')[0]?.['tunnels'] as { readonly accepted?: number })?.accepted;
  await until(() => accepted() === 2);
  const pid = service.workers.get(2);
  process.kill(pid ?? 0, 'SIGKILL');
  await until(() => portsOf('ports').length === 1);
  await until(() => service.workers.get(2) !== pid);
  await FrameSource.open(t, service.tunnelPort);
  await FrameSource.open(t, service.tunnelPort);
  await until(() => portsOf('ports').filter((port) => isFar(Number(port))).length > 0);
});

test('ctl ping and trace tell the port of a station at a worker', async (t) => {
  const { service, sources, ports } = await open(t);
  await until(() => {
    send(sources);
    return (sources[0]?.received ?? 0) > 0 && (sources[1]?.received ?? 0) > 0;
  });
  for (const [at, port] of ports.entries()) {
    const entries = await service.list('trace', `02:00:00:00:00:0${at + 1}`);
    assert.deepEqual(
      (entries as { port: number; decision: string }[]).map((entry) => [entry.port, entry.decision]),
      [[port, 'forward']],
    );
  }
  const flooded = (await service.list('trace', '02:00:00:00:00:99')) as { port: number }[];
  assert.deepEqual(
    flooded.map(({ port }) => port),
    ports,
  );
  assert.match((await service.ctl('trace', '192.0.2.99')).stderr, /ADDRESS_UNKNOWN/);
  // One of two further tunnels is at the worker.
  await openStation(t, service.tunnelPort);
  await openStation(t, service.tunnelPort);
  const [station] = (await service.list('ping', '192.0.2.7', '--count', '1')) as { port: number; meshNode?: string }[];
  assert.ok(station !== undefined && station.meshNode === undefined, JSON.stringify(station));
  const [place] = (await service.list('trace', '192.0.2.7')) as { port: number }[];
  assert.equal(typeof place?.port, 'number');
});
