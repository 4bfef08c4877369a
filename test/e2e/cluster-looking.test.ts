import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PcapngReader, type ReadPacket } from '../../src/capture/pcapng-reader.ts';
import type { StatusEntry } from '../../src/control/schema.ts';
import { openStation } from '../support/arp-station.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { FrameSource } from '../support/frame-source.ts';
import { NatsServer } from '../support/nats-server.ts';
import { numberOf, testFrame } from '../support/port-recorder.ts';
import { Process, run } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';
import { until } from '../support/waits.ts';

/** What all nodes of a cluster see, from one of them: captures, events, pings and traces, with real nodes and a real NATS server. */

const skip = missingTools('nats-server', 'tshark', 'capinfos');
const BROADCAST = Buffer.alloc(6, 0xff);

interface World {
  readonly nodes: readonly [SwitchProcess, SwitchProcess, SwitchProcess];
  /** a tunnel at each node */
  readonly sources: readonly FrameSource[];
  /** `etherws ctl WORDS` at the first node */
  ctl(...words: readonly string[]): Process;
  path(name: string): string;
}

async function open(t: TestContext): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-looking-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const nats = await NatsServer.start();
  t.after(() => nats.end());
  const start = (node: string): Promise<SwitchProcess> =>
    SwitchProcess.start(t, ['--cluster', nats.url, '--cluster-name', 'lab', '--node', node]);
  const nodes = [await start('r1'), await start('r2'), await start('r3')] as const;
  const sources: FrameSource[] = [];
  for (const node of nodes) sources.push(await FrameSource.open(t, node.tunnelPort));
  for (const node of nodes) {
    await eventually(
      async () => (await node.call<{ entries: StatusEntry[] }>('getStatus')).entries[0]?.cluster?.members ?? [],
      (members) => members.filter(({ mesh }) => mesh.some(({ isUp }) => isUp)).length === 2,
    );
  }
  const url = `http://127.0.0.1:${nodes[0].controlPort}/ctl`;
  const ctl = (...words: readonly string[]): Process => {
    const process = new Process([...ETHERWS, 'ctl', '--ctlurl', url, ...words], { timeoutMs: 120_000 });
    t.after(() => process.end());
    return process;
  };
  return { nodes, sources, ctl, path: (name) => join(directory, name) };
}

/** A frame of station `source` to all. */
function frameOf(source: number, number: number, length = 100): Buffer {
  const frame = testFrame(number, length);
  BROADCAST.copy(frame, 0);
  Buffer.from([2, 0, 0, 0, 0, source]).copy(frame, 6);
  return frame;
}

/** Sends frames at all nodes, again and again, until the program has ended. */
async function whileSending(sources: readonly FrameSource[], program: Process): ReturnType<() => Process['exited']> {
  let number = 0;
  const timer = setInterval(() => {
    number++;
    for (const [at, source] of sources.entries()) source.send(frameOf(at + 1, number));
  }, 20);
  try {
    return await program.exited;
  } finally {
    clearInterval(timer);
  }
}

function packetsIn(file: string): ReadPacket[] {
  return new PcapngReader().read(readFileSync(file));
}

async function portOf(at: SwitchProcess): Promise<number> {
  return (await at.ports()).find(({ type }) => type === 'server')?.port ?? 0;
}

