import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EtherwsError } from '../errors.ts';
import { answer, type Method, type MethodMap, MOST_CALLS } from './json-rpc.ts';

const reported: unknown[] = [];
const ran: unknown[] = [];

const METHODS: MethodMap = Object.assign(Object.create(null) as Record<string, Method>, {
  echo: (params: unknown) => {
    ran.push(params);
    return params;
  },
  nothing: () => undefined,
  fail: () => {
    throw new EtherwsError('PORT_NOT_FOUND', 'There is no port 9', { hint: 'Look with listport' });
  },
  failBare: () => Promise.reject(new EtherwsError('PORT_CLOSED', 'Port 9 is closed', { cause: new Error('inner') })),
  failSystem: () => {
    const cause = Object.assign(new Error('ENODEV: no such device'), { code: 'ENODEV' });
    throw new EtherwsError('DEVICE_FAILED', 'tap0 failed', { cause });
  },
  crash: () => {
    throw new TypeError('a secret of the inside');
  },
  big: () => 'x'.repeat(6 * 1024 * 1024),
  unspeakable: () => 1n,
});

async function ask(body: unknown): Promise<unknown> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const reply = await answer(Buffer.from(text), METHODS, (error) => reported.push(error));
  return reply === undefined ? undefined : JSON.parse(reply);
}

function call(method: string, params?: unknown, id: unknown = 1): object {
  return { jsonrpc: '2.0', id, method, params };
}

/** The message of each code, as 1.x had it. */
const MESSAGES: Readonly<Record<number, string>> = {
  [-32700]: 'Parse error',
  [-32600]: 'Invalid Request',
  [-32601]: 'Method not found',
  [-32602]: 'Invalid params',
  [-32603]: 'Internal error',
};

/** What an error must look like; `data` by pattern, since it may be worded better one day. */
async function askError(body: unknown, code: number, data: RegExp, id: unknown = null): Promise<void> {
  const reply = (await ask(body)) as {
    jsonrpc: string;
    id: unknown;
    error: { code: number; message: string; data: string };
  };
  assert.deepEqual(Object.keys(reply).sort(), ['error', 'id', 'jsonrpc'], JSON.stringify(body));
  assert.deepEqual([reply.jsonrpc, reply.id, reply.error.code], ['2.0', id, code], JSON.stringify(body));
  assert.deepEqual(Object.keys(reply.error), ['code', 'message', 'data']);
  assert.equal(reply.error.message, MESSAGES[code], JSON.stringify(body));
  assert.match(reply.error.data, data);
}

