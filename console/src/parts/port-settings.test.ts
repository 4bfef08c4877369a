import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BRIDGE_PORT_OPTIONS } from '../../../src/schema/bridge-port-options.ts';
import { KNOWN_SETTINGS, settingName, settingValue } from './port-settings.ts';

test('each setting of a bridge port has words of its own, and no other', () => {
  assert.deepEqual([...KNOWN_SETTINGS].sort(), Object.keys(BRIDGE_PORT_OPTIONS).sort());
  const words = KNOWN_SETTINGS.map(settingName);
  assert.equal(new Set(words).size, words.length);
  for (const word of words) assert.match(word, /^[A-Z]/);
});

test('a setting of a newer switch is shown by its name', () => {
  assert.equal(settingName('warpFactor'), 'warpFactor');
  assert.equal(settingName('constructor'), 'constructor');
});

test('values are words, and never a text of JavaScript', () => {
  assert.deepEqual([true, false, '', 10, 'trunk', null].map(settingValue), [
    'yes',
    'no',
    'none',
    '10',
    'trunk',
    'none',
  ]);
  assert.equal(settingValue([]), 'none');
  assert.equal(settingValue(['02:00:00:00:00:01', '02:00:00:00:00:02']), '02:00:00:00:00:01, 02:00:00:00:00:02');
  assert.equal(settingValue({}), 'none');
  assert.equal(
    settingValue({ isolated: true, vlanMode: 'access' }),
    'Isolated from other isolated ports: yes; VLAN mode: access',
  );
  assert.equal(settingValue([{ macLimit: 3 }]), 'Most addresses: 3');
});
