import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryHub } from './memory-hub.ts';
import { RecentEntries } from './recent-entries.ts';
import { TableCopy } from './table-copy.ts';

test('keys that come and go need no memory for ever, and those that stay are kept', () => {
  const entries = new RecentEntries();
  let revision = 0;
  entries.set({ key: 'stays', value: 1, revision: ++revision });
  for (let at = 0; at < 20_000; at++) {
    entries.set({ key: `key ${at}`, value: at, revision: ++revision });
    entries.set({ key: `key ${at}`, value: undefined, revision: ++revision });
  }
  assert.ok(entries.size < 5000, `${entries.size} entries`);
  assert.equal(entries.get('stays')?.value, 1);
  assert.equal(entries.get('key 19999')?.revision, revision);
  assert.equal(entries.get('key 0'), undefined);
});

test('a key that is there again is not forgotten with the removed ones', () => {
  const copy = new TableCopy();
  copy.apply({ key: 'back', value: 1, revision: 1 });
  copy.apply({ key: 'back', value: undefined, revision: 2 });
  copy.apply({ key: 'back', value: 3, revision: 3 });
  for (let at = 4; at < 20_000; at++) copy.apply({ key: `key ${at}`, value: undefined, revision: at });
  assert.equal(copy.get('back')?.value, 3);
  copy.apply({ key: 'back', value: 'late', revision: 2 });
  assert.equal(copy.get('back')?.value, 3);
});

test('the hub keeps no values of removed sessions', () => {
  const hub = new MemoryHub();
  for (let at = 0; at < 10_000; at++) {
    hub.change('sessions', `key ${at}`, at);
    hub.change('sessions', `key ${at}`, undefined);
  }
  assert.ok([...hub.entries('sessions')].length < 5000);
  assert.deepEqual(hub.history('sessions', 'key 9999'), []);
});
