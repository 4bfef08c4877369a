import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataFrame, joinFrame, queryFrame, recordsFrame } from '../../test/support/multicast-frames.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import { addMdbEntry, deleteMdbEntry } from './mdb-commands.ts';
import { listMdb } from './multicast-list.ts';
import { Switch } from './switch.ts';

const GROUP = '239.1.2.3';
const GROUP6 = 'ff05::5';

async function lab(t: { after(done: () => Promise<void>): void }) {
  const target = new Switch();
  t.after(() => target.close());
  target.configureNetwork('default', { multicastSnooping: 'on' });
  const ports = [new MemoryPort(), new MemoryPort()] as const;
  for (const port of ports) target.attach(port);
  const members = (): string[] =>
    listMdb(target, undefined)
      .filter(({ kind }) => kind === 'member')
      .map(({ vid, address, port, state }) => `${vid} ${address} ${port} ${state}`);
  return { target, ports, members };
}

test('a member that is added is permanent from the start, a setting of its port, and there while the port is down', async (t) => {
  const { target, ports, members } = await lab(t);
  const entry = addMdbEntry(target, { group: GROUP, port: 2 });
  assert.deepEqual([entry.port, entry.state, entry.expires], [2, 'permanent', null]);
  addMdbEntry(target, { group: GROUP6, port: 1, vid: 10 });
  addMdbEntry(target, { group: GROUP, port: 2 });
  assert.deepEqual(members(), [`0 ${GROUP} 2 permanent`, `10 ${GROUP6} 1 permanent`]);
  assert.deepEqual(target.attachedPort(1).values.multicastGroups, [`${GROUP6}@10`]);
  ports[0].deliver(joinFrame(GROUP), joinFrame('239.9.9.9'));
  target.administration.setShut(2, true);
  assert.deepEqual(members(), [
    `0 ${GROUP} 1 temporary`,
    `0 ${GROUP} 2 permanent`,
    '0 239.9.9.9 1 temporary',
    `10 ${GROUP6} 1 permanent`,
  ]);
});

test('a membership is deleted, set or heard, and one that is not there is an error that says where to look', async (t) => {
  const { target, ports, members } = await lab(t);
  addMdbEntry(target, { group: GROUP, port: 1 });
  ports[0].deliver(joinFrame('239.9.9.9'));
  assert.equal(deleteMdbEntry(target, { group: GROUP, port: 1 }).state, 'permanent');
  assert.equal(deleteMdbEntry(target, { group: '239.9.9.9', port: 1 }).state, 'temporary');
  assert.deepEqual(members(), []);
  assert.throws(() => deleteMdbEntry(target, { group: GROUP, port: 1 }), { code: 'ADDRESS_UNKNOWN', hint: /listmdb/ });
  assert.throws(() => addMdbEntry(target, { group: GROUP, port: 9 }), { code: 'PORT_NOT_FOUND' });
});

test('a member is refused where snooping is off, and beyond 1024 of a port', async (t) => {
  const { target, members } = await lab(t);
  for (let at = 0; at < 1024; at++) addMdbEntry(target, { group: `239.1.${at >> 8}.${at & 255}`, port: 1 });
  assert.throws(() => addMdbEntry(target, { group: '239.2.0.0', port: 1 }), { code: 'FDB_FULL', hint: /delmdb/ });
  target.configureNetwork('default', { multicastSnooping: 'off' });
  assert.throws(() => addMdbEntry(target, { group: GROUP, port: 2 }), { code: 'REQUEST_REFUSED', hint: /setnet/ });
  assert.deepEqual(members(), []);
});

