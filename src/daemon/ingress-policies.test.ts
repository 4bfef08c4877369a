import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ADA, BROADCAST, MemoryLan, plain, refusals } from '../../test/support/memory-lan.ts';
import { SILENT } from '../observability/logger.ts';
import { IngressPolicies } from './ingress-policies.ts';

test('an address that is claimed in one network is free in another one', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-policies-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'policy.yaml');
  writeFileSync(path, 'users: {eve: {tunnels: {claim-first: 1}}, ada: {tunnels: {claim-first: 1}}}\n');
  const policies = await IngressPolicies.open(path, SILENT, () => undefined);
  t.after(() => policies.close());
  const [here, there] = [new MemoryLan(), new MemoryLan()];
  const [eve, victim, elsewhere] = [here.join(), here.join(), there.join()];
  policies.apply(eve.port, 'eve', 'here');
  policies.apply(victim.port, 'ada', 'here');
  policies.apply(elsewhere.port, 'ada', 'there');
  for (const each of [eve, victim, elsewhere]) each.send(plain(BROADCAST, ADA));
  assert.deepEqual([eve, victim, elsewhere].map(refusals), [{}, { sourceDenied: 1 }, {}]);
  here.bridge.detach(eve.port);
  policies.forget(eve.port);
  here.pass(300_000);
  victim.send(plain(BROADCAST, ADA));
  assert.deepEqual(refusals(victim), { sourceDenied: 1 });
});
