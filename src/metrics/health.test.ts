import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { once } from '../../test/support/waits.ts';
import { Health } from './health.ts';

test('/readyz tells why a switch is not ready: its phase, or else the fault of the moment', async (t) => {
  const health = new Health();
  const server = createServer((request, response) => health.ready.handleRequest(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const ask = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`);
    return `${response.status} ${(await response.text()).trim()}`;
  };
  let fault: string | undefined = 'another node has the name';
  health.fault = () => fault;
  assert.equal(await ask(), '503 starting');
  health.phase = 'ready';
  assert.equal(await ask(), '503 another node has the name');
  fault = undefined;
  assert.equal(await ask(), '200 ok');
});
