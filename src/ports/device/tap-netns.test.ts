import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { before, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { openDescriptors } from '../../../test/support/descriptors.ts';
import { prepareNamespace } from '../../../test/support/fast-lab.ts';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import { PortRecorder } from '../../../test/support/port-recorder.ts';
import { once } from '../../../test/support/waits.ts';
import { EtherwsError } from '../../errors.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { TapPort } from './tap-port.ts';

const skip = enterOwnNamespace('ip', 'nsenter');
const TIMEOUT_MS = 30_000;

before(() => {
  if (skip === false) prepareNamespace();
});

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}

async function until(isRight: () => boolean, what: () => string): Promise<void> {
  const end = Date.now() + TIMEOUT_MS;
  while (!isRight()) {
    assert.ok(Date.now() < end, what());
    await turn();
  }
}

/** Another network namespace, which ends with the process in it. */
class Netns {
  readonly #process: ChildProcess;
  readonly path: string;

  private constructor(process: ChildProcess) {
    this.#process = process;
    this.path = `/proc/${process.pid}/ns/net`;
  }

  static async create(t: TestContext): Promise<Netns> {
    const child = spawn('unshare', ['--net', 'sh', '-c', 'echo ready; read -r _'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    const netns = new Netns(child);
    t.after(() => netns.end());
    return netns;
  }

  get pid(): string {
    return String(this.#process.pid);
  }

  ip(...args: string[]): string {
    return execFileSync('nsenter', [`--net=${this.path}`, 'ip', ...args], { encoding: 'utf8' });
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
}

async function open(t: TestContext, name: string, options = {}): Promise<{ port: TapPort; events: PortRecorder }> {
  const port = await TapPort.open(name, options);
  t.after(() => port.close());
  const events = new PortRecorder();
  port.open(events);
  return { port, events };
}

function stateOf({ linkChanges }: PortRecorder): string {
  const last = linkChanges.at(-1);
  return last === undefined ? 'up' : `${last.state}${last.reason === undefined ? '' : ` (${last.reason})`}`;
}

/** Frames pass both ways: a ping from over there is an ARP request here, whose answer resolves there. */
async function carries(netns: Netns, port: TapPort, events: PortRecorder, device: string): Promise<void> {
  const answers: Buffer[] = [];
  events.onBatch = (batch) => {
    for (let index = 0; index < batch.count; index++) {
      const frame = batch.frame(index);
      if (frame.readUInt16BE(12) !== 0x0806 || frame.readUInt16BE(20) !== 1) continue;
      const answer = Buffer.from(frame);
      frame.copy(answer, 0, 6, 12);
      Buffer.from('020000000007', 'hex').copy(answer, 6);
      answer.writeUInt16BE(2, 20);
      Buffer.from('020000000007', 'hex').copy(answer, 22);
      frame.copy(answer, 28, 38, 42);
      frame.copy(answer, 32, 22, 32);
      answers.push(answer);
    }
  };
  netns.ip('neighbour', 'flush', 'dev', device);
  const asking = spawn('nsenter', [`--net=${netns.path}`, 'bash', '-c', 'echo > /dev/udp/192.0.2.7/9'], {
    stdio: 'ignore',
  });
  await once(asking, 'exit');
  await until(
    () => answers.length > 0,
    () => 'nothing was read from the device',
  );
  assert.equal(port.send(batchOf(answers[0] as Buffer), 0), undefined);
  port.flush(false);
  await until(
    () => netns.ip('neighbour', 'show', 'dev', device).includes('02:00:00:00:00:07'),
    () => netns.ip('neighbour', 'show', 'dev', device),
  );
}

test('a TAP device that moves into another network namespace goes on, and comes back', { skip }, async (t) => {
  const netns = await Netns.create(t);
  const before = openDescriptors();
  const { port, events } = await open(t, 'mover');
  for (let round = 0; round < 2; round++) {
    ip('link', 'set', 'mover', 'netns', netns.pid);
    await until(
      () => /^down \(mover is set down in network namespace net:\[\d+\]\)$/.test(stateOf(events)),
      () => stateOf(events),
    );
    assert.match(port.details.netns ?? '', /^net:\[\d+\]$/);
    netns.ip('link', 'set', 'mover', 'name', 'moved', 'mtu', '1400');
    netns.ip('address', 'add', '192.0.2.1/24', 'dev', 'moved');
    netns.ip('link', 'set', 'moved', 'up');
    await until(
      () => stateOf(events) === 'up' && port.maxFrameBytes === 1414,
      () => `${stateOf(events)}, ${port.maxFrameBytes}`,
    );
    assert.equal(port.target, 'moved');
    await carries(netns, port, events, 'moved');

    // Its settings are read and changed where it is.
    const { networkInterface } = port;
    const settings = networkInterface.read();
    assert.equal(settings.netns, port.details.netns);
    assert.equal(settings.mtu, 1400);
    assert.deepEqual(
      settings.addresses.filter(({ address }) => !address.startsWith('fe80:')),
      [{ address: '192.0.2.1', prefixLength: 24 }],
    );
    networkInterface.configure({ address: '192.0.2.9', netmask: '255.255.255.128', mtu: 1450 });
    assert.match(netns.ip('address', 'show', 'dev', 'moved'), /mtu 1450[\s\S]*inet 192\.0\.2\.9\/25/);
    assert.doesNotMatch(ip('address', 'show'), /192\.0\.2\.9/);

    netns.ip('link', 'set', 'moved', 'down');
    netns.ip('link', 'set', 'moved', 'name', 'mover', 'mtu', '1500', 'netns', String(process.pid));
    await until(
      () => port.details.netns === undefined && stateOf(events) === 'down (mover is set down)',
      () => stateOf(events),
    );
    ip('link', 'set', 'mover', 'up');
    await until(
      () => stateOf(events) === 'up',
      () => stateOf(events),
    );
  }
  ip('link', 'delete', 'mover');
  await until(
    () => stateOf(events) === 'down (waiting for mover)',
    () => stateOf(events),
  );
  await port.close();
  assert.deepEqual(openDescriptors(), before);
});

test('a TAP device is put into a network namespace at once, with its MAC address', { skip }, async (t) => {
  const netns = await Netns.create(t);
  const { port, events } = await open(t, 'inside', { netns: netns.path, mac: '02:00:00:00:00:42' });
  assert.equal(stateOf(events), 'up');
  assert.match(port.details.netns ?? '', /^net:\[\d+\]$/);
  assert.match(netns.ip('link', 'show', 'inside'), /UP[\s\S]*qlen 10000[\s\S]*02:00:00:00:00:42/);
  assert.doesNotMatch(ip('link', 'show'), /inside/);
  port.networkInterface.configure({ address: '192.0.2.1', netmask: '255.255.255.0' });
  await carries(netns, port, events, 'inside');

  const refused = (code: string, message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof EtherwsError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
  await assert.rejects(
    TapPort.open('inside', { netns: netns.path }),
    refused('DEVICE_BUSY', /"inside" in network namespace/),
  );
  await assert.rejects(TapPort.open('lost', { netns: 'no-such-netns' }), refused('NETNS_NOT_FOUND', /"no-such-netns"/));
  await assert.rejects(
    TapPort.open('lost', { netns: '/dev/null' }),
    refused('NETNS_NOT_FOUND', /"\/dev\/null" is not a network namespace/),
  );
  assert.doesNotMatch(ip('link', 'show'), /inside|lost/);
  await port.close();
  assert.doesNotMatch(netns.ip('link', 'show'), /inside/);
});

test('a TAP device that goes with its network namespace leaves its port down', { skip }, async (t) => {
  const netns = await Netns.create(t);
  const { events } = await open(t, 'orphan', { netns: netns.path });
  await netns.end();
  await until(
    () => stateOf(events) === 'down (waiting for orphan)',
    () => stateOf(events),
  );
});