test('a source of a group is added and deleted, set or heard, beside what hosts tell', async (t) => {
  const { target, ports, members } = await lab(t);
  const SSM = { group: '232.1.2.3', port: 1 };
  const lists = (): unknown[] =>
    listMdb(target, undefined)
      .filter(({ kind }) => kind === 'member')
      .map(({ filterMode, sourceList, state }) => [filterMode, sourceList.map(({ address }) => address), state]);
  const entry = addMdbEntry(target, { ...SSM, source: '192.0.2.1' });
  assert.deepEqual([entry.filterMode, entry.sourceList], ['include', [{ address: '192.0.2.1', expires: null }]]);
  assert.deepEqual(target.attachedPort(1).values.multicastGroups, ['232.1.2.3=192.0.2.1']);
  ports[0].deliver(recordsFrame([{ type: 5, group: SSM.group, sources: ['192.0.2.2', '192.0.2.1'] }]));
  const heard = ['include', ['192.0.2.2'], 'temporary'];
  assert.deepEqual(lists(), [heard, ['include', ['192.0.2.1'], 'permanent']]);
  assert.equal(deleteMdbEntry(target, { ...SSM, source: '192.0.2.2' }).state, 'temporary');
  assert.throws(() => deleteMdbEntry(target, { ...SSM, source: '192.0.2.2' }), { code: 'ADDRESS_UNKNOWN' });
  assert.throws(() => deleteMdbEntry(target, SSM), { code: 'ADDRESS_UNKNOWN' }, 'no host has told of the group');
  assert.equal(deleteMdbEntry(target, { ...SSM, source: '192.0.2.1' }).state, 'permanent');
  assert.deepEqual(members(), []);
  ports[0].deliver(recordsFrame([{ type: 4, group: SSM.group, sources: ['192.0.2.3'] }]));
  assert.deepEqual(lists(), [['exclude', ['192.0.2.3'], 'temporary']]);
  const expiries = (): unknown[] =>
    listMdb(target, undefined).flatMap(({ sourceList }) =>
      sourceList.map(({ address, expires }) => [address, expires]),
    );
  ports[0].deliver(recordsFrame([{ type: 5, group: SSM.group, sources: ['192.0.2.4'] }]));
  assert.deepEqual(expiries(), [
    ['192.0.2.3', 0],
    ['192.0.2.4', 260],
  ]);
  // What is not wanted has no membership to end; what is wanted is not wanted from now on.
  assert.throws(() => deleteMdbEntry(target, { ...SSM, source: '192.0.2.3' }), { code: 'ADDRESS_UNKNOWN' });
  deleteMdbEntry(target, { ...SSM, source: '192.0.2.4' });
  assert.deepEqual(expiries(), [
    ['192.0.2.3', 0],
    ['192.0.2.4', 0],
  ]);
  assert.throws(() => addMdbEntry(target, { ...SSM, source: '2001:db8::1' }), {
    code: 'REQUEST_REFUSED',
    hint: /IPv4/,
  });
});

test('frames of a source that the operator has set come, those of others do not, whatever hosts say and unsay', async (t) => {
  const { target, ports } = await lab(t);
  const out: Buffer[] = [];
  const member = new MemoryPort({ onFrames: (frames) => void out.push(...frames) });
  target.attach(member);
  ports[0].deliver(queryFrame({ from: '192.0.2.254', code: 1, isOld: true }));
  addMdbEntry(target, { group: '232.1.2.3', port: 3, source: '192.0.2.1' });
  const { bridge } = target.network('default');
  const receive = (from: string): number => {
    out.length = 0;
    const bridgePort = target.attachedPort(2).bridgePort;
    bridge.receive(bridgePort, batchOf(dataFrame('232.1.2.3', { from })), performance.now() + 60_000);
    return out.length;
  };
  assert.deepEqual([receive('192.0.2.1'), receive('192.0.2.2')], [1, 0]);
  member.deliver(joinFrame('232.1.2.3'));
  assert.deepEqual([receive('192.0.2.1'), receive('192.0.2.2')], [1, 1]);
  deleteMdbEntry(target, { group: '232.1.2.3', port: 3 });
  assert.deepEqual([receive('192.0.2.1'), receive('192.0.2.2')], [1, 0]);
});
