import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { FakeSwitch, startFakeControl } from '../../test/support/fake-switch.ts';
import { once, until } from '../../test/support/waits.ts';
import type { WebSocket as ServerSocket } from '../net/web-socket-library.ts';
import { SILENT } from '../observability/logger.ts';
import { CaptureStream } from './capture-stream.ts';
import { type LimitedSocket, WaitingLimit } from './waiting-limit.ts';

const MIB = 1024 * 1024;
/** More than the sockets of both ends hold. */
const ANSWER_BYTES = 32 * MIB;

interface Reader {
  readonly webSocket: WebSocket;
  /** the octets of each message */
  readonly received: number[];
  ask(): void;
}

/** A control API with a long answer to `listMdb`. */
async function start(t: TestContext, mostBytes: number) {
  const fake = new FakeSwitch();
  const answer = [{ text: 'x'.repeat(ANSWER_BYTES) }];
  const asked = { count: 0 };
  Object.assign(fake, {
    listMdb: () => {
      asked.count++;
      return answer;
    },
  });
  const warnings: object[] = [];
  const logger = { ...SILENT, warn: (facts: object) => void warnings.push(facts) };
  const control = await startFakeControl({ fake, logger, waiting: new WaitingLimit(mostBytes) });
  t.after(() => control.close());
  async function dial(): Promise<Reader> {
    const webSocket = new WebSocket(control.url.replace('http', 'ws'));
    t.after(() => webSocket.terminate());
    const received: number[] = [];
    webSocket.on('message', (text: Buffer) => received.push(text.length));
    await once(webSocket, 'open');
    const call = { jsonrpc: '2.0', id: 1, method: 'etherws.control.listMdb', params: {} };
    return { webSocket, received, ask: () => webSocket.send(JSON.stringify(call)) };
  }
  return { asked, warnings, dial };
}

test('of all that wait for readers together, those of the slowest reader go', async (t) => {
  const { asked, warnings, dial } = await start(t, 40 * MIB);
  const slow = await dial();
  slow.webSocket.pause();
  slow.ask();
  await until(() => asked.count === 1);
  const quick = await dial();
  quick.ask();
  await until(() => quick.received.length === 1);
  quick.ask();
  await until(() => quick.received.length === 2);
  assert.ok(quick.received.every((octets) => octets > ANSWER_BYTES));
  assert.equal(warnings.length, 1);
  assert.equal((warnings[0] as { limitBytes: number }).limitBytes, 40 * MIB);
  slow.webSocket.resume();
  await until(() => slow.webSocket.readyState === WebSocket.CLOSED);
  assert.deepEqual(slow.received, []);
});

test('an answer that is longer than the limit is sent where it waits alone', async (t) => {
  const { warnings, dial } = await start(t, MIB);
  await dial();
  const reader = await dial();
  reader.ask();
  await until(() => reader.received.length === 1);
  assert.deepEqual(warnings, []);
});

/** A WebSocket to a reader that reads as the test says. */
class SlowSocket extends EventEmitter {
  readonly #waiting: { readonly octets: number; readonly done: () => void }[] = [];
  isCut = false;

  get bufferedAmount(): number {
    return this.#waiting.reduce((sum, { octets }) => sum + octets, 0);
  }

  send({ length }: string | Uint8Array, _options: object, done: () => void): void {
    this.#waiting.push({ octets: length, done });
  }

  /** The oldest message is read. */
  read(): void {
    this.#waiting.shift()?.done();
  }

  terminate(): void {
    this.isCut = true;
    while (this.#waiting.length > 0) this.read();
    this.emit('close');
  }
}

/** Readers of a switch with a limit of 4 MiB. */
function watched() {
  const limit = new WaitingLimit(4 * MIB);
  return (user: string): { socket: SlowSocket; reader: LimitedSocket } => {
    const socket = new SlowSocket();
    return { socket, reader: limit.watch(socket as unknown as ServerSocket, user, SILENT) };
  };
}

const ONE_MIB = Buffer.alloc(MIB);
/** Later than before by the clock. */
const later = async (): Promise<void> => {
  const beforeMs = performance.now();
  await until(() => performance.now() > beforeMs + 2);
};

test('the user for whom most waits loses readers, and no other user that has waited longer', async () => {
  const open = watched();
  const ann = open('ann');
  ann.reader.send(ONE_MIB);
  const bobs = [open('bob'), open('bob'), open('bob'), open('bob')];
  for (const { reader } of bobs) {
    await later();
    reader.send(ONE_MIB);
  }
  assert.deepEqual(
    [ann, ...bobs].map(({ socket }) => socket.isCut),
    [false, true, false, false, false],
  );
});

test('a capture is judged by its oldest octets that wait, not by its first message', async () => {
  const open = watched();
  const capturing = open('ann');
  const caller = { user: 'ann' };
  const capture = new CaptureStream({ sink: capturing.reader, logger: SILENT, caller });
  capturing.reader.send('an answer');
  capture.send(ONE_MIB, () => undefined);
  await later();
  const slow = open('ann');
  slow.reader.send(ONE_MIB);
  await later();
  // Something waits for the capture all the time, but not for long.
  capture.send(ONE_MIB, () => undefined);
  capturing.socket.read();
  capturing.socket.read();
  for (const isCut of [false, false, true]) {
    capture.send(ONE_MIB, () => undefined);
    assert.deepEqual([slow.socket.isCut, capturing.socket.isCut], [isCut, false]);
  }
});
