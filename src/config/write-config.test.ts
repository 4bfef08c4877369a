import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SwValues } from '../schema/sw-options.ts';
import { writeConfig } from './write-config.ts';

test('the password for the servers of a cluster is left out, and that is said', () => {
  const options = { cluster: { servers: 'nats://ann:s3cret@a,b', name: 'prod' } } as SwValues;
  const { text, omissions } = writeConfig(options, [], []);
  assert.doesNotMatch(text, /s3cret|ann/);
  assert.match(text, /servers: nats:\/\/a:4222,nats:\/\/b:4222\n/);
  assert.match(omissions.join(), /cluster\.servers/);
  assert.deepEqual(writeConfig({ cluster: { servers: 'nats://a' } } as SwValues, [], []).omissions, []);
});
