import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FdbEntry, InterfaceEntry, PortEntry } from '../../src/control/schema.ts';
import { EtherwsSwitch } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';
import { macOf } from '../support/lan.ts';

type Entry = Partial<PortEntry & InterfaceEntry & FdbEntry>;

/** The messages of JSON-RPC's errors, which scripts compare. */
const MESSAGES: Readonly<Record<number, string>> = {
  [-32700]: 'Parse error',
  [-32600]: 'Invalid Request',
  [-32601]: 'Method not found',
  [-32602]: 'Invalid params',
};

/** A response of JSON-RPC. */
interface Answer {
  readonly jsonrpc: string;
  readonly id: unknown;
  readonly result?: { readonly entries: readonly Entry[] };
  readonly error?: { readonly code: number; readonly message: string; readonly data: string };
}

test('a program of 1.x days finds every method, field and error code where it was', async (t) => {
  const host = await (await openTapLab(t, 'curl'))?.host('lan');
  if (host === undefined) return;
  await EtherwsSwitch.start(host, ['--port', '8000']);

  const curl = async (body: string): Promise<string> =>
    host.check(
      ['curl', '--silent', '-H', 'Content-Type: application/json', '--data-binary', '@-', 'http://127.0.0.1:7867/ctl'],
      { input: body },
    );
  const call = async (method: string, params?: object): Promise<Answer> =>
    JSON.parse(await curl(JSON.stringify({ jsonrpc: '2.0', id: 7, method: `etherws.control.${method}`, params })));
  const only = ({ result, error }: Answer): Entry => {
    assert.equal(error, undefined, JSON.stringify(error));
    assert.equal(result?.entries.length, 1);
    return result?.entries[0] ?? {};
  };
  const failing = ({ error, result }: Answer): number => {
    assert.equal(result, undefined);
    assert.equal(error?.message, MESSAGES[error?.code ?? 0]);
    assert.equal(typeof error?.data, 'string');
    return error?.code ?? 0;
  };

  await t.test('addPort, setPort, listPort, delPort', async () => {
    const options = { user: '', passwd: '', cacerts: null, insecure: false };
    const added = only(await call('addPort', { type: 'tap', target: 'ethws0', options }));
    for (const [field, value] of Object.entries({ port: 1, type: 'tap', target: 'ethws0', shut: false })) {
      assert.equal(added[field as keyof Entry], value);
    }
    assert.equal(typeof added.tx, 'number');
    assert.equal(typeof added.rx, 'number');
    assert.equal(only(await call('setPort', { port: '1', shut: true })).shut, true);
    assert.equal(only(await call('listPort')).shut, true);
    assert.equal(only(await call('setPort', { port: 1, shut: false })).shut, false);
  });

  await t.test('setInterface, listInterface', async () => {
    const bare = only(await call('listInterface'));
    assert.deepEqual([bare.address, bare.netmask], ['', ''], 'nothing is set yet');
    const wanted = { address: '192.0.2.1', netmask: '255.255.255.0', mtu: 1400 };
    await call('setInterface', { port: 1, ...wanted });
    const shown = only(await call('listInterface'));
    for (const [field, value] of Object.entries({ port: 1, type: 'tap', target: 'ethws0', ...wanted })) {
      assert.equal(shown[field as keyof Entry], value);
    }
  });

  await t.test('listFdb', async () => {
    await host.run(['ping', '-c1', '-W1', '192.0.2.2']);
    const mac = await macOf(host, 'ethws0');
    const answer = await call('listFdb');
    const entry = answer.result?.entries.find((candidate) => candidate.mac === mac);
    assert.equal(entry?.vid, 0);
    assert.equal(entry?.port, 1);
    assert.equal(typeof entry?.age, 'number');
    assert.equal(only(await call('delPort', { port: 1 })).target, 'ethws0');
    assert.deepEqual((await call('listFdb')).result, { entries: [] });
  });

  await t.test('the error codes of 1.x', async () => {
    assert.equal(failing(JSON.parse(await curl('{'))), -32700);
    assert.equal(failing(JSON.parse(await curl('{"jsonrpc":"2.0","id":1}'))), -32600);
    assert.equal(failing(JSON.parse(await curl('[]'))), -32600);
    assert.equal(failing(await call('nosuch')), -32601);
    assert.equal(failing(await call('delPort', { port: 1 })), -32602);
    assert.equal(failing(await call('addPort', { type: 'vlan', target: 'x' })), -32602);
    assert.equal(failing(await call('addPort', { type: 'client', target: 'http://127.0.0.1/' })), -32602);
    assert.equal(failing(await call('setInterface', { port: 1, mtu: 1 })), -32602);
  });

  await t.test('a batch is answered as one, a notification not at all', async () => {
    const one = { jsonrpc: '2.0', id: 'a', method: 'etherws.control.listPort' };
    const answers = JSON.parse(await curl(JSON.stringify([one, { ...one, id: 'b' }]))) as Answer[];
    assert.deepEqual(answers.map(({ id }) => id).sort(), ['a', 'b']);
    assert.equal(await curl(JSON.stringify({ ...one, id: undefined })), '');
  });
});
