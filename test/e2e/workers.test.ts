import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { ClientPort } from '../../src/ports/tunnel/dial/client-port.ts';
import { dialTunnel } from '../../src/ports/tunnel/dial/dial-tunnel.ts';
import type { TunnelPort } from '../../src/ports/tunnel/tunnel-port.ts';
import { batchOf } from '../../src/wire/ethernet/frame-batch.ts';
import { createAuthority } from '../support/certificates.ts';
import { patiently } from '../support/cluster/bounds.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { numberOf, PortRecorder, testFrame } from '../support/port-recorder.ts';
import { run } from '../support/process.ts';
import { once, until, within } from '../support/waits.ts';
import { isAlive, WorkerService } from '../support/worker-service.ts';

/** A tunnel from this process. */
async function dial(t: TestContext, service: WorkerService, user?: string): Promise<TunnelPort> {
  const url = `ws://127.0.0.1:${service.tunnelPort}/`;
  const tunnel = await dialTunnel(user === undefined ? { url } : { url, user, passwd: 'x' });
  t.after(() => tunnel.close('shutdown'));
  tunnel.open(new PortRecorder());
  return tunnel;
}

/** A client that dials again when its tunnel is lost. */
function openClient(t: TestContext, service: WorkerService): PortRecorder {
  const url = `ws://127.0.0.1:${service.tunnelPort}/`;
  const port = new ClientPort({ target: url, connect: (signal) => dialTunnel({ url, signal }) });
  const recorder = new PortRecorder();
  port.open(recorder);
  t.after(() => port.close('shutdown'));
  return recorder;
}

/** A client with a station behind it, which answers nothing: frames are counted as they arrive. */
class Station {
  readonly port: ClientPort;
  readonly mac: Buffer;
  readonly heard = new PortRecorder();

  private constructor(service: WorkerService, number: number) {
    const url = `ws://127.0.0.1:${service.tunnelPort}/`;
    this.port = new ClientPort({ target: url, connect: (signal) => dialTunnel({ url, signal }) });
    this.mac = Buffer.from([2, 0, 0, 0, 0, number + 1]);
  }

  static async join(t: TestContext, service: WorkerService, number: number): Promise<Station> {
    const station = new Station(service, number);
    station.port.open(station.heard);
    t.after(() => station.port.close('shutdown'));
    await until(() => isUp(station.heard));
    return station;
  }

  send(to: Buffer, number: number): void {
    const frame = testFrame(number, 100);
    to.copy(frame, 0);
    this.mac.copy(frame, 6);
    if (this.port.send(batchOf(frame), 0) === undefined) this.port.flush(false);
  }
}

let lastNumber = 0;

/** Each station reaches each other one: first by broadcast, then by its address; each frame comes once. */
async function allReach(stations: readonly Station[]): Promise<void> {
  for (const from of stations) {
    for (const to of stations) {
      if (from === to) continue;
      for (const address of [BROADCAST, to.mac]) {
        const arrived = await eventually(
          async () => {
            const number = ++lastNumber;
            from.send(address, number);
            const heard = (): number => to.heard.frames.filter((frame) => numberOf(frame) === number).length;
            await until(() => heard() > 0, 1000).catch(() => undefined);
            return heard();
          },
          (count) => count > 0,
        );
        assert.equal(arrived, 1);
      }
    }
  }
}

const BROADCAST = Buffer.alloc(6, 0xff);
const isUp = (client: PortRecorder): boolean => client.linkChanges.at(-1)?.state === 'up';

for (const workers of [2, 3]) {
  test(`tunnels that come one by one and at once are spread evenly over ${workers} processes`, async (t) => {
    const service = await WorkerService.start(t, workers);
    for (let n = 0; n < workers; n++) await dial(t, service);
    await Promise.all(Array.from({ length: 3 * workers }, () => dial(t, service)));
    await until(() => [...service.accepted.values()].reduce((sum, count) => sum + count, 0) === 4 * workers);
    assert.deepEqual([...service.accepted.values()], Array(workers).fill(4));
  });
}

test('clients of different workers reach each other, and a worker that is new, too', async (t) => {
  const service = await WorkerService.start(t, 3);
  const stations: Station[] = [];
  for (let n = 0; n < 6; n++) stations.push(await Station.join(t, service, n));
  await until(() => [...service.accepted.values()].join() === '2,2,2');
  await allReach(stations);
  const pid = service.workers.get(3) ?? 0;
  process.kill(pid, 'SIGKILL');
  await until(() => service.workers.get(3) !== pid);
  await allReach(stations);
});

