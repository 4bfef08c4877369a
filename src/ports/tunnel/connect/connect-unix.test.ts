import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { PortRecorder, testFrame } from '../../../../test/support/port-recorder.ts';
import { once, within } from '../../../../test/support/waits.ts';
import { ALLOW_ALL } from '../../../auth/authenticator.ts';
import type { Port } from '../../../bridge/port.ts';
import { detailsOf } from '../../../bridge/port-details.ts';
import { unixPath, unixSocketOf, unixUrl } from '../../../net/unix-endpoint.ts';
import { UnixListener } from '../../../net/unix-listener.ts';
import { batchOf } from '../../../wire/ethernet/frame-batch.ts';
import { TunnelServer } from '../accept/accept-tunnel.ts';
import { dialTunnel } from '../dial/dial-tunnel.ts';

const name = (): string => `@etherws-test-${randomBytes(8).toString('hex')}`;

test('a tunnel over a Unix socket is moved by native code at both ends, as one over TCP is', async (t) => {
  const socket = name();
  let accept: (port: Port) => void = () => undefined;
  const accepted = new Promise<Port>((resolve) => {
    accept = resolve;
  });
  const server = new TunnelServer({ path: '/lan', authenticator: ALLOW_ALL, onTunnel: (port) => accept(port) });
  const listener = await UnixListener.listen(socket, server);
  t.after(() => listener.close());
  const client = await dialTunnel({ url: 'ws://localhost/lan', unixSocket: socket });
  const port = await within(accepted, 'tunnel at the server');
  const [near, far] = [new PortRecorder(), new PortRecorder()];
  client.open(near);
  port.open(far);
  for (const end of [client, port]) {
    const details = detailsOf(end);
    assert.ok(details?.kind === 'tunnel');
    assert.equal(details.connection?.transport, 'native');
    assert.equal(details.connection.wire, 'batched');
  }
  for (const [end, frame] of [
    [port, testFrame(1, 1500)],
    [client, testFrame(2, 60)],
  ] as const) {
    assert.equal(end.send(batchOf(frame), 0), undefined);
    end.flush(false);
  }
  assert.deepEqual(await near.take(1), [testFrame(1, 1500)]);
  assert.deepEqual(await far.take(1), [testFrame(2, 60)]);
  await client.close('shutdown');
  while (far.linkChanges.at(-1)?.state !== 'closed') await once(far, 'change');
});

test('requests that open no WebSocket are refused, and nothing keeps the listener from closing', async () => {
  const socket = name();
  const listener = await UnixListener.listen(socket, { handleUpgrade: () => assert.fail('no upgrade') });
  const path = unixPath(socket);
  for (const headers of [{}, { Connection: 'Upgrade', Upgrade: 'h2c' }]) {
    const asked = request({ socketPath: path, path: '/lan', headers, agent: false }).end();
    const [response] = await once(asked, 'response');
    assert.equal((response as { statusCode: number }).statusCode, 404);
    (response as { socket: Socket }).socket.destroy();
  }
  await within(listener.close(), 'listener to close');
  await assert.rejects(dialTunnel({ url: 'ws://localhost/lan', unixSocket: socket }), { code: 'CONNECTION_REFUSED' });
});

test('a name that is taken is an error that names it', async (t) => {
  const socket = name();
  const route = { handleUpgrade: () => undefined };
  const listener = await UnixListener.listen(socket, route);
  t.after(() => listener.close());
  await assert.rejects(UnixListener.listen(socket, route), { code: 'LISTEN_FAILED', message: new RegExp(socket) });
});

test('URLs of Unix sockets are told from others', () => {
  assert.equal(unixSocketOf(unixUrl('@x')), '@x');
  assert.equal(unixSocketOf('ws://localhost/'), undefined);
});
