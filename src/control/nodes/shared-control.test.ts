import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryHub, MemoryStore } from '../../cluster/memory-store.ts';
import { EtherwsError } from '../../errors.ts';
import type { OwnRights } from './cluster-calls.ts';
import { SharedControl } from './shared-control.ts';

/** A policy that begins with `only` is the names of users that may do all, but ann may change only the network `lab`. */
const rightsBy = (text: string): OwnRights => ({
  mayCall: (user) => user === null || !text.startsWith('only') || text.split(' ').includes(user),
  networksOf: (user) => (user === 'ann' && text.startsWith('only') ? ['lab'] : undefined),
});

const settled = (): Promise<void> => new Promise(setImmediate);

async function controls(count: number): Promise<SharedControl[]> {
  const hub = new MemoryHub();
  const made = Array.from({ length: count }, () => {
    const checkPolicy = async (file: string, text: string): Promise<void> => {
      if (text.includes('bad')) throw new EtherwsError('POLICY_INVALID', `${file}:3:5: users.ann is bad`);
    };
    const checkNetwork = ({ ageout }: { readonly ageout: number }): void => {
      if (ageout === 13) throw new EtherwsError('ARGUMENT_INVALID', 'ageout does not fit');
    };
    return new SharedControl({ store: new MemoryStore(hub), checkNetwork, checkPolicy, rightsBy });
  });
  await settled();
  return made;
}

test('a network is added, changed and removed, with the caller and the time of each change', async () => {
  const [one, two] = (await controls(2)) as [SharedControl, SharedControl];
  await one.addNetwork('lab', { ageout: 60, lldp: 'on' }, 'ann');
  await settled();
  await assert.rejects(two.addNetwork('lab', {}, 'bob'), { code: 'NETWORK_EXISTS' });
  const changed = await two.setNetwork('lab', { fdbSize: 100 }, 'bob');
  // lldp on is the default of this network, so it is not kept.
  assert.deepEqual(changed.settings, { ageout: 60, fdbSize: 100 });
  assert.equal(changed.by, 'bob');
  assert.ok(Date.parse(changed.at) > 0);
  await settled();
  assert.equal((await one.removeNetwork('lab', 'ann')).settings, null);
  await settled();
  await assert.rejects(two.setNetwork('lab', {}, 'bob'), { code: 'NETWORK_NOT_FOUND' });
  assert.deepEqual(
    (await two.history('network.lab')).map(({ by, value, current }) => [by, value, current]),
    [
      ['ann', null, true],
      ['bob', { ageout: 60, fdbSize: 100 }, false],
      ['ann', { ageout: 60 }, false],
    ],
  );
});

test('of two changes at once the second is a conflict, and says what to do', async () => {
  const [one, two] = (await controls(2)) as [SharedControl, SharedControl];
  await one.addNetwork('lab.', {}, null);
  await settled();
  const both = await Promise.allSettled([
    one.setNetwork('lab.', { ageout: 1 }, 'ann'),
    two.setNetwork('lab.', { ageout: 2 }, 'bob'),
  ]);
  const failed = both.flatMap((result) => (result.status === 'rejected' ? [result.reason as EtherwsError] : []));
  assert.equal(failed.length, 1);
  assert.equal(failed[0]?.code, 'CLUSTER_CONFLICT');
  assert.match(failed[0]?.hint ?? '', /ctl --cluster history network\.lab\., and make/);
  await settled();
  const [latest] = await two.history('network.lab.');
  await assert.rejects(two.setNetwork('lab.', {}, 'bob', (latest?.revision ?? 0) - 1), { code: 'CLUSTER_CONFLICT' });
});

test('a former value is written again as a new revision', async () => {
  const [one] = (await controls(1)) as [SharedControl];
  const { revision } = await one.addNetwork('lab', { ageout: 60 }, 'ann');
  await one.setNetwork('lab', { ageout: 5 }, 'ann');
  const back = await one.rollback('network.lab', revision, 'bob');
  assert.deepEqual([back.value, back.by, back.current], [{ ageout: 60 }, 'bob', true]);
  assert.ok(back.revision > revision + 1);
  await assert.rejects(one.rollback('network.lab', 99, 'bob'), { code: 'ARGUMENT_INVALID' });
  await assert.rejects(one.rollback('stp/lab', 1, 'bob'), /no values of the key "stp\/lab"/);
});

test('what is wrong is not written', async () => {
  const [one] = (await controls(1)) as [SharedControl];
  await assert.rejects(one.addNetwork('lab', { ageout: 13 }, null), /does not fit/);
  const policy = one.setPolicy({ text: 'bad', file: 'site.yaml' }, null);
  await assert.rejects(policy, { code: 'POLICY_INVALID', message: 'site.yaml:3:5: users.ann is bad' });
  assert.deepEqual(await one.history(), []);
});

test('a policy is only checked, set, and rolled back', async () => {
  const [one] = (await controls(1)) as [SharedControl];
  await one.setPolicy({ text: 'first', check: true }, 'ann');
  assert.deepEqual(one.policy(), []);
  const { revision } = await one.setPolicy({ text: 'first' }, 'ann');
  await one.setPolicy({ text: 'second' }, 'ann');
  await assert.rejects(one.setPolicy({ text: 'third', revision }, 'bob'), { code: 'CLUSTER_CONFLICT' });
  assert.equal(one.policy()[0]?.text, 'second');
  await one.rollback('policy', revision, 'bob');
  assert.deepEqual([one.policy()[0]?.text, one.policy()[0]?.by], ['first', 'bob']);
});

test('the policy of the store decides whether a user may make a change', async () => {
  const [one, two] = (await controls(2)) as [SharedControl, SharedControl];
  await one.addNetwork('lab', {}, 'bob');
  await one.addNetwork('home', {}, 'bob');
  await one.setPolicy({ text: 'only ann' }, null);
  await settled();
  const at = two;
  await at.setNetwork('lab', { ageout: 60 }, 'ann');
  for (const change of [
    () => at.setNetwork('home', { ageout: 60 }, 'ann'),
    () => at.addNetwork('other', {}, 'ann'),
    () => at.removeNetwork('home', 'ann'),
    () => at.setPolicy({ text: 'only ann bob' }, 'ann'),
    () => at.setPolicy({ text: 'ann', check: true }, 'ann'),
    () => at.rollback('network.lab', 1, 'ann'),
    () => at.setNetwork('lab', { ageout: 70 }, 'bob'),
    () => at.removeNetwork('lab', 'bob'),
  ]) {
    await assert.rejects(change, { code: 'METHOD_FORBIDDEN' }, String(change));
  }
  await at.setPolicy({ text: 'only ann bob' }, null);
  await at.setNetwork('home', { ageout: 70 }, 'bob');
});
