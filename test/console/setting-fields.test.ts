import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SETTING_FIELDS } from '../../console/src/views/networks/setting-fields.ts';
import { NETWORK_OPTIONS } from '../../src/schema/network-options.ts';

test('each setting of networks has words, and no other', () => {
  assert.deepEqual(SETTING_FIELDS.map(({ name }) => name).sort(), Object.keys(NETWORK_OPTIONS).sort());
});
