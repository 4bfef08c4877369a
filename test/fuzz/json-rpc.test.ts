import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from '../../src/control/json-rpc.ts';
import { controlMethods } from '../../src/control/methods.ts';
import { FakeSwitch } from '../support/fake-switch.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';
import { hostileBody } from './rpc-body.ts';

const CASES = fuzzCases(60_000);
const CODES = new Set([-32700, -32600, -32601, -32602]);
/** No method of the fake switch answers more than its ports, of which each case starts with a few. */
const MOST_ANSWER_CHARACTERS = 200_000;

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
    const bytes = hostileBody(random);
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
