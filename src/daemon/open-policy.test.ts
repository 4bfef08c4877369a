import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../../test/support/waits.ts';
import { Switch } from '../networks/switch.ts';
import { SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { Lifetime } from './lifetime.ts';
import { openPolicy } from './open-policy.ts';

type Config = Parameters<typeof openPolicy>[0];

const CLUSTER = {} as NonNullable<Config['cluster']>;
const FORBIDDEN = 'users: {eve: {tunnels: {allowed: false}}}';

async function opened(t: TestContext, config: Config) {
  const etherSwitch = new Switch();
  const lifetime = new Lifetime(SILENT);
  t.after(async () => {
    await lifetime.close();
    await etherSwitch.close();
  });
  return { ...(await openPolicy(config, etherSwitch, lifetime, SILENT)), etherSwitch, lifetime };
}

function fileOf(t: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-policy-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'policy.yaml');
  writeFileSync(file, text);
  return file;
}

test('a switch without a file and a cluster has no policy', async (t) => {
  const { policy, shared } = await opened(t, { policyFile: undefined, cluster: undefined });
  assert.deepEqual([policy, shared], [undefined, undefined]);
});

test('a node without a file allows all until it has the policy of its cluster, and closes tunnels that this forbids', async (t) => {
  const { policy, shared, etherSwitch } = await opened(t, { policyFile: undefined, cluster: CLUSTER });
  assert.equal(policy?.allowanceOf('eve'), Number.POSITIVE_INFINITY);
  for (const user of ['eve', 'ada']) {
    const port = etherSwitch.port(etherSwitch.attach(new MemoryPort(), { user }));
    policy?.apply(port, user, 'default');
  }
  shared?.set(FORBIDDEN);
  await policy?.refresh();
  assert.equal(policy?.allowanceOf('eve'), 0);
  await until(() => etherSwitch.ports.size === 1);
  assert.equal(etherSwitch.attachedPort(2).user, 'ada');
});

test('a file has precedence over the cluster, and is read again by a reload', async (t) => {
  const policyFile = fileOf(t, 'users: {}');
  const { policy, shared, lifetime } = await opened(t, { policyFile, cluster: CLUSTER });
  assert.equal(shared, undefined);
  assert.equal(policy?.allowanceOf('eve'), Number.POSITIVE_INFINITY);
  writeFileSync(policyFile, FORBIDDEN);
  assert.deepEqual(await lifetime.reload(), []);
  assert.equal(policy?.allowanceOf('eve'), 0);
  writeFileSync(policyFile, 'users: 7');
  assert.match(String(await lifetime.reload()), /policy\.yaml:1/);
  assert.equal(policy?.allowanceOf('eve'), 0, 'the former one stays in force');
});
