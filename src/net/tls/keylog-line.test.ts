import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { takeTrafficSecret } from './keylog-line.ts';

const RANDOM = 'ab'.repeat(32);

test('traffic secrets are taken, and every line is overwritten', () => {
  for (const bytes of [32, 48]) {
    const secret = randomBytes(bytes);
    for (const [label, owner] of [
      ['CLIENT_TRAFFIC_SECRET_0', 'client'],
      ['SERVER_TRAFFIC_SECRET_0', 'server'],
    ] as const) {
      for (const hex of [secret.toString('hex'), secret.toString('hex').toUpperCase()]) {
        const line = Buffer.from(`${label} ${RANDOM} ${hex}\n`);
        assert.deepEqual(takeTrafficSecret(line), { owner, secret });
        assert.ok(line.every((octet) => octet === 0));
      }
    }
  }
});

test('other lines, and such as no Node says, give nothing and are overwritten', () => {
  for (const text of [
    `CLIENT_RANDOM ${RANDOM} ${RANDOM}\n`,
    `EXPORTER_SECRET ${RANDOM} ${RANDOM}\n`,
    `CLIENT_TRAFFIC_SECRET_0 ${RANDOM} 0\n`,
    `CLIENT_TRAFFIC_SECRET_0 ${RANDOM} 0g\n`,
    `CLIENT_TRAFFIC_SECRET_0 ${RANDOM} \n`,
    `CLIENT_TRAFFIC_SECRET_0 ${RANDOM}`,
    'CLIENT_TRAFFIC_SECRET_0 ',
    '',
  ]) {
    const line = Buffer.from(text);
    assert.equal(takeTrafficSecret(line), undefined, text);
    assert.ok(line.every((octet) => octet === 0));
  }
});
