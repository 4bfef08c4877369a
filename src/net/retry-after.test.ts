import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { startHttpProxy } from '../../test/support/proxies.ts';
import { listen, stop, TestTunnelServer, webServer } from '../../test/support/web-socket-peer.ts';
import type { EtherwsError } from '../errors.ts';
import { SILENT } from '../observability/logger.ts';
import { openClient } from '../ports/tunnel/dial/open-client.ts';
import { retryAfterMs } from './retry-after.ts';

const NOW = Date.parse('2030-01-01T00:00:00Z');

function asked(statusCode: number, field?: string, date?: string): number | undefined {
  const headers = { 'retry-after': field, date };
  return retryAfterMs({ statusCode, headers } as unknown as IncomingMessage, NOW);
}

describe('Retry-After', () => {
  for (const [field, expected] of [
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7000],
    ['Tue, 01 Jan 2030 00:00:30 GMT', 30_000],
    ['Tuesday, 01-Jan-30 00:00:30 GMT', 30_000],
    ['Tue Jan  1 00:00:30 2030', 30_000],
    ['Mon, 31 Dec 2029 23:00:00 GMT', 0],
    [undefined, undefined],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['2030', 2_030_000],
    ['Tue, 99 Jan 2030 00:00:30 GMT', undefined],
  ] as const) {
    test(`${field}`, () => {
      assert.equal(asked(503, field), expected);
      assert.equal(asked(429, field), expected);
      assert.equal(asked(500, field), undefined, 'only of those that are busy');
    });
  }

  test('as a date is measured by that of the answer', () => {
    assert.equal(asked(503, 'Tue, 01 Jan 2030 08:00:30 GMT', 'Tue, 01 Jan 2030 08:00:00 GMT'), 30_000);
  });
});

/** A server that refuses so for a while, and the times of all requests. */
async function refusing(answer: (response: ServerResponse, count: number) => void): Promise<{
  url: string;
  timesMs: number[];
  close: () => Promise<void>;
}> {
  const timesMs: number[] = [];
  const server = webServer().on('request', (_request, response) => {
    timesMs.push(performance.now());
    answer(response, timesMs.length);
  });
  const listenPort = await listen(server);
  return { url: `ws://127.0.0.1:${listenPort}/`, timesMs, close: () => stop(server) };
}

async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!isSo()) {
    assert.ok(performance.now() < end, 'in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('a client port', () => {
  const impatient = { wait: false, reconnectMin: 0.01, reconnectMax: 60 };
  const events = { receive: () => undefined, discarded: () => undefined, linkChanged: () => undefined };

  for (const status of [503, 429]) {
    test(`waits for as long as a ${status} says, and says so`, async () => {
      const server = await refusing((response) => response.writeHead(status, { 'Retry-After': '1' }).end());
      const port = await openClient(server.url, impatient, { logger: SILENT });
      port.open(events);
      await until(() => server.timesMs.length >= 2);
      const [first = 0, second = 0] = server.timesMs;
      assert.ok(second - first >= 990, `${second - first} ms`);
      await port.close();
      await assert.rejects(openClient(server.url, {}, { logger: SILENT }), (error: EtherwsError) => {
        assert.match(error.hint ?? '', /try again in 1 s/);
        return true;
      });
      await server.close();
    });
  }

  test('waits no longer than its longest wait', async () => {
    const server = await refusing((response) => response.writeHead(503, { 'Retry-After': '86400' }).end());
    const port = await openClient(server.url, { ...impatient, reconnectMax: 0.05 }, { logger: SILENT });
    port.open(events);
    await until(() => server.timesMs.length >= 3);
    await port.close();
    await server.close();
  });

  test('asks another server meanwhile, and only that one', async () => {
    const busy = await refusing((response) => response.writeHead(503, { 'Retry-After': '3600' }).end());
    const broken = await refusing((response) => response.writeHead(500).end());
    const options = { ...impatient, alternatives: [broken.url], reconnectMax: 60 };
    const port = await openClient(busy.url, options, { logger: SILENT });
    port.open(events);
    await until(() => broken.timesMs.length >= 4);
    assert.equal(busy.timesMs.length, 1);
    await port.close();
    await Promise.all([busy.close(), broken.close()]);
  });

  test('waits for a proxy, too', async () => {
    const server = new TestTunnelServer();
    await server.start();
    const proxy = await startHttpProxy({ refusal: 503, retryAfter: '30' });
    const options = { proxy: `http://127.0.0.1:${proxy.listenPort}` };
    await assert.rejects(openClient(server.url, options, { logger: SILENT }), { retryAfterMs: 30_000 });
    await proxy.close();
    await server.stop();
  });
});
