import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TableName } from '../../src/control/live/table-keys.ts';
import { eventually } from '../support/etherws.ts';
import { LiveObserver } from '../support/live-observer.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { once } from '../support/waits.ts';

/** `observe` of a real switch, by a real WebSocket client. */

interface Tree {
  readonly network: string;
  readonly ports: readonly object[];
}

/** What makes the entries of a table of those of its list; default: they are the same. */
const LISTS: readonly (readonly [TableName, string, ((trees: readonly Tree[]) => object[])?])[] = [
  ['ports', 'listPort'],
  ['stations', 'listStation'],
  ['networks', 'listNet'],
  ['vlans', 'listVlan'],
  ['trees', 'listStp', (trees) => trees.map(({ ports: _, ...tree }) => tree)],
  [
    'treePorts',
    'listStp',
    (trees) => trees.flatMap(({ network, ports }) => ports.map((port) => ({ network, ...port }))),
  ],
  ['neighbors', 'listNeighbor'],
];
/** Members that change by themselves, and those that stand for them in a table; counters of BPDUs are in no table. */
const AGEING = ['age', 'seen', 'ttl', 'until', 'reason', 'received', 'transmitted', 'discarded'];

/** The members that this file checks, of any table. */
type Row = { readonly [M in 'portName' | 'stations' | 'name' | 'untagged' | 'started' | 'uptimeSeconds']?: unknown };

/** The entries without such members, in the order of their texts. */
function steady(entries: Iterable<object>): string[] {
  const withoutAgeing = (member: string, value: unknown): unknown => (AGEING.includes(member) ? undefined : value);
  return [...entries]
    .map((entry) => JSON.stringify(Object.fromEntries(Object.entries(entry).sort()), withoutAgeing))
    .sort();
}

test('what was sent is what the lists say, while ports, addresses and networks come and go', async (t) => {
  const target = await SwitchProcess.start(t);
  const observer = await LiveObserver.dial(t, `ws://127.0.0.1:${target.controlPort}/ctl`);
  const row = (table: TableName, key: string): Row | undefined =>
    observer.table(table).rows.get(key) as Row | undefined;
  const tables = LISTS.map(([table]) => table);
  assert.deepEqual(await observer.call('observe', { tables: [...tables, 'status'] }), [
    { tables: [...tables, 'status'], refused: [], interval: 1 },
  ]);
  const agree = async (): Promise<void> => {
    for (const [table, method, make] of LISTS) {
      const listed = async (): Promise<readonly object[]> => {
        const { entries } = await target.call<Listed>(method);
        return make === undefined ? entries : make(entries as readonly Tree[]);
      };
      await eventually(
        async () => [steady(observer.table(table).rows.values()), steady(await listed())],
        ([told, listed]) => JSON.stringify(told) === JSON.stringify(listed),
      );
    }
  };
  await agree();
  const dial = (name: string, network = 'default') =>
    target.call('addPort', { type: 'client', target: 'ws://127.0.0.1:1/', name, network, options: { wait: false } });
  await target.call('addNet', { network: 'lab', stp: 'on' });
  for (const name of ['ada', 'bob']) await dial(name);
  for (const name of ['cem', 'dan']) await dial(name, 'lab');
  await agree();
  assert.equal(observer.table('networks').rows.size, 2);

  await target.call('setPort', { port: 'bob', vlanMode: 'access', pvid: 7, description: 'door' });
  await target.call('addFdb', { mac: '02:00:00:00:00:01', port: 'ada' });
  await target.call('addFdb', { mac: '02:00:00:00:00:02', port: 'cem' });
  await target.call('setPort', { port: 'cem', name: 'eve', shut: true });
  await agree();
  assert.equal(row('stations', 'default|0|02:00:00:00:00:01')?.portName, 'ada');
  assert.equal(row('ports', '1')?.stations, 1);
  assert.equal(row('ports', '3')?.name, 'eve');
  assert.deepEqual(row('vlans', 'default|7')?.untagged, [2]);

  await target.call('delPort', { port: 'ada' });
  await target.call('delNet', { network: 'lab', force: true });
  await agree();
  assert.deepEqual([...observer.table('ports').rows.keys()], ['2']);
  assert.deepEqual([...observer.table('networks').rows.keys()], ['default']);

  const status = row('status', 'status');
  assert.ok(Date.parse(String(status?.started)) <= Date.now() && status?.uptimeSeconds === undefined);
  assert.deepEqual(await observer.call('unobserve'), [{ tables: [...tables, 'status'] }]);
  const { length } = observer.pieces;
  await dial('fay');
  const again = await LiveObserver.dial(t, `ws://127.0.0.1:${target.controlPort}/ctl`);
  await again.call('observe', { tables: ['ports'] });
  await eventually(
    async () => again.table('ports').rows.size,
    (size) => size === 2,
  );
  assert.equal(observer.pieces.length, length, 'nothing came behind unobserve');
});

