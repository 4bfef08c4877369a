import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ETHERWS, EtherwsSwitch } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-save-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function settingsOf(running: EtherwsSwitch): Promise<unknown[]> {
  const devices = new Map((await running.interfaces()).map((entry) => [entry.target, entry]));
  return (await running.ports()).map(({ type, target, name, description, shut }) => {
    const { addresses = [], mtu } = devices.get(target) ?? {};
    return [type, target, name, description, shut, addresses.filter((address) => !address.startsWith('fe80:')), mtu];
  });
}

test('ctl save writes a file that check accepts, and by which a switch has the same ports and options', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const directory = directoryFor(t);
  writeFileSync(join(directory, 'pw'), 'secret-of-file');
  writeFileSync(join(directory, 'policy.yaml'), '');
  writeFileSync(
    join(directory, 'etherws.yaml'),
    `tunnels: {host: 127.0.0.1, port: 0}
policy: policy.yaml
limits: {trusted-proxies: [10.0.0.0/8]}
ports:
  - {type: client, target: "ws://127.0.0.1:9/", name: up, options: {user: ann, passwd-file: pw, reconnect-max: 5}}
  - {type: tap, target: "lab%d", description: "a: b # c"}
`,
  );
  const options = ['--config', join(directory, 'etherws.yaml'), '--ageout', '77', '--logfile', join(directory, 'log')];
  const running = await EtherwsSwitch.start(await lab.host('one'), options);
  await running.done('addport', 'tap', 'two0', '--name', 'two', '--mac', '02:00:00:00:00:02');
  await running.done('setif', 'two', '--address', '192.0.2.1/24', '--address', '2001:db8::1/64', '--mtu', '1400');
  await running.done('setport', 'two', '--shut', '1');
  const secrets = [
    '--passwd',
    'secret-4711',
    '--header',
    'X-Key: secret-4712',
    '--proxy',
    'http://u:secret-4713@127.0.0.1:9/',
  ];
  await running.done('addport', 'client', 'ws://127.0.0.1:10/', '--no-wait', '--user', 'bob', ...secrets);

  const saved = join(directory, 'saved.yaml');
  const { status, stdout, stderr } = await running.ctl(['save', saved]);
  assert.deepEqual(
    [status, stdout, stderr.trimEnd().split('\n')],
    [
      0,
      '',
      [
        '  port 4 (ws://127.0.0.1:10/): its passwd came by a call: put it into a file, and name that as passwd-file',
        '  port 4 (ws://127.0.0.1:10/): proxy: left out, since it is a secret',
        '  port 4 (ws://127.0.0.1:10/): headers: left out, since it is a secret',
      ],
    ],
  );
  assert.equal(statSync(saved).mode & 0o777, 0o600);
  const text = readFileSync(saved, 'utf8');
  assert.doesNotMatch(text, /secret-/);
  assert.match(text, /# options\.passwd-file: FILE {3}put the secret/);
  assert.ok(text.includes(`policy: ${join(directory, 'policy.yaml')}`), text);
  assert.ok(text.includes(`passwd-file: ${join(directory, 'pw')}`), text);
  assert.equal((await running.ctl(['save'])).stdout, text);
  const before = await settingsOf(running);

  const other = await lab.host('other');
  const checked = await other.run([...ETHERWS, 'check', saved]);
  assert.deepEqual([checked.status, checked.stdout], [0, `${saved} is valid; it has 4 ports\n`]);
  const again = await EtherwsSwitch.start(other, ['--config', saved]);
  assert.deepEqual(await settingsOf(again), before);
  assert.equal(await again.done('reload', '--dry-run'), '  Nothing to change\n');
  const second = (await again.ctl(['save'])).stdout;
  assert.equal(second.replaceAll(/^ *#.*\n/gm, ''), text.replaceAll(/^ *#.*\n/gm, ''), 'what it saves is the same');

  // A reload of the same switch makes its ports those of the file.
  writeFileSync(join(directory, 'etherws.yaml'), readFileSync(saved));
  assert.deepEqual(
    (JSON.parse(await running.done('reload', '--json')) as { entries: { action: string; port: number }[] }).entries.map(
      ({ action, port }) => [action, port],
    ),
    // The port was opened with secrets that the file does not have.
    [['replace', 4]],
  );
});

test('ctl save that cannot write its file says so, and writes nothing', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const running = await EtherwsSwitch.start(await lab.host('host'), ['--host', '127.0.0.1', '--port', '0']);
  const { status, stdout, stderr } = await running.ctl(['save', join(directoryFor(t), 'none', 'saved.yaml')]);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /FILE_UNWRITABLE/);
});