test('ctl shows and commands the ports of all processes as those of one switch', async (t) => {
  const service = await WorkerService.start(t, 2);
  const stations: Station[] = [];
  for (let n = 0; n < 4; n++) stations.push(await Station.join(t, service, n));
  await allReach(stations);
  const ports = await service.ports();
  assert.deepEqual(
    ports.map(({ port, type, stations: count }) => [port > 1_000_000, type, count]),
    [
      [false, 'server', 1],
      [false, 'server', 1],
      [true, 'server', 1],
      [true, 'server', 1],
    ],
  );
  const fdb = (await service.list('listfdb')) as { mac: string; port: number; kind: string }[];
  assert.deepEqual(fdb.map(({ mac }) => mac.slice(-1)).sort(), ['1', '2', '3', '4']);
  assert.deepEqual([...new Set(fdb.map(({ kind }) => kind))], ['learned']);
  const far = String(ports.find(({ port }) => port > 1_000_000)?.port);
  await service.done('setport', far, '--name', 'far', '--description', 'at a worker');
  assert.match(await service.done('show', 'far'), /at a worker/);
  await service.done('addnet', 'lab', '--ageout', '77');
  await service.done('setnet', 'lab', '--ageout', '78');
  const client = await dialTunnel({ url: `ws://127.0.0.1:${service.tunnelPort}/lab` });
  const other = await dialTunnel({ url: `ws://127.0.0.1:${service.tunnelPort}/lab` });
  for (const tunnel of [client, other]) {
    t.after(() => tunnel.close('shutdown'));
    tunnel.open(new PortRecorder());
  }
  const lab = (await service.list('listport', '--net', 'lab')) as { port: number }[];
  assert.equal(lab.length, 2);
  assert.equal(lab.filter(({ port }) => port > 1_000_000).length, 1);
  const [status] = (await service.list('status')) as { tunnels: { accepted: number } }[];
  assert.equal(status?.tunnels.accepted, 6);
  await service.done('delport', far);
  assert.ok(!(await service.ports()).some(({ port }) => String(port) === far));
  assert.match((await service.ctl('show', '5000000')).stderr, /PORT_NOT_FOUND/);
});

test('a worker that is started again has the networks that calls have changed', async (t) => {
  const service = await WorkerService.start(t, 2);
  await service.done('addnet', 'lab');
  const pid = service.workers.get(2) ?? 0;
  process.kill(pid, 'SIGKILL');
  await until(() => service.workers.get(2) !== pid);
  for (let n = 0; n < 4; n++) {
    const tunnel = await dialTunnel({ url: `ws://127.0.0.1:${service.tunnelPort}/lab` });
    t.after(() => tunnel.close('shutdown'));
    tunnel.open(new PortRecorder());
  }
  const lab = (await service.list('listport', '--net', 'lab')) as { port: number }[];
  assert.equal(lab.filter(({ port }) => port > 1_000_000).length, 2);
});

test('clients of a worker that is killed are back within 2 s, and the worker is started again', async (t) => {
  const service = await WorkerService.start(t, 2);
  const clients = Array.from({ length: 6 }, () => openClient(t, service));
  await until(() => clients.every(isUp));
  await until(() => service.accepted.get(2) === 3);
  const [pid = 0] = service.workers.values();
  const before = clients.map(({ linkChanges }) => linkChanges.length);
  process.kill(pid, 'SIGKILL');
  const lost = (): PortRecorder[] => clients.filter(({ linkChanges }, n) => linkChanges.length > (before[n] ?? 0));
  await until(() => lost().length === 3, patiently(2000));
  await until(() => clients.every(isUp), patiently(2000));
  await until(() => service.workers.get(2) !== pid);
  assert.match(
    service.process.stderr,
    /"worker":2,"reason":"was ended by SIGKILL","pauseMs":100,"msg":"a worker has ended/,
  );
  // The new worker has no tunnel yet, so the next ones are its own.
  const before2 = service.accepted.get(2) ?? 0;
  for (let n = 0; n < 3; n++) await dial(t, service);
  await until(() => (service.accepted.get(2) ?? 0) >= before2 + 3);
});

test('a worker that ends again and again is started after longer and longer pauses', async (t) => {
  const service = await WorkerService.start(t, 2);
  for (const pauseMs of [100, 200, 400]) {
    const pid = service.workers.get(2) ?? 0;
    process.kill(pid, 'SIGKILL');
    await service.process.output(new RegExp(`"pauseMs":${pauseMs},`));
    await until(() => service.workers.get(2) !== pid);
  }
});

test('a terminated service ends all tunnels with code 1001, and leaves no process', async (t) => {
  const service = await WorkerService.start(t, 2);
  const clients = Array.from({ length: 4 }, () => openClient(t, service));
  await until(() => clients.every(isUp));
  const pids = [...service.workers.values()];
  service.process.signal('SIGTERM');
  const { status, stderr } = await within(service.process.exited, 'end of the service');
  assert.equal(status, 0, stderr);
  for (const pid of pids) assert.ok(!isAlive(pid), `worker ${pid} is left`);
  await until(() => clients.every((client) => !isUp(client)));
  for (const { linkChanges } of clients) assert.match(linkChanges.map(({ reason }) => reason).join(), /1001/);
});

