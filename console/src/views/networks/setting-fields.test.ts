import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedSettings, SETTING_FIELDS, settingText } from './setting-fields.ts';

test('what has changed is told: numbers as numbers, what is no number as it was typed', () => {
  const before = { stp: 'off', ageout: '0', priority: '32768' };
  assert.deepEqual(changedSettings(before, { stp: 'on', ageout: ' 60 ', priority: '32768' }), {
    stp: 'on',
    ageout: 60,
  });
  assert.deepEqual(changedSettings(before, { ...before, priority: 'low' }), { priority: 'low' });
});

test('values in words', () => {
  const field = (name: string) => SETTING_FIELDS.find((one) => one.name === name) ?? assert.fail(name);
  assert.equal(settingText(field('ageout'), 0), 'that of the switch');
  assert.equal(settingText(field('ageout'), 60), '60\u00a0s');
  assert.equal(settingText(field('mirrorTo'), ''), 'none');
  assert.equal(settingText(field('stp'), 'on'), 'on');
  assert.equal(settingText(field('stp'), undefined), '');
  assert.equal(settingText(field('tunnelSettings'), {}), 'none');
  assert.equal(settingText(field('tunnelSettings'), { pvid: 7 }), 'VLAN without tags (PVID): 7');
});
