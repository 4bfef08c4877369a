import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { within } from '../../test/support/waits.ts';
import { listen, stop } from '../../test/support/web-socket-peer.ts';
import type { ErrorCode } from '../errors.ts';
import { explainConnectError } from './connect-errors.ts';

function systemError(code: string, address?: string): Error {
  return Object.assign(new Error(code), { code, address });
}

function errorOf(socket: Socket): Promise<unknown> {
  return within(new Promise((resolve) => socket.once('error', resolve)), 'error of the connection');
}

test('a refused connection, from a real socket', async () => {
  const server = createServer();
  const port = await listen(server);
  await stop(server);
  const error = await errorOf(connect(port, '127.0.0.1'));
  const explained = explainConnectError(error, '127.0.0.1', port);
  assert.equal(explained?.code, 'CONNECTION_REFUSED');
  assert.equal(explained?.message, `Nothing listens at 127.0.0.1:${port}`);
  assert.equal(explained?.cause, error);
});

test('each system error has its code, names the host and gives a hint', () => {
  const expected: Record<string, ErrorCode> = {
    ECONNREFUSED: 'CONNECTION_REFUSED',
    ECONNRESET: 'CONNECTION_REFUSED',
    EHOSTUNREACH: 'HOST_UNREACHABLE',
    ENETUNREACH: 'HOST_UNREACHABLE',
    ETIMEDOUT: 'HOST_UNREACHABLE',
    EPERM: 'HOST_UNREACHABLE',
    ENOTFOUND: 'NAME_UNRESOLVED',
    EAI_AGAIN: 'NAME_UNRESOLVED',
  };
  for (const [code, errorCode] of Object.entries(expected)) {
    const explained = explainConnectError(systemError(code), 'switch.example', 443);
    assert.equal(explained?.code, errorCode);
    assert.match(explained?.message ?? '', /switch\.example/);
    assert.notEqual(explained?.hint, undefined);
  }
});

test('an IPv6 address stands in brackets, once', () => {
  for (const host of ['2001:db8::1', '[2001:db8::1]']) {
    assert.match(explainConnectError(systemError('ETIMEDOUT'), host, 80)?.message ?? '', /^\[2001:db8::1\]:80 /);
  }
});

test('of several addresses the refusal is told, and all that were tried', () => {
  const error = new AggregateError([
    systemError('ENETUNREACH', '2001:db8::1'),
    systemError('ECONNREFUSED', '192.0.2.1'),
  ]);
  const explained = explainConnectError(error, 'switch.example', 80);
  assert.equal(explained?.code, 'CONNECTION_REFUSED');
  assert.equal(explained?.message, 'Nothing listens at switch.example:80 (tried 2001:db8::1, 192.0.2.1)');
  assert.equal(explained?.cause, error);
});

test('errors of other kinds are left to others', () => {
  for (const error of [undefined, null, 7, new Error('x'), new AggregateError([]), systemError('CERT_HAS_EXPIRED')]) {
    assert.equal(explainConnectError(error, 'switch.example', 80), undefined);
  }
});

test('an address to dial from that this host does not have is named, from a real socket', async () => {
  // TEST-NET-1 (RFC 5737) is no host's.
  const options = { port: 1, host: '127.0.0.1', localAddress: '192.0.2.77' };
  const error = await errorOf(connect(options));
  const explained = explainConnectError(error, '127.0.0.1', 1);
  assert.equal(explained?.message, '192.0.2.77 is no address of this host to dial 127.0.0.1:1 from');
  assert.match(explained?.hint ?? '', /--bind-address/);
});
