import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Switch } from '../../src/networks/switch.ts';
import { TapPort } from '../../src/ports/device/tap-port.ts';
import { enterOwnNamespace } from '../support/own-namespace.ts';
import { Random } from '../support/random.ts';
import { once, PATIENCE_MS } from '../support/waits.ts';

/*
 * A TCP stream there and back between two hosts joined by our switch, whose two
 * TAP devices take super-frames or do not:
 *
 *   this host ─ left │ switch │ right ─ Linux bridge ─ veth ─ far host
 *
 * Whatever is segmented, completed or merged on the way, the kernels at both
 * ends verify, and the stream is the same.
 */
const skip = enterOwnNamespace('ip', 'nsenter');
/** A frame that never comes fails the test, and does not hold up all others. */
const TIMEOUT_MS = 60_000;

const STREAM_BYTES = 4 << 20;
const FULL_SEGMENT_BYTES = 1428;
/** Ethernet, IPv4, and TCP with timestamps. */
const HEADER_BYTES = 66;
const FAR_PORT = 5001;
const FAR_HOST = { ipv4: '192.0.2.2', ipv6: '2001:db8::2' };
const ECHO = `
  require('node:net').createServer((socket) => socket.pipe(socket)).listen(${FAR_PORT}, '::', () => console.log('ready'));
`;

const ip = (...args: readonly string[]): unknown => execFileSync('ip', args);

/** A process in a network namespace of its own that sends back what it is sent. */
async function farHost(): Promise<ChildProcess> {
  const command = ['--net', '--', process.execPath, '-e', ECHO];
  const child = spawn('unshare', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

async function joinHosts(t: TestContext, left: TapPort, right: TapPort): Promise<void> {
  const host = await farHost();
  const far = String(host.pid);
  ip('address', 'add', '192.0.2.1/24', 'dev', left.target);
  ip('address', 'add', '2001:db8::1/64', 'dev', left.target, 'nodad');
  ip('link', 'add', 'joint', 'type', 'bridge', 'mcast_snooping', '0');
  ip('link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'far', 'netns', far);
  t.after(async () => {
    // By hand, and before its namespace goes: the kernel would take its time.
    for (const device of ['cable', 'joint']) ip('link', 'delete', device);
    host.kill();
    await once(host, 'exit');
  });
  for (const device of ['cable', right.target]) ip('link', 'set', device, 'master', 'joint');
  for (const device of ['cable', 'joint']) ip('link', 'set', device, 'up');
  const inFar = (...args: readonly string[]) => execFileSync('nsenter', ['--target', far, '--net', 'ip', ...args]);
  inFar('address', 'add', '192.0.2.2/24', 'dev', 'far');
  inFar('address', 'add', '2001:db8::2/64', 'dev', 'far', 'nodad');
  inFar('link', 'set', 'far', 'up');
}

/** The devices come up in their own time; until then there is no route or no answer. */
async function connected(host: string): Promise<Socket> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const socket = connect({ host, port: FAR_PORT });
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (Date.now() > end) throw new Error(`no connection to ${host} within ${PATIENCE_MS} ms`, { cause: error });
      await delay(20);
    }
  }
}

/** Sends `bytes` and reads as many. @returns the hash of what came back */
async function echoed(host: string, bytes: Buffer): Promise<string> {
  const socket = await connected(host);
  socket.end(bytes);
  const hash = createHash('sha256');
  for await (const chunk of socket) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

for (const [left, right] of [
  [true, true],
  [true, false],
  [false, true],
  [false, false],
] as const) {
  const says = (offload: boolean) => (offload ? 'with' : 'without');
  test(`a stream between devices ${says(left)} and ${says(right)} offload arrives identical`, {
    skip,
    timeout: TIMEOUT_MS,
  }, async (t) => {
    const etherSwitch = new Switch();
    t.after(() => etherSwitch.close('shutdown'));
    const near = await TapPort.open('left', { offload: left });
    const number = etherSwitch.attach(near);
    const far = await TapPort.open('right', { offload: right });
    etherSwitch.attach(far);
    await joinHosts(t, near, far);

    const bytes = new Random(1).bytes(STREAM_BYTES);
    const sent = createHash('sha256').update(bytes).digest('hex');
    for (const host of Object.values(FAR_HOST)) assert.equal(await echoed(host, bytes), sent, host);

    // Headers tell how many frames there were: segments have one each, super-frames one for dozens.
    const headerBytes = (etherSwitch.ports.get(number)?.rx.octets ?? 0) - 2 * STREAM_BYTES;
    const ofSegments = (HEADER_BYTES * 2 * STREAM_BYTES) / FULL_SEGMENT_BYTES;
    if (left) assert.ok(headerBytes < ofSegments / 4, `${headerBytes} octets of headers: no super-frames`);
    else assert.ok(headerBytes > ofSegments / 2, `${headerBytes} octets of headers: there were super-frames`);
  });
}
