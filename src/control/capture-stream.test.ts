import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import WebSocket from 'ws';
import { FakeSwitch, startFakeControl } from '../../test/support/fake-switch.ts';
import { once, until } from '../../test/support/waits.ts';
import type { CaptureReader, CaptureSpec, SwitchCapture } from './capture-entries.ts';

const ENTRY = { port: 3, portName: 'uplink', seen: 0, matched: 0, lost: 0 };

/** A switch whose captures are driven by the test. */
class CapturingSwitch extends FakeSwitch {
  readonly calls: string[] = [];
  reader: CaptureReader | undefined;
  isSlow = false;

  override capture(spec: Omit<CaptureSpec, 'duration'>, reader: CaptureReader): SwitchCapture {
    this.calls.push(JSON.stringify(spec));
    this.reader = reader;
    const { calls } = this;
    const isSlow = (): boolean => this.isSlow;
    return {
      entries: [ENTRY],
      get isReaderSlow() {
        return isSlow();
      },
      isWithin: () => true,
      end: (reason) => {
        calls.push(`end ${reason}`);
        reader.notify({ event: 'ended', reason, entries: [ENTRY] });
      },
      flush: () => {
        calls.push('flush');
        reader.send(Buffer.from('last'), () => undefined);
      },
      abandon: () => calls.push('abandon'),
    };
  }
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: { readonly entries: readonly object[] };
  readonly error?: { readonly data: string };
  readonly params?: object;
}

async function open(t: TestContext, given: Parameters<typeof startFakeControl>[0] = {}) {
  const service = new CapturingSwitch();
  const control = await startFakeControl({ ...given, fake: service });
  t.after(() => control.close());
  const webSocket = new WebSocket(control.url.replace('http', 'ws'));
  t.after(() => webSocket.terminate());
  const messages: Message[] = [];
  const octets: string[] = [];
  webSocket.on('message', (data, isBinary) => {
    if (isBinary) octets.push(String(data));
    else messages.push(JSON.parse(String(data)) as Message);
  });
  await once(webSocket, 'open');
  const call = (id: number, method: string, params: object = {}): void =>
    webSocket.send(JSON.stringify({ jsonrpc: '2.0', id, method: `etherws.control.${method}`, params }));
  return { control, service, webSocket, messages, octets, call };
}

test('a capture sends binary messages beside answers, and its notices in order', async (t) => {
  const { service, messages, octets, call } = await open(t);
  call(1, 'capture', { ports: [] });
  call(2, 'endCapture');
  call(3, 'capture', { ports: [3, 'uplink'], filter: 'tcp', snaplen: 60, count: 7 });
  call(4, 'capture', { ports: [1] });
  await until(() => messages.length === 4);
  assert.deepEqual(
    messages.map(({ error }) => error?.data.split('. ')[0]),
    [
      'ARGUMENT_INVALID: ports must name a port',
      'REQUEST_REFUSED: This WebSocket captures nothing',
      undefined,
      'REQUEST_REFUSED: This WebSocket captures already',
    ],
  );
  assert.deepEqual(messages[2]?.result?.entries, [ENTRY]);
  let sent = 0;
  service.reader?.send(Buffer.from('one'), () => {
    sent++;
  });
  service.reader?.notify({ event: 'port-removed', port: 4, portName: null });
  service.reader?.send(Buffer.from('two'), () => {
    sent++;
  });
  call(5, 'endCapture');
  await until(() => messages.length === 7);
  assert.deepEqual([octets, sent], [['one', 'two'], 2]);
  assert.deepEqual(
    messages.slice(4).map(({ method, params, id }) => method ?? params ?? id),
    ['etherws.control.captured', 'etherws.control.captured', 5],
  );
  assert.deepEqual(messages[5]?.params, { event: 'ended', reason: 'call', entries: [ENTRY] });
  call(6, 'capture', { ports: [1], duration: 0.01 });
  await until(() => messages.length === 9);
  assert.deepEqual(service.calls, [
    JSON.stringify({ ports: [3, 'uplink'], filter: 'tcp', snaplen: 60, count: 7 }),
    'end call',
    JSON.stringify({ ports: [1] }),
    'end duration',
  ]);
});

test('a capture ends with its WebSocket, and with the switch, which sends what waits', async (t) => {
  const first = await open(t);
  first.call(1, 'capture', { ports: [3] });
  await until(() => first.messages.length === 1);
  first.webSocket.terminate();
  await until(() => first.service.calls.at(-1) === 'abandon');

  const second = await open(t);
  second.call(1, 'capture', { ports: [3] });
  await until(() => second.messages.length === 1);
  const closed = once(second.webSocket, 'close');
  await second.control.close();
  assert.deepEqual([(await closed)[0], second.octets, second.service.calls.at(1)], [1001, ['last'], 'flush']);
});

test('who may not capture is refused, by a request as well', async (t) => {
  const { control, call, messages } = await open(t, { mayCall: (_user, method) => method === 'listPort' });
  call(1, 'capture', { ports: [3] });
  await until(() => messages.length === 1);
  assert.match(messages[0]?.error?.data ?? '', /^METHOD_FORBIDDEN: /);
  const response = await fetch(control.url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'etherws.control.capture', params: { ports: [1] } }),
  });
  assert.match(JSON.stringify(await response.json()), /METHOD_FORBIDDEN/);
  const { control: open2 } = await open(t);
  const refused = await fetch(open2.url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'etherws.control.capture', params: { ports: [1] } }),
  });
  assert.match(JSON.stringify(await refused.json()), /REQUEST_REFUSED: Captures come by WebSocket/);
});
