import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseNetwork, TrustedProxies } from './trusted-proxies.ts';

const proxies = new TrustedProxies([
  { address: '10.0.0.0', prefixLength: 8 },
  { address: '2001:db8::', prefixLength: 32 },
]);

function from(remoteAddress: string, forwarded?: string): IncomingMessage {
  return { headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress } } as unknown as IncomingMessage;
}

test('other proxies take the place of the former ones', () => {
  const changing = new TrustedProxies([{ address: '10.0.0.0', prefixLength: 8 }]);
  changing.replace([{ address: '192.0.2.0', prefixLength: 24 }]);
  assert.deepEqual(
    ['10.0.0.1', '192.0.2.1'].map((address) => changing.includes(address)),
    [false, true],
  );
  changing.replace([]);
  assert.equal(changing.includes('192.0.2.1'), false);
});

test('the header counts only as far as our own proxies wrote it', () => {
  for (const [socket, header, wanted] of [
    ['10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db9::7', '2001:db9::7'],
    ['10.0.0.1', '198.51.100.9, 192.0.2.1', '192.0.2.1'],
    ['10.0.0.1', '198.51.100.9, 192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', '[2001:db9::7]:4711', '2001:db9::7'],
    ['10.0.0.1', '192.0.2.1:4711', '192.0.2.1'],
    ['10.0.0.1', '192.0.2.1, nonsense', '10.0.0.1'],
    ['10.0.0.1', '192.0.2.1, nonsense, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['192.0.2.66', '198.51.100.9', '192.0.2.66'],
  ] as const) {
    assert.equal(proxies.addressOf(from(socket, header)), wanted, `${socket} says ${header}`);
  }
});

test('where the request came in from may be told, and then the socket does not count', () => {
  const request = from('10.0.0.1', '192.0.2.1');
  assert.equal(proxies.addressOf(request, '198.51.100.9'), '198.51.100.9');
  assert.equal(proxies.addressOf(request, '10.0.0.2'), '192.0.2.1');
});

test('networks as they are typed', () => {
  assert.deepEqual(parseNetwork('192.0.2.1'), { address: '192.0.2.1', prefixLength: 32 });
  assert.deepEqual(parseNetwork('::1'), { address: '::1', prefixLength: 128 });
  assert.deepEqual(parseNetwork('10.0.0.0/8'), { address: '10.0.0.0', prefixLength: 8 });
  for (const text of [
    '',
    'proxy',
    '10.0.0.0/33',
    '10.0.0.0/',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.0.0.0/0x8',
  ]) {
    assert.equal(parseNetwork(text), undefined, text);
  }
});

test('whatever stands in the header, an untrusted client cannot choose its address, and nothing throws', () => {
  const piece = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constantFrom('10.0.0.7', ',', ' '));
  fc.assert(
    fc.property(fc.array(piece), fc.ipV4(), (pieces, client) => {
      fc.pre(!client.startsWith('10.'));
      const header = [...pieces, client].join(',');
      assert.equal(proxies.addressOf(from('10.0.0.1', header)), client);
      assert.equal(proxies.addressOf(from('192.0.2.66', header)), '192.0.2.66');
    }),
  );
});
