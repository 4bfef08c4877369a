import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SETTING_FIELDS } from '../../console/src/views/networks/setting-fields.ts';
import { NETWORK_OPTIONS } from '../../src/schema/network-options.ts';

test('the form has the settings of networks, with their values', () => {
  const known: Readonly<Record<string, unknown>> = NETWORK_OPTIONS;
  for (const { name } of SETTING_FIELDS) assert.ok(name in known, name);
});