test('signals to all processes, as of a terminal or a service manager, end the service in order, too', async (t) => {
  const service = await WorkerService.start(t, 2);
  const client = [openClient(t, service), openClient(t, service)];
  await until(() => client.every(isUp));
  for (const pid of service.workers.values())
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(pid, signal);
  await dial(t, service);
  service.process.signal('SIGINT');
  const { status } = await within(service.process.exited, 'end of the service');
  assert.equal(status, 0);
  assert.doesNotMatch(service.process.stderr, /a worker has ended/);
});

test('workers end when the first process is killed', async (t) => {
  const service = await WorkerService.start(t, 3);
  const pids = [...service.workers.values()];
  assert.equal(pids.length, 2);
  service.process.signal('SIGKILL');
  for (const pid of pids) await WorkerService.gone(pid);
});

test('limits of tunnels count over all processes', async (t) => {
  const service = await WorkerService.start(t, 2, ['--max-tunnels', '4']);
  const tunnels: TunnelPort[] = [];
  const refusal = async (): Promise<string> => {
    try {
      tunnels.push(await dial(t, service));
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  while (tunnels.length < 4) assert.equal(await refusal(), '');
  // The processes tell each other of their tunnels within 100 ms; until then there may be some more.
  let refused = '';
  for (let n = 0; n < 20 && refused === ''; n++) refused = await refusal();
  assert.match(refused, /503/);
  assert.ok(tunnels.length < 20, `${tunnels.length} tunnels`);
  for (const tunnel of tunnels.splice(3)) await tunnel.close('shutdown');
  // The place is given back.
  await eventually(refusal, (refused) => refused === '');
});

test('SIGHUP gives all processes the new certificate', async (t) => {
  const directory = (await WorkerService.start(t, 1)).directory;
  const authority = await createAuthority(directory);
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const use = async (name: string): Promise<void> => {
    const issued = await authority.issue(name, ['127.0.0.1', name]);
    copyFileSync(issued.key, key);
    copyFileSync(issued.certificate, certificate);
  };
  await use('first.example');
  const service = await WorkerService.start(t, 3, ['--sslkey', key, '--sslcert', certificate]);
  const shown = async (): Promise<Set<string>> => {
    const names = new Set<string>();
    // They stay open until all have come, so each process has two of them.
    const sockets = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const socket = connectTls({ host: '127.0.0.1', port: service.tunnelPort, rejectUnauthorized: false });
        await once(socket, 'secureConnect');
        names.add(String(socket.getPeerCertificate().subject.CN));
        return socket;
      }),
    );
    for (const socket of sockets) socket.destroy();
    return names;
  };
  assert.deepEqual(await shown(), new Set(['first.example']));
  await use('second.example');
  service.process.signal('SIGHUP');
  await until(() => service.log.filter(({ msg }) => msg === 'reloaded').length === 3);
  assert.deepEqual(await shown(), new Set(['second.example']));
});

/** The program in a directory that all users may read: a clone may be in one that only its owner may enter. */
function readableProgram(t: TestContext): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-program-'));
  t.after(() => rmSync(directory, { recursive: true }));
  chmodSync(directory, 0o755);
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { readonly dev?: boolean }>;
  };
  const needed = Object.entries(packages).flatMap(([path, { dev }]) => (path === '' || dev === true ? [] : [path]));
  for (const path of ['package.json', 'dist/bundle', 'build/Release/etherws.node', ...needed]) {
    if (existsSync(path)) cpSync(path, join(directory, path), { recursive: true });
  }
  return [process.execPath, join(directory, 'dist/bundle/cli/etherws.js')];
}

test('workers run as the user of --user, with keys that only root may read', {
  skip: process.getuid?.() === 0 ? false : 'needs root, to become another user',
}, async (t) => {
  const directory = (await WorkerService.start(t, 1)).directory;
  chmodSync(directory, 0o755);
  const authority = await createAuthority(directory);
  const issued = await authority.issue('relay.example', ['127.0.0.1']);
  chmodSync(issued.key, 0o600);
  const files = ['--sslkey', issued.key, '--sslcert', issued.certificate];
  const service = await WorkerService.start(t, 2, [...files, '--user', 'nobody'], readableProgram(t));
  for (const pid of [service.process.pid ?? 0, ...service.workers.values()]) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
  }
  const pid = service.workers.get(2) ?? 0;
  process.kill(pid, 'SIGKILL');
  await until(() => service.workers.get(2) !== pid);
});

test('a number of workers that is none, and one port for tunnels and control, are refused', async (t) => {
  const first = await WorkerService.start(t, 'auto');
  const file = join(first.directory, 'etherws.yaml');
  for (const [text, message] of [
    ['workers: 0', /workers must be auto, or a whole number from 1 to 64, got "0"/],
    ['workers: 2\ntunnels: {host: 127.0.0.1, port: 7}\ncontrol: {host: 127.0.0.1, port: 7}', /share host and port/],
  ] as const) {
    writeFileSync(file, text);
    const { status, stderr } = await run([...ETHERWS, 'sw', '--foreground', '--config', file]);
    assert.notEqual(status, 0);
    assert.match(stderr, message);
  }
});
