import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { AnnouncedCallers } from './announced-callers.ts';
import { TrustedProxies } from './trusted-proxies.ts';

const PROXIES = new TrustedProxies([{ address: '10.0.0.0', prefixLength: 8 }]);

function request(from: string, forwardedFor?: string): IncomingMessage {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress: from,
    remotePort: 4000,
    localAddress: '192.0.2.254',
  });
  return { socket, headers: { 'x-forwarded-for': forwardedFor } } as unknown as IncomingMessage;
}

test('a client is the end of the connection, or what trusted proxies say of it', () => {
  const client = { address: '192.0.2.1', tcpPort: 1000 };
  const own = (address: string) => ({ address, tcpPort: 4000 });
  for (const [from, header, forwardedFor, expected] of [
    ['192.0.2.9', undefined, undefined, own('192.0.2.9')],
    ['192.0.2.9', undefined, '192.0.2.7', own('192.0.2.9')],
    ['10.0.0.1', undefined, '192.0.2.7', { address: '192.0.2.7', tcpPort: undefined }],
    ['10.0.0.1', { source: client }, '192.0.2.7', client],
    ['10.0.0.1', { source: own('10.0.0.2') }, '192.0.2.7', { address: '192.0.2.7', tcpPort: undefined }],
    ['10.0.0.1', { source: undefined }, '192.0.2.7', own('10.0.0.1')],
  ] as const) {
    const callers = new AnnouncedCallers(PROXIES);
    const asked = request(from, forwardedFor);
    if (header !== undefined) callers.note(asked.socket, header.source);
    assert.deepEqual(callers.of(asked), expected);
    assert.equal(callers.has(asked.socket), header !== undefined);
  }
});

test('what was announced ends with its connection, since its ends may come again', () => {
  const callers = new AnnouncedCallers(PROXIES);
  const { socket } = request('10.0.0.1');
  callers.note(socket, { address: '192.0.2.1', tcpPort: 1000 });
  (socket as Socket).emit('close');
  assert.equal(callers.has(socket), false);
  assert.deepEqual(callers.of(request('10.0.0.1')), { address: '10.0.0.1', tcpPort: 4000 });
});