test('ctl --cluster capture takes frames of ports of several nodes into one file', { skip }, async (t) => {
  const { nodes, sources, ctl, path } = await open(t);
  const [, two, three] = nodes;
  await two.call('setPort', { port: await portOf(two), name: 'office' });

  await t.test('named ports: one interface each, and a count over all', async () => {
    const file = path('named.pcapng');
    const ports = [`r1/${await portOf(nodes[0])}`, 'r2/office'];
    const program = ctl(
      '--cluster',
      'capture',
      ...ports,
      '-w',
      file,
      '--count',
      '30',
      '--filter',
      'ether src 2:0:0:0:0:3',
    );
    const { status, stdout, stderr } = await whileSending(sources, program);
    assert.deepEqual([status, stdout], [0, ''], stderr);
    assert.match(
      stderr,
      /^30 frames captured: --count is reached\n {2}port r1\/\d+: \d+ seen, \d+ matched, 0 lost\n {2}port r2\/\d+ \(office\): /,
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const packets = packetsIn(file);
    assert.equal(packets.length, 30);
    for (const name of [`r1/port-${await portOf(nodes[0])}`, 'r2/office']) {
      const own = packets.filter(({ interfaceName }) => interfaceName === name);
      assert.ok(own.length > 5, `${own.length} of ${name}`);
      const numbers = own.map(({ bytes }) => numberOf(Buffer.from(bytes)));
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].sort((one, other) => one - other),
        'each once, in order',
      );
      assert.ok(
        own.every(({ direction }) => direction === 'tx'),
        'the station is at the third node',
      );
    }
    const fields = ['-T', 'fields', '-e', 'frame.interface_name', '-e', 'eth.src'];
    const read = await run(['tshark', '-r', file, ...fields]);
    assert.equal(read.status, 0, read.stderr);
    assert.equal(
      read.stdout
        .trim()
        .split('\n')
        .filter((line) => line === 'r2/office\t02:00:00:00:00:03').length > 5,
      true,
    );
    const facts = (await run(['capinfos', '-M', file])).stdout;
    assert.match(facts, /Number of packets: +30$/m);
    assert.match(facts, /Name = r2\/office\n +Description = port \d+ in network default, server /);
    assert.equal(facts.match(/Number of stat entries = 1/g)?.length, 2, 'statistics of each interface');
  });

  await t.test('a network at all nodes, as lines, until Ctrl-C', async () => {
    const program = ctl('--cluster', 'capture', '--net', 'default', '--json');
    const sending = whileSending(sources, program);
    const ports = (): Set<string> =>
      new Set(
        program.stdout
          .split('\n')
          .flatMap((line) =>
            line.endsWith('}') ? [(JSON.parse(line) as { port: string }).port.split('/')[0] ?? ''] : [],
          ),
      );
    await until(() => ports().size === 3);
    program.signal('SIGINT');
    const { status, stderr } = await sending;
    assert.equal(status, 0, stderr);
    assert.match(
      stderr,
      /frames captured: ended\n {2}port r1\/\d+: .*\n {2}port r2\/\d+ \(office\): .*\n {2}port r3\/\d+: .*\n$/,
      'without mesh ports',
    );
  });

  await t.test('what is not there is said, and nothing is captured', async () => {
    const unknown = await ctl('--cluster', 'capture', 'r1/1', 'r2/nothing', '-w', path('none')).exited;
    assert.equal(unknown.status, 1);
    assert.match(unknown.stderr, /PORT_NOT_FOUND|There is no port nothing/);
    const nowhere = await ctl('--cluster', 'capture', 'r9/1').exited;
    assert.equal(nowhere.status, 1);
    assert.match(nowhere.stderr, /r9 is no member of the cluster/);
    const neither = await ctl('--cluster', 'capture').exited;
    assert.equal(neither.status, 2);
    const noNode = await ctl('--cluster', 'capture', 'office').exited;
    assert.equal(noNode.status, 2);
    assert.match(noNode.stderr, /is no NODE\/PORT/);
  });

  await t.test('a node that dies ends its part with a note, and the capture goes on', async () => {
    const file = path('death.pcapng');
    const program = ctl('--cluster', 'capture', '--net', 'default', '-w', file);
    const sending = whileSending(sources, program);
    await until(() => {
      try {
        return packetsIn(file).some(({ interfaceName }) => interfaceName.startsWith('r3/'));
      } catch {
        return false;
      }
    });
    three.process.signal('SIGKILL');
    await program.output(/node r3 takes no part any more: /);
    const before = packetsIn(file).length;
    await until(() => packetsIn(file).length > before + 20);
    program.signal('SIGINT');
    const { status, stderr } = await sending;
    assert.equal(status, 0, stderr);
    assert.match(stderr, /frames captured: ended\n(?:.*\n)* {2}port r3\/\d+: \d+ captured, until the node was lost\n/);
    assert.equal((await run(['capinfos', file])).status, 0);
  });
});

test('ctl --cluster watch has the events of all nodes, also of one that comes back', { skip }, async (t) => {
  const { nodes, ctl } = await open(t);
  const watching = ctl('--cluster', 'watch', '--events', 'port-down,port-up,node-down');
  await eventually(
    async () => {
      for (const node of nodes) {
        const port = await portOf(node);
        await node.call('setPort', { port, shut: true });
        await node.call('setPort', { port, shut: false });
      }
      return ['r1', 'r2', 'r3'].every((name) => new RegExp(`Z ${name} \\d+ port-up port=`).test(watching.stdout));
    },
    (isThere) => isThere,
  );
  nodes[2].process.signal('SIGKILL');
  await watching.output(/Z r3 unwatched reason=/);
  await watching.output(/Z r1 \d+ node-down node=r3 /);
  await watching.output(/Z r2 \d+ node-down node=r3 /);
});