interface Listed {
  readonly entries: readonly object[];
}

test('a user observes what it may list, and no more when the policy changes', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-observe-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [users, policy] = [join(directory, 'users'), join(directory, 'policy.yaml')];
  writeFileSync(users, 'ada:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=\n');
  const allow = (methods: string): void => writeFileSync(policy, `default:\n  control: {methods: [${methods}]}\n`);
  allow('observe, listPort, listNet, addPort');
  const headers = { Authorization: `Basic ${Buffer.from('ada:hello').toString('base64')}` };
  const options = ['--ctlhtpasswd', users, '--policy', policy];
  const target = await SwitchProcess.start(t, options, headers);
  const observer = await LiveObserver.dial(t, `ws://127.0.0.1:${target.controlPort}/ctl`, { headers });

  assert.match(
    String(await observer.call('observe', { tables: ['stations', 'status'] })),
    /^METHOD_FORBIDDEN: The user ada may not observe stations, status\. .*listStation, getStatus/,
  );
  assert.deepEqual(await observer.call('observe', { tables: ['ports', 'stations', 'networks', 'ports'] }), [
    { tables: ['ports', 'networks'], refused: ['stations'], interval: 1 },
  ]);
  await target.call('addPort', { type: 'client', target: 'ws://127.0.0.1:1/', options: { wait: false } });
  await eventually(
    async () => observer.table('ports').rows.size,
    (size) => size === 1,
  );
  allow('observe, listNet, addPort');
  target.process.signal('SIGHUP');
  await eventually(
    async () => observer.pieces.filter(({ forbidden }) => forbidden === true),
    (pieces) => pieces.length === 1 && pieces[0]?.table === 'ports',
  );
  assert.equal(observer.table('ports').rows.size, 0);
  assert.equal(observer.table('networks').rows.size, 1);
  assert.match(String(await observer.call('observe', { tables: ['ports'] })), /^METHOD_FORBIDDEN: /);
});

test('observe refuses what it cannot do', async (t) => {
  const target = await SwitchProcess.start(t);
  const observer = await LiveObserver.dial(t, `ws://127.0.0.1:${target.controlPort}/ctl`);
  for (const [params, complaint] of [
    [{}, /^ARGUMENT_INVALID: /],
    [{ tables: ['prots'] }, /^ARGUMENT_INVALID: tables\[0\] must be one of ports, stations/],
    [{ tables: ['ports'], interval: 0 }, /^ARGUMENT_INVALID: interval must be a whole number from 1 to 60, got 0/],
    [{ tables: ['ports'], interval: 61 }, /^ARGUMENT_INVALID: interval/],
    [{ tables: new Array(9).fill('ports') }, /^ARGUMENT_INVALID: tables has 9 items, more than 8/],
  ] as const) {
    assert.match(String(await observer.call('observe', params)), complaint);
  }
  await assert.rejects(
    target.call('observe', { tables: ['ports'] }),
    /REQUEST_REFUSED: Tables and their differences come by WebSocket/,
  );
  assert.deepEqual(await observer.call('observe', { tables: ['ports'] }), [
    { tables: ['ports'], refused: [], interval: 1 },
  ]);
  const closed = once(observer.webSocket, 'close');
  target.process.signal('SIGTERM');
  assert.equal((await closed)[0], 1001);
});