describe('a call', () => {
  it('gets its result under its own id, of any type', async () => {
    for (const id of [0, -7, 1.5, 'x', '', null, Number.MAX_SAFE_INTEGER]) {
      assert.deepEqual(await ask(call('echo', { a: 1 }, id)), { jsonrpc: '2.0', id, result: { a: 1 } });
    }
    assert.deepEqual(await ask(call('nothing')), { jsonrpc: '2.0', id: 1, result: null });
  });

  it('without an id is a notification: it runs and is not answered, not even when it fails', async () => {
    ran.length = 0;
    assert.equal(await ask({ jsonrpc: '2.0', method: 'echo', params: [5] }), undefined);
    assert.deepEqual(ran, [[5]]);
    for (const method of ['fail', 'missing']) assert.equal(await ask({ jsonrpc: '2.0', method }), undefined);
  });

  it('that fails says what, the code and what to try', async () => {
    await askError(call('fail'), -32602, /^PORT_NOT_FOUND: There is no port 9\. Look with listport$/, 1);
    await askError(call('failBare'), -32602, /^PORT_CLOSED: Port 9 is closed$/, 1);
    await askError(call('failSystem'), -32602, /^DEVICE_FAILED: tap0 failed\. ENODEV: no such device$/, 1);
  });

  it('that fails unexpectedly says only that, and reports the rest', async () => {
    for (const method of ['crash', 'unspeakable']) {
      reported.length = 0;
      await askError(call(method), -32603, /^The switch failed unexpectedly\. Its log says more$/, 1);
      assert.ok(reported[0] instanceof TypeError);
    }
  });

  it('to no method lists those that there are', async () => {
    for (const method of ['missing', '', 'constructor', '__proto__', 'toString', 'x'.repeat(5000)]) {
      await askError(call(method), -32601, /^There is no method "[^"]{0,70}"; there are echo, nothing/, 1);
    }
    await askError(call('eco'), -32601, /^There is no method "eco"; did you mean echo\?$/, 1);
    const methods: MethodMap = { 'a.b.one': () => [], 'a.b.two': () => [] };
    const text = await answer(Buffer.from(JSON.stringify(call('three'))), methods, () => undefined);
    assert.match(String(text), /There is no method \\"three\\"; behind a\.b\. there are one, two"/);
  });

  it('that is none is refused, with its id where it has one', async () => {
    await askError('5', -32600, /./);
    await askError('null', -32600, /./);
    await askError('"x"', -32600, /./);
    await askError({}, -32600, /jsonrpc/);
    await askError({ jsonrpc: '1.0', id: 4, method: 'echo' }, -32600, /jsonrpc/, 4);
    await askError({ jsonrpc: '2.0', id: 4 }, -32600, /method/, 4);
    await askError({ jsonrpc: '2.0', id: 4, method: 5 }, -32600, /method/, 4);
    await askError({ jsonrpc: '2.0', id: {}, method: 'echo' }, -32600, /2\^53/);
    await askError({ jsonrpc: '2.0', id: true, method: 'echo' }, -32600, /2\^53/);
    await askError('{"jsonrpc":"2.0","id":9007199254740993,"method":"echo"}', -32600, /2\^53/);
    await askError('{"jsonrpc":"2.0","id":1e999,"method":"echo"}', -32600, /2\^53/);
  });
});

describe('a body', () => {
  it('that is not JSON is a parse error', async () => {
    for (const body of ['', ' ', '{', '{"a":}', 'nonsense', '[1,]', '\u0000', "{'a':1}"]) {
      await askError(body, -32700, /./);
    }
  });

  it('that is not UTF-8 is a parse error', async () => {
    const bytes = Buffer.concat([Buffer.from('"'), Buffer.from([0xc3, 0x28]), Buffer.from('"')]);
    const reply = await answer(bytes, METHODS, () => undefined);
    assert.equal(JSON.parse(reply ?? '').error.code, -32700);
  });

  it('nested as deeply as fits is handled', async () => {
    const depth = 500_000;
    await askError('['.repeat(depth), -32700, /./);
    assert.deepEqual(await ask(`${'['.repeat(depth)}${']'.repeat(depth)}`), [
      { jsonrpc: '2.0', id: null, error: ((await ask('[[]]')) as [{ error: object }])[0].error },
    ]);
    const nested = `{"jsonrpc":"2.0","id":1,"method":"nothing","params":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    assert.deepEqual(await ask(nested), { jsonrpc: '2.0', id: 1, result: null });
  });

  it('may set __proto__ without effect', async () => {
    await askError('{"__proto__":{"jsonrpc":"2.0","method":"echo"}}', -32600, /jsonrpc/);
    assert.equal(({} as { jsonrpc?: string }).jsonrpc, undefined);
  });
});

describe('a batch', () => {
  it('runs its calls in order and answers those that want it', async () => {
    ran.length = 0;
    const notification = { jsonrpc: '2.0', method: 'echo', params: ['b'] };
    const reply = await ask([
      call('echo', ['a'], 'x'),
      notification,
      call('fail', [], 'y'),
      7,
      call('echo', ['c'], 'z'),
    ]);
    assert.deepEqual(ran, [['a'], ['b'], ['c']]);
    const ids = (reply as { id: unknown }[]).map(({ id }) => id);
    assert.deepEqual(ids, ['x', 'y', null, 'z']);
  });

  it('of notifications only is not answered', async () => {
    assert.equal(await ask([{ jsonrpc: '2.0', method: 'echo' }]), undefined);
  });

  it('has at least one call and at most the limit', async () => {
    await askError([], -32600, /1 to 100/);
    await askError(new Array(MOST_CALLS + 1).fill(call('nothing')), -32600, /has 101/);
    assert.equal(((await ask(new Array(MOST_CALLS).fill(call('nothing')))) as unknown[]).length, MOST_CALLS);
  });

  it('whose answers grow too long runs no more calls', async () => {
    ran.length = 0;
    const bigs = new Array(5).fill(call('big'));
    const replies = (await ask([...bigs, call('echo', [1])])) as { result?: string; error?: { code: number } }[];
    assert.deepEqual(
      replies.map(({ error }) => error?.code),
      [undefined, undefined, undefined, -32602, -32602, -32602],
    );
    assert.deepEqual(ran, []);
  });
});
