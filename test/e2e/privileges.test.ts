import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { Process, run } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';

/** The mask of CAP_NET_ADMIN (12) and CAP_NET_RAW (13). */
const NETWORK_ONLY = '0000000000003000';

test('--user: another user with two capabilities, who can still add a device', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root: a user namespace of one user has nobody to become');
  const missing = missingTools('unshare', 'nsenter', 'ip');
  if (missing !== false) return t.skip(missing);
  const directory = mkdtempSync(join(tmpdir(), 'etherws-privileges-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const pidFile = join(directory, 'pid');
  const command = `ip link set lo up && exec "$@"`;
  const options = ['--foreground', '--port', '8000', '--user', 'nobody', '--pidfile', pidFile];
  const running = new Process(['unshare', '--net', 'sh', '-c', command, 'sh', ...ETHERWS, 'sw', ...options]);
  t.after(() => running.end());
  await running.output(/ready/);

  const pid = Number(readFileSync(pidFile, 'utf8'));
  const status = new Map(
    readFileSync(`/proc/${pid}/status`, 'utf8')
      .split('\n')
      .map((line) => line.split(/:\s*/, 2) as [string, string]),
  );
  const { uid } = statSync(pidFile);
  assert.notEqual(uid, 0);
  assert.equal(status.get('Uid'), [uid, uid, uid, uid].join('\t'));
  assert.match(status.get('Gid') ?? '', /^[1-9]\d*(\t[1-9]\d*){3}$/);
  assert.doesNotMatch(status.get('Groups') ?? '', /\b0\b/);
  assert.deepEqual(
    ['CapInh', 'CapPrm', 'CapEff', 'NoNewPrivs'].map((name) => status.get(name)),
    ['0000000000000000', NETWORK_ONLY, NETWORK_ONLY, '1'],
  );

  const ctl = ['nsenter', '--target', String(pid), '--net', ...ETHERWS, 'ctl'];
  const added = await run([...ctl, 'addport', 'tap', 'prv0']);
  assert.equal(added.status, 0, added.stderr);
  const configured = await run([...ctl, 'setif', '1', '--address', '192.0.2.1', '--netmask', '255.255.255.0']);
  assert.equal(configured.status, 0, configured.stderr);

  // To take a device that returns, the two capabilities suffice.
  const inside = ['nsenter', '--target', String(pid), '--net'];
  const ip = async (...args: string[]): Promise<void> => {
    const { status, stderr } = await run([...inside, 'ip', ...args]);
    assert.equal(status, 0, stderr);
  };
  await ip('link', 'add', 'nic0', 'type', 'veth', 'peer', 'name', 'wire0');
  assert.equal((await run([...ctl, 'addport', 'netdev', 'nic0'])).status, 0);
  const listed = async (): Promise<string> => (await run([...ctl, 'listport', '--long'])).stdout;
  await ip('link', 'delete', 'nic0');
  await eventually(listed, (table) => table.includes('waiting for nic0'));
  await ip('tuntap', 'add', 'nic0', 'mode', 'tap');
  await eventually(listed, (table) => /nic0 .* nic0 has no carrier\n/.test(table));
  await ip('link', 'delete', 'prv0');
  await eventually(listed, (table) => table.includes('waiting for prv0'));
  await ip('tuntap', 'add', 'prv0', 'mode', 'tap');
  await eventually(listed, (table) => /tap +up .* prv0 /.test(table));
  running.signal('SIGTERM');
  assert.equal((await running.exited).status, 0);
});

test('an unknown user is reported before anything is opened', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root');
  for (const [options, words] of [
    [['--user', 'no-such-user'], /no user "no-such-user"/],
    [['--user', 'nobody', '--group', 'no-such-group'], /no group "no-such-group"/],
    [['--group', 'nogroup'], /--group needs --user/],
  ] as const) {
    const { status, stderr } = await run([
      ...ETHERWS,
      'sw',
      '--foreground',
      '--port',
      '0',
      '--ctlport',
      '0',
      ...options,
    ]);
    assert.notEqual(status, 0);
    assert.match(stderr, words);
  }
});
