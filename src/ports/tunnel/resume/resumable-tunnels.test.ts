import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { MemoryTransport } from '../../../../test/support/memory-transport.ts';
import { TunnelPort } from '../tunnel-port.ts';
import { createResumeToken, type ResumableTunnel, ResumableTunnels } from './resumable-tunnels.ts';
import { ServerPort } from './server-port.ts';
import { TunnelPlaces } from './tunnel-places.ts';

/** A tunnel whose current connection has received nothing. */
function silentTunnel(): ResumableTunnel {
  const [transport] = MemoryTransport.pair();
  const tunnel = new TunnelPort({ type: 'server', target: 'silent', transport, wire: 'batched' });
  const place = new TunnelPlaces({ maxConnections: 1, maxPerAddress: 1, maxPerUser: 1 }).enter('192.0.2.1');
  assert.ok(typeof place === 'object');
  return { port: new ServerPort({ tunnel, graceMs: 1000 }), user: 'ada', network: 'lab', place };
}

test('a tunnel has two tokens at most, however often its client comes back', () => {
  const tunnels = new ResumableTunnels();
  const tunnel = silentTunnel();
  const tokens = [createResumeToken()];
  tunnels.enrol(tunnel, tokens[0] ?? '');
  for (let returns = 0; returns < 100; returns++) {
    const token = createResumeToken();
    tunnels.enrol(tunnel, token, tokens.at(-1));
    tokens.push(token);
  }
  assert.deepEqual(
    tokens.filter((token) => tunnels.has(token)),
    tokens.slice(-2),
  );
  tunnels.remove(tunnel);
  tunnels.remove(tunnel);
  assert.ok(tokens.every((token) => !tunnels.has(token)));
});

test('a token is good for its user in its network only', () => {
  const tunnels = new ResumableTunnels();
  const [tunnel, token] = [silentTunnel(), createResumeToken()];
  tunnels.enrol(tunnel, token);
  assert.equal(tunnels.find(token, 'ada', 'lab'), tunnel);
  assert.equal(tunnels.find(token, 'bob', 'lab'), undefined);
  assert.equal(tunnels.find(token, 'ada', 'default'), undefined);
});

test('tokens differ, and have 256 bits', () => {
  const tokens = Array.from({ length: 1000 }, createResumeToken);
  assert.equal(new Set(tokens).size, tokens.length);
  for (const token of tokens) assert.equal(Buffer.from(token, 'base64url').length, 32);
});

test('no token is held itself', () => {
  const tunnels = new ResumableTunnels();
  const token = createResumeToken();
  tunnels.enrol(silentTunnel(), token);
  assert.ok(!inspect(tunnels, { depth: 9, showHidden: true }).includes(token));
});
