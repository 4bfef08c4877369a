import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from '../../src/control/json-rpc.ts';
import { controlMethods } from '../../src/control/methods.ts';
import { METHOD_PREFIX, METHODS } from '../../src/control/schema.ts';
import { FakeSwitch } from '../support/fake-switch.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';

const CASES = fuzzCases(60_000);
const CODES = new Set([-32700, -32600, -32601, -32602]);
/** No method of the fake switch answers more than its ports, of which each case starts with a few. */
const MOST_ANSWER_CHARACTERS = 200_000;

const NAMES = [...Object.keys(METHODS).map((name) => METHOD_PREFIX + name), 'listPort', METHOD_PREFIX, '__proto__', ''];
const KEYS = [
  ...['jsonrpc', 'id', 'method', 'params', 'port', 'shut', 'type', 'target', 'options', 'user', 'passwd', 'cacerts'],
  ...['insecure', 'address', 'netmask', 'mtu', 'addresses', '__proto__', 'constructor', 'toString', 'length', ''],
];
const VALUES: readonly unknown[] = [
  ...['2.0', 'tap', 'netdev', 'client', 'server', 'tap0', 'ws://a/', 'wss://[::1]:1/x', '10.0.0.1', '255.255.255.0'],
  ...['fd00::1/64', '10.0.0.1/24', '', '\u0000', '\ud800', 'x'.repeat(300), '1e999', '%d', '..', 'ann', 'a:b'],
  ...[0, 1, 2, 3, -1, 0.5, 576, 1500, 65_536, 2 ** 53, -(2 ** 53), 1e308, true, false, null],
];

/** Any JSON value, of few levels. */
function anything(random: Random, levels: number): unknown {
  if (levels > 0 && random.once(4)) return Array.from({ length: random.below(5) }, () => anything(random, levels - 1));
  if (levels > 0 && random.once(3)) {
    const keys = Array.from({ length: random.below(5) }, () => (random.once(6) ? random.text(8) : random.pick(KEYS)));
    return Object.fromEntries(keys.map((key) => [key, anything(random, levels - 1)]));
  }
  return random.once(8) ? random.text(40) : random.pick(VALUES);
}

/** Parameters that a method may well take. */
function likelyParams(random: Random): unknown {
  const port = random.between(1, 6);
  switch (random.below(6)) {
    case 0:
      return {
        type: random.pick(['tap', 'netdev']),
        target: `tap${random.below(9)}`,
        options: random.pick([null, {}]),
      };
    case 1:
      return { type: 'client', target: 'ws://a.example/', options: { user: 'ann', passwd: random.text(5) } };
    case 2:
      return { port, shut: random.pick([true, false, 0, 1, null]) };
    case 3:
      return {
        port,
        address: '10.0.0.1',
        netmask: '255.0.0.0',
        mtu: random.between(500, 1600),
        addresses: ['fd00::1/8'],
      };
    case 4:
      return { port };
    default:
      return random.pick([undefined, null, {}, []]);
  }
}

function call(random: Random): unknown {
  const request: Record<string, unknown> = {
    jsonrpc: '2.0',
    id: random.pick([1, 'x', null, 0, -5]),
    method: random.pick(NAMES),
    params: likelyParams(random),
  };
  if (random.once(3)) request[random.pick(KEYS)] = anything(random, 3);
  if (random.once(6)) delete request[random.pick(['jsonrpc', 'id', 'method', 'params'])];
  return random.once(12) ? anything(random, 4) : request;
}

function body(random: Random): Buffer {
  if (random.once(20)) return random.bytes(random.below(200));
  const value = random.once(5)
    ? Array.from({ length: random.below(random.once(50) ? 120 : 6) }, () => call(random))
    : call(random);
  const text = JSON.stringify(value) ?? '';
  const bytes = Buffer.from(text);
  if (random.once(4) && bytes.length > 0) {
    for (let flips = random.between(1, 3); flips > 0; flips--) bytes[random.below(bytes.length)] = random.next();
  }
  return random.once(10) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

function assertAnswer(reply: unknown): void {
  assert.ok(typeof reply === 'object' && reply !== null);
  const { jsonrpc, id, result, error, ...others } = reply as Record<string, unknown>;
  assert.equal(jsonrpc, '2.0');
  assert.ok(id === null || typeof id === 'string' || typeof id === 'number');
  assert.deepEqual(others, {});
  assert.equal(result === undefined, error !== undefined, 'a result or an error');
  if (error === undefined) {
    assert.ok(Array.isArray((result as { entries: unknown }).entries));
    return;
  }
  const { code, message, data, ...rest } = error as Record<string, unknown>;
  assert.ok(CODES.has(code as number), `code ${code}`);
  assert.ok(typeof message === 'string' && message !== '' && message.length < 400, String(message));
  assert.ok(typeof data === 'string' && data !== '' && data.length < 1000, String(data));
  assert.deepEqual(rest, {});
}

test(`${CASES} JSON-RPC bodies, likely, bent and random: each is answered as it must be`, async () => {
  const random = new Random(fuzzSeed());
  const seen = new Set<string>();
  let service = new FakeSwitch();
  let methods = controlMethods(service);
  const unexpected: unknown[] = [];

  for (let number = 0; number < CASES; number++) {
    if (number % 100 === 0) {
      service = new FakeSwitch();
      methods = controlMethods(service);
      for (const target of ['tap0', 'tap1', 'tap2']) await service.addPort({ type: 'tap', target });
    }
    const bytes = body(random);
    try {
      const text = await answer(bytes, methods, (error) => unexpected.push(error));
      assert.deepEqual(unexpected, []);
      if (text === undefined) {
        seen.add('nothing');
        continue;
      }
      assert.ok(text.length < MOST_ANSWER_CHARACTERS);
      const reply: unknown = JSON.parse(text);
      for (const one of Array.isArray(reply) ? reply : [reply]) {
        assertAnswer(one);
        seen.add(one.error === undefined ? 'result' : String(one.error.code));
      }
    } catch (error) {
      throw new Error(`seed ${random.seed}, case ${number}: ${JSON.stringify(bytes.toString('latin1'))}`, {
        cause: error,
      });
    }
  }
  assert.deepEqual(
    [...seen].sort(),
    ['-32600', '-32601', '-32602', '-32700', 'nothing', 'result'],
    'every kind came up',
  );
});
