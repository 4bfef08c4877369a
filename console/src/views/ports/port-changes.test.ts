import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesOf, formOf } from './port-changes.ts';
import type { Port } from './port-text.ts';

const port = { name: 'office', description: null, settings: { vlanMode: 'access', pvid: 10 } } as unknown as Port;

test('the form has the values of the port, and the defaults', () => {
  const { name, description, vlanMode, pvid, vlans, mirrorTo } = formOf(port);
  assert.deepEqual([name, description, vlanMode, pvid, vlans, mirrorTo], ['office', '', 'access', '10', 'all', '']);
});

test('only changed fields are set; an emptied one takes the value away', () => {
  const before = formOf(port);
  assert.deepEqual(changesOf(before, before), {});
  const after = { ...before, name: '', pvid: ' 20', vlanMode: 'native', mirrorTo: '7' };
  assert.deepEqual(changesOf(before, after), { name: '', vlanMode: 'native', pvid: 20, mirrorTo: '7' });
});

test('what is no number goes to the switch as it was typed, which refuses it with a reason', () => {
  const before = formOf(port);
  assert.deepEqual(changesOf(before, { ...before, pvid: '1e3' }), { pvid: '1e3' });
});
