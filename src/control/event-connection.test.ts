import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import WebSocket from 'ws';
import { type FakeControl, startFakeControl } from '../../test/support/fake-switch.ts';
import { once, until } from '../../test/support/waits.ts';

/** A message of the switch, of whatever kind. */
interface Message {
  readonly id?: number;
  readonly result?: { readonly entries: readonly object[] };
  readonly error?: { readonly data: string };
  readonly params?: { readonly event: string; readonly sequence: number; readonly lost?: number };
}

interface Caller {
  readonly webSocket: WebSocket;
  readonly messages: readonly Message[];
  call(id: number, method: string, params?: object): void;
}

async function dial(t: TestContext, control: FakeControl): Promise<Caller> {
  const webSocket = new WebSocket(control.url.replace('http', 'ws'));
  t.after(() => webSocket.terminate());
  const messages: Message[] = [];
  webSocket.on('message', (data) => messages.push(JSON.parse(String(data)) as Message));
  await once(webSocket, 'open');
  const call = (id: number, method: string, params: object = {}): void =>
    webSocket.send(JSON.stringify({ jsonrpc: '2.0', id, method: `etherws.control.${method}`, params }));
  return { webSocket, messages, call };
}

async function start(t: TestContext, options: Parameters<typeof startFakeControl>[0] = {}): Promise<FakeControl> {
  const control = await startFakeControl(options);
  t.after(() => control.close());
  return control;
}

test('a WebSocket carries every call in order, and events behind the answer to subscribe', async (t) => {
  const control = await start(t);
  const { messages, call } = await dial(t, control);
  call(1, 'listPort');
  call(2, 'subscribe', { events: ['port-up', 'port-dwon'] });
  call(3, 'subscribe', { events: ['reload', 'reload'] });
  await until(() => messages.length === 3);
  assert.deepEqual(
    messages.map(({ id }) => id),
    [1, 2, 3],
  );
  assert.deepEqual(messages[0]?.result, { entries: [] });
  assert.match(messages[1]?.error?.data ?? '', /ARGUMENT_INVALID: events\[1\] must be one of port-added/);
  assert.deepEqual(messages[2]?.result?.entries, [{ events: ['reload'], sequence: 0 }]);
  control.service.events.publish('port-up', { port: 1 });
  control.service.events.publish('reload', { failures: 0 });
  await until(() => messages.length === 4);
  assert.deepEqual([messages[3]?.params?.event, messages[3]?.params?.sequence], ['reload', 1]);
});

test('a reader that is too slow loses events, learns how many, and gets those that follow', async (t) => {
  const control = await start(t);
  const { webSocket, messages, call } = await dial(t, control);
  const { events } = control.service;
  call(1, 'subscribe', { events: ['port-up', 'reload'] });
  await until(() => messages.length === 1);
  webSocket.pause();
  // 32 MiB: more than the sockets of both ends and the switch's bound hold.
  const target = 'x'.repeat(1024);
  for (let batch = 0; batch < 32; batch++) {
    for (let count = 0; count < 1024; count++) events.publish('port-up', { port: 1, target });
    events.flush();
  }
  webSocket.resume();
  await until(() => messages.some(({ params }) => params?.event === 'lost'));
  const told = messages.slice(1).map(({ params }) => params);
  const lost = told.reduce((sum, params) => sum + (params?.lost ?? 0), 0);
  assert.equal(lost + told.filter((params) => params?.event === 'port-up').length, 32 * 1024);
  assert.ok(lost > 10_000, `${lost} of 32768 were lost`);
  events.publish('reload', { failures: 0 });
  await until(() => messages.at(-1)?.params?.event === 'reload');
});

test('a call that is forbidden, one that is binary, too many at once, and too many connections', async (t) => {
  const control = await start(t, { mayCall: (_user, method) => method !== 'subscribe' });
  const first = await dial(t, control);
  first.call(1, 'subscribe');
  await until(() => first.messages.length === 1);
  assert.match(first.messages[0]?.error?.data ?? '', /^METHOD_FORBIDDEN: /);
  first.webSocket.send(Buffer.from('{}'), { binary: true });
  assert.deepEqual((await once(first.webSocket, 'close'))[0], 1003);

  const hasty = await dial(t, control);
  for (let id = 0; id < 2000; id++) hasty.call(id, 'listPort');
  assert.deepEqual((await once(hasty.webSocket, 'close'))[0], 1008);

  for (let count = 0; count < 32; count++) await dial(t, control);
  const refused = new WebSocket(control.url.replace('http', 'ws'));
  refused.on('error', () => undefined);
  const [, response] = await once(refused, 'unexpected-response');
  assert.equal((response as { statusCode: number }).statusCode, 503);
  refused.terminate();
});

test('a subscription ends with its connection, and the connection with the switch', async (t) => {
  const control = await start(t);
  const { events } = control.service;
  const first = await dial(t, control);
  first.call(1, 'subscribe', { events: ['address-learned'] });
  await until(() => events.isWanted('address-learned'));
  first.webSocket.close();
  await until(() => !events.isWanted('address-learned'));
  const { webSocket } = await dial(t, control);
  const closed = once(webSocket, 'close');
  await control.close();
  assert.deepEqual((await closed)[0], 1001);
});
