import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { FakeSwitch } from '../../../test/support/fake-switch.ts';
import { listen, stop } from '../../../test/support/web-socket-peer.ts';
import type { Authenticator } from '../../auth/authenticator.ts';
import { SILENT } from '../../observability/logger.ts';
import { ControlStream } from '../control-stream.ts';
import type { OwnRights } from './cluster-calls.ts';
import { CALLER_FIELD, fieldOfCaller, streamClaim } from './node-stream.ts';
import { NodeStreamServer } from './node-stream-server.ts';

const FIELD = fieldOfCaller({ user: null, networks: null });
const PROVEN: Authenticator = {
  challenge: '',
  authenticate: () => Promise.resolve({ isAllowed: true, user: 'r1', networks: [streamClaim(FIELD)] }),
  close: () => Promise.resolve(),
};
const NO_RIGHTS: OwnRights = { mayCall: () => false, networksOf: () => [] };
const ALL_RIGHTS: OwnRights = { mayCall: () => true, networksOf: () => undefined };

/** A server of streams. @returns opens one to it */
async function serve(t: TestContext, rights: OwnRights | undefined): Promise<(method: string) => Promise<unknown>> {
  const streams = new NodeStreamServer({
    ...{ authenticator: PROVEN, answerField: 'Answer', addressOf: () => '127.0.0.1' },
    ...{ service: new FakeSwitch(), rights, logger: SILENT },
  });
  const server = createServer();
  server.on('upgrade', streams.handleUpgrade.bind(streams));
  const port = await listen(server);
  t.after(() => {
    streams.close();
    return stop(server);
  });
  const address = { url: 'node r2', isTls: false, host: '127.0.0.1', port, path: '/' };
  return async (method) => {
    const params = method === 'observe' ? { tables: ['ports'], interval: 1 } : {};
    const options = { address, headers: { [CALLER_FIELD]: FIELD }, tls: {}, timeoutMs: 60_000 };
    const listener = { notified: () => undefined, ended: () => undefined };
    const stream = await ControlStream.open(options, method, params, listener);
    t.after(() => stream.end());
    return stream.result;
  };
}

test('the policy of a node decides over streams of other nodes, but not over those of its own service', async (t) => {
  const forbidding = await serve(t, NO_RIGHTS);
  await assert.rejects(forbidding('subscribe'), { data: /METHOD_FORBIDDEN/ });
  const own = await serve(t, undefined);
  assert.match(JSON.stringify(await own('subscribe')), /sequence/);
  assert.match(JSON.stringify(await own('observe')), /"tables":\["ports"\],"refused":\[\]/);
  await assert.rejects(own('listMdb'), { data: /METHOD_FORBIDDEN/ }, 'a method that streams do not have');
});

for (const [of, rights] of [
  ['other nodes', ALL_RIGHTS],
  ['the own service', undefined],
] as const) {
  test(`there are more streams of ${of} than WebSockets of callers`, async (t) => {
    const open = await serve(t, rights);
    for (let n = 0; n < 70; n++) await open('subscribe');
  });
}