test('ctl --cluster ping and trace say the node of a station, its port, and the mesh tunnels to it', {
  skip,
}, async (t) => {
  const { nodes, ctl } = await open(t);
  await openStation(t, nodes[2].tunnelPort);
  const { status, stdout, stderr } = await ctl('--cluster', 'ping', '192.0.2.7', '--count', '2', '--interval', '0.1')
    .exited;
  assert.equal(status, 0, stderr + stdout);
  for (const node of ['r1', 'r2']) {
    const line = `^${node}: answer from 02:00:00:00:00:77 \\(192\\.0\\.2\\.7\\) at port \\d+, mesh tunnel to node r3: arp seq=2 time=`;
    assert.match(stdout, new RegExp(line, 'm'));
  }
  assert.match(stdout, /^r3: answer from 02:00:00:00:00:77 \(192\.0\.2\.7\) at port \d+: arp seq=1 time=/m);
  assert.match(stdout, /^--- r1: 192\.0\.2\.7 ping statistics ---\n2 requests, 2 answers, 0% lost/m);
  const silent = await ctl('--cluster', 'ping', '192.0.2.200', '--count', '1', '--wait', '0.2').exited;
  assert.equal(silent.status, 1);
  assert.match(silent.stderr, /192\.0\.2\.200 has not answered any node/);
  const peer = await ctl('ping', `r3/${await portOf(nodes[2])}`, '--count', '1').exited;
  assert.match(peer.stdout, /^r3: answer from the peer at port \d+: tunnel seq=1/m);

  for (const target of ['02:00:00:00:00:77', '192.0.2.7']) {
    const traced = await ctl('--cluster', 'trace', target).exited;
    assert.equal(traced.status, 0, traced.stderr);
    for (const node of ['r1', 'r2']) {
      const page = `^Node ${node}\\n02:00:00:00:00:77, no VLAN tag, network default\\n.*sent by one port\\n {2}port \\d+, mesh tunnel to node r3, up`;
      assert.match(traced.stdout, new RegExp(page, 'm'), target);
    }
    assert.match(traced.stdout, /^Node r3\n.*\n.*sent by one port\n {2}port \d+, server 127\.0\.0\.1:\d+, up/m);
  }
});

test('a reader of all nodes that stops reading loses frames, which are counted; no frame waits for it, and no node fills', {
  skip,
}, async (t) => {
  const { nodes, sources, ctl, path } = await open(t);
  const [one, , three] = sources as [FrameSource, FrameSource, FrameSource];
  const ports = [`r1/${await portOf(nodes[0])}`, `r3/${await portOf(nodes[2])}`];
  const program = ctl('--cluster', 'capture', ...ports, '-w', path('slow.pcapng'));
  // Its first octets are written when the capture has begun, and signals are heard.
  await until(() => existsSync(path('slow.pcapng')) && statSync(path('slow.pcapng')).size > 0);
  program.signal('SIGSTOP');
  const before = nodes.map(({ process }) => memoryOf(process));
  const received = one.received;
  let missing = 0;
  for (let sent = 0; sent < FLOOD; ) {
    for (let n = 0; n < BURST; n++) three.send(frameOf(3, ++sent, 1400));
    // Frames that a queue drops on a busy machine are waited for once.
    const due = sent - BURST - missing;
    await until(() => one.received - received >= due, 500).catch(() => {
      missing += due - (one.received - received);
    });
  }
  await until(() => one.received - received >= FLOOD / 2);
  for (const [at, node] of nodes.entries()) {
    const grown = memoryOf(node.process) - (before[at] ?? 0);
    assert.ok(
      grown < 60 * MIB,
      `node ${at + 1} has grown by ${Math.round(grown / MIB)} MiB of ${(FLOOD * 1400) / MIB} MiB sent`,
    );
  }
  program.signal('SIGCONT');
  program.signal('SIGINT');
  const { status, stderr } = await program.exited;
  assert.equal(status, 0, stderr);
  const counts = [
    ...stderr.matchAll(/port r\d\/\d+: (\d+) seen, (\d+) matched, (\d+) lost, since this reader was too slow/g),
  ];
  assert.equal(counts.length, 2, stderr);
  const captured = packetsIn(path('slow.pcapng'));
  const named = counts.reduce((sum, [, , matched, lost]) => sum + Number(matched) - Number(lost), 0);
  assert.equal(captured.length, named, 'what is not in the file is counted as lost');
});

/** Frames of 1400 octets: far more than what may wait on the way. */
const FLOOD = 50_000;
const BURST = 250;
const MIB = 1024 * 1024;

/** The resident memory of a process, in octets. */
function memoryOf({ pid }: Process): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}
