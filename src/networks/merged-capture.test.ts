import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PcapngReader } from '../capture/pcapng-reader.ts';
import { enhancedPacket, interfaceDescription, interfaceStatistics, sectionHeader } from '../capture/pcapng-writer.ts';
import type { CaptureNotice, CaptureReader, ClusterCaptureEntry } from '../control/capture-entries.ts';
import type { StreamListener } from '../control/control-stream.ts';
import { EtherwsError } from '../errors.ts';
import { type CapturePartPlan, MergedCapture } from './merged-capture.ts';

/** A switch that captures, driven by the test. */
class FakePart implements CapturePartPlan {
  readonly name: string;
  readonly prefix: string;
  readonly calls: string[] = [];
  isPaused = false;
  failure: EtherwsError | undefined;
  listener: StreamListener | undefined;
  #time = 1000;

  constructor(name: string) {
    this.name = name;
    this.prefix = `${name}/`;
  }

  async open(listener: StreamListener) {
    if (this.failure !== undefined) throw this.failure;
    this.listener = listener;
    const { calls } = this;
    listener.octets?.(
      Buffer.concat([sectionHeader('etherws'), ...[1, 2].map((number) => interfaceOf(`port-${number}`))]),
    );
    return {
      result: { entries: this.#entries(0) },
      call: (method: string) => void calls.push(method),
      pause: () => {
        this.isPaused = true;
      },
      resume: () => {
        this.isPaused = false;
      },
      end: () => void calls.push('end'),
    };
  }

  /** A frame at its second port. @param cut where the octets are cut into two pieces */
  send(bytes = 60, cut = 10): void {
    const common = { direction: 'rx' as const, comments: [], lost: 0 };
    const octets = enhancedPacket({
      ...common,
      interfaceId: 1,
      timeUs: this.#time++,
      bytes: Buffer.alloc(bytes),
      length: bytes,
    });
    this.listener?.octets?.(octets.subarray(0, cut));
    this.listener?.octets?.(octets.subarray(cut));
  }

  conclude(matched: number, reason = 'call'): void {
    const times = { startUs: 0, endUs: 1 };
    for (const interfaceId of [0, 1]) {
      const counts = { received: matched, accepted: matched, delivered: matched, dropped: 0 };
      this.listener?.octets?.(interfaceStatistics({ interfaceId, ...times, ...counts }));
    }
    this.listener?.notified('captured', { event: 'ended', reason, entries: this.#entries(matched) });
  }

  #entries(matched: number) {
    return [1, 2].map((port) => ({ port, portName: null, seen: matched, matched, lost: 0 }));
  }
}

function interfaceOf(name: string): Buffer {
  return interfaceDescription({ name, description: 'a port', snapLength: 0, filter: 'arp' });
}

class Reader implements CaptureReader {
  readonly user = 'ann';
  readonly notices: CaptureNotice[] = [];
  readonly unsent: (() => void)[] = [];
  held = 0;
  isSlow = false;
  octets = Buffer.alloc(0);
  readonly budget = {
    isFull: false,
    hold: (bytes: number) => {
      this.held += bytes;
    },
    release: (bytes: number) => {
      this.held -= bytes;
    },
  };

  send(octets: Uint8Array, sent: () => void): void {
    this.octets = Buffer.concat([this.octets, octets]);
    if (this.isSlow) this.unsent.push(sent);
    else setImmediate(sent);
  }

  notify(notice: CaptureNotice): void {
    this.notices.push(notice);
  }

  get packets() {
    return new PcapngReader().read(Buffer.from(this.octets));
  }
}

async function begin(parts: FakePart[], reader: Reader, options: { count?: number; isPartial?: boolean } = {}) {
  const capture = await MergedCapture.start<ClusterCaptureEntry>({
    ...{ parts, reader, count: options.count, isPartial: options.isPartial ?? false, allowed: undefined },
    entryOf: (node, entry) => ({ node, ...entry }),
  });
  assert.deepEqual([reader.octets.length, reader.notices], [0, []], 'nothing comes before the response');
  await turn();
  return capture;
}

test('frames of all parts come with their own interfaces, and a count holds for all together', async () => {
  const [one, two] = [new FakePart('r1'), new FakePart('r2')];
  const reader = new Reader();
  await begin([one, two], reader, { count: 5 });
  for (let n = 0; n < 4; n++) {
    one.send();
    two.send(60, 40);
  }
  assert.deepEqual([one.calls, two.calls], [['endCapture'], ['endCapture']]);
  one.conclude(4);
  two.conclude(4);
  assert.deepEqual(
    reader.packets.map(({ interfaceName }) => interfaceName),
    ['r1/port-2', 'r2/port-2', 'r1/port-2', 'r2/port-2', 'r1/port-2'],
  );
  const [ended] = reader.notices;
  assert.equal(ended?.event === 'ended' && ended.reason, 'count');
  const entries = ended?.event === 'ended' ? ended.entries : [];
  assert.deepEqual(
    entries.map((entry) => [
      'node' in entry && entry.node,
      entry.port,
      entry.matched,
      'captured' in entry && entry.captured,
    ]),
    [
      ['r1', 1, 4, 0],
      ['r1', 2, 4, 3],
      ['r2', 1, 4, 0],
      ['r2', 2, 4, 2],
    ],
  );
});

test('a reader that is too slow stops the reading of all parts; nothing is kept without bounds', async () => {
  const [one, two] = [new FakePart('r1'), new FakePart('r2')];
  const reader = new Reader();
  const capture = await begin([one, two], reader);
  await turn();
  reader.isSlow = true;
  for (let frames = 0; frames < 1000 && !one.isPaused; frames++) one.send(1500);
  assert.ok(two.isPaused && capture.isReaderSlow);
  assert.ok(reader.held < 300 * 1024, `${reader.held} octets are held`);
  for (const sent of reader.unsent.splice(0)) sent();
  assert.deepEqual([one.isPaused, two.isPaused, capture.isReaderSlow, reader.held], [false, false, false, 0]);
  capture.abandon();
  assert.deepEqual([one.calls, two.calls], [['end'], ['end']]);
});

test('a part that is lost ends with a notice, and the last one ends the capture', async () => {
  const [one, two] = [new FakePart('r1'), new FakePart('r2')];
  const reader = new Reader();
  await begin([one, two], reader);
  one.send();
  one.listener?.ended(new EtherwsError('CONTROL_FAILED', 'the node is gone'));
  two.send();
  assert.deepEqual(reader.notices, [{ event: 'node-ended', node: 'r1', reason: 'the node is gone' }]);
  two.conclude(1, 'stopped');
  const [, stopped, ended] = reader.notices;
  assert.deepEqual(stopped, { event: 'node-ended', node: 'r2', reason: 'it is stopping' });
  assert.equal(ended?.event === 'ended' && ended.reason, 'nodes');
  const entries = ended?.event === 'ended' ? ended.entries : [];
  assert.deepEqual(
    entries.map(({ seen }) => seen),
    [null, null, 1, 1],
  );
  assert.equal(reader.packets.length, 2);
});

test('octets that are no pcapng end the part that has sent them, and no other', async () => {
  const [one, two] = [new FakePart('r1'), new FakePart('r2')];
  const reader = new Reader();
  await begin([one, two], reader);
  one.listener?.octets?.(Buffer.alloc(64, 0xff));
  two.send();
  assert.equal(reader.notices.length, 1);
  assert.equal(reader.packets.length, 1);
});

test('a named part that cannot begin fails the capture; of a network it is a notice', async () => {
  const [one, two, three] = [new FakePart('r1'), new FakePart('r2'), new FakePart('r3')];
  two.failure = new EtherwsError('HOST_UNREACHABLE', 'no way');
  three.failure = new EtherwsError('PORT_NOT_FOUND', 'The network has no ports here');
  await assert.rejects(begin([one, two], new Reader()), { code: 'HOST_UNREACHABLE' });
  assert.deepEqual(one.calls, ['end']);
  const reader = new Reader();
  await begin([one, two, three], reader, { isPartial: true });
  assert.deepEqual(reader.notices, [{ event: 'node-ended', node: 'r2', reason: 'HOST_UNREACHABLE: no way' }]);
  await assert.rejects(begin([three, two], new Reader(), { isPartial: true }), { code: 'HOST_UNREACHABLE' });
});
