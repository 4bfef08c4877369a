import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { once, until } from '../../test/support/waits.ts';
import type { AnswerLimits } from './answer-deadline.ts';
import { HttpListener } from './http-listener.ts';

const MIB = 1024 * 1024;

/** A listener whose only page has 4 MiB, after `makingMs`. */
class LargePage {
  readonly listener: HttpListener;
  /** the answers that were begun and are not closed */
  readonly open = new Set<ServerResponse>();
  begun = 0;

  private constructor(answers: AnswerLimits, makingMs: number) {
    this.listener = new HttpListener({ host: '127.0.0.1', listenPort: 0, answers });
    this.listener.route('/', {
      handleRequest: (_request: IncomingMessage, response: ServerResponse) => {
        this.begun++;
        this.open.add(response);
        response.once('close', () => this.open.delete(response));
        setTimeout(() => response.end(Buffer.alloc(4 * MIB)), makingMs);
      },
    });
  }

  static async listen(t: TestContext, answers: AnswerLimits, makingMs = 0): Promise<LargePage> {
    const page = new LargePage(answers, makingMs);
    await page.listener.listen();
    t.after(() => page.listener.close());
    return page;
  }

  /** Asks for the page, and reads nothing. */
  async ask(t: TestContext): Promise<Socket> {
    const socket = connect(this.listener.address.port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: switch\r\n\r\n');
    return socket;
  }
}

test('a hundred callers that never read their answers are cut, and nothing of the answers is left', async (t) => {
  const page = await LargePage.listen(t, { stalledMs: 300 });
  for (let count = 0; count < 100; count++) await page.ask(t);
  await until(() => page.begun === 100);
  await until(() => page.open.size === 0 && page.listener.pending === 0);
});

test('of pipelined requests only the one whose answer has its turn is watched, and none when the caller has gone', async (t) => {
  const intervals = new Set<unknown>();
  const [begin, end] = [setInterval, clearInterval];
  t.mock.method(globalThis, 'setInterval', (...args: Parameters<typeof setInterval>) => {
    const timer = begin(...args);
    if (args[1] === 77_777) intervals.add(timer);
    return timer;
  });
  t.mock.method(globalThis, 'clearInterval', (timer: NodeJS.Timeout) => {
    intervals.delete(timer);
    end(timer);
  });
  const page = await LargePage.listen(t, { slowMs: 77_777 });
  const socket = await page.ask(t);
  socket.write('GET / HTTP/1.1\r\nHost: switch\r\n\r\n'.repeat(200));
  await until(() => page.begun > 1);
  assert.equal(intervals.size, 1);
  socket.destroy();
  await until(() => intervals.size === 0);
});

test('an answer that takes long to make is not cut, nor is its reader', async (t) => {
  const page = await LargePage.listen(t, { stalledMs: 100, slowMs: 10_000 }, 500);
  const socket = await page.ask(t);
  socket.resume();
  let got = 0;
  socket.on('data', ({ length }: Buffer) => {
    got += length;
  });
  await until(() => got > 4 * MIB);
});

test('a caller that reads a little now and then is cut, too', async (t) => {
  const page = await LargePage.listen(t, { stalledMs: 60_000, slowMs: 50 });
  const socket = await page.ask(t);
  const reading = setInterval(() => socket.read(1000), 20);
  t.after(() => clearInterval(reading));
  await until(() => page.begun === 1);
  await until(() => page.open.size === 0);
});
