import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Finding } from '../../src/runtime/finding.ts';
import { validityOf } from '../../src/runtime/finding.ts';
import { examineClock } from '../../src/runtime/host-findings.ts';
import { createAuthority } from '../support/certificates.ts';
import { ETHERWS, EtherwsSwitch, eventually } from '../support/etherws.ts';
import { htpasswdLine, LEFT, openPair, PASSWORD, USER } from '../support/lan.ts';
import { type Outcome, run } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';

const CHECKS = ['descriptors', 'capabilities', 'configuration', 'tunnels TLS', 'MTU', 'TLS'] as const;

function doctor(...args: readonly string[]): Promise<Outcome> {
  return run([...ETHERWS, 'doctor', ...args]);
}

type Found = Readonly<Partial<Record<(typeof CHECKS)[number], Finding>>>;

/** The findings of `--json`, by check. */
function found({ stdout }: Outcome): Found {
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return Object.fromEntries(findings.map((finding) => [finding.check, finding]));
}

function results(outcome: Outcome): { readonly [check: string]: string | undefined; TLS?: string; wire?: string } {
  return Object.fromEntries(Object.values(found(outcome)).map(({ check, result }) => [check, result]));
}

test('a certificate is judged by its time, and the clock by that of the program', () => {
  const validity = { validFrom: 'Jan 10 00:00:00 2026 GMT', validTo: 'Mar 10 00:00:00 2026 GMT' };
  const at = (date: string): string => validityOf('TLS', 'it', validity, Date.parse(date)).result;
  assert.deepEqual(['2026-01-09', '2026-01-11', '2026-02-23', '2026-02-25', '2026-03-11'].map(at), [
    'fail',
    'ok',
    'ok',
    'warn',
    'fail',
  ]);
  assert.deepEqual([examineClock(Date.now()).result, examineClock(0).result], ['ok', 'fail']);
});

test('doctor examines the host', { skip: missingTools('bash', 'setpriv') }, async () => {
  const well = await doctor();
  assert.equal(well.stderr, '');
  assert.match(well.stdout, /^ok {4}addon {10}loaded$/m);
  const few = await run(['bash', '-c', `ulimit -n 100; ${ETHERWS.join(' ')} doctor --json`]);
  assert.equal(few.status, 1);
  assert.equal(found(few).descriptors?.result, 'fail');
  assert.match(found(few).descriptors?.advice ?? '', /ulimit -n/);
  if (process.getuid?.() !== 0) return;
  const unable = await run(['setpriv', '--bounding-set', '-net_admin', ...ETHERWS, 'doctor', '--json']);
  assert.match(found(unable).capabilities?.found ?? '', /lacks CAP_NET_ADMIN:/);
  assert.equal(unable.status, 0, 'a warning is no failure');
});

test('doctor examines the way to a switch, step by step', { skip: missingTools('openssl', 'htpasswd') }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-doctor-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const authority = await createAuthority(directory);
  const { key, certificate } = await authority.issue('switch', ['localhost', '127.0.0.1']);
  const users = join(directory, 'users');
  writeFileSync(users, await htpasswdLine('-B', USER, PASSWORD));
  const lan = await SwitchProcess.start(t, ['--sslkey', key, '--sslcert', certificate, '--htpasswd', users]);
  const url = `wss://localhost:${lan.tunnelPort}/`;
  const trust = ['--cacerts', authority.certificate, '--json'];
  const login = ['--user', USER, '--passwd', PASSWORD];

  const well = await doctor(url, ...trust, ...login);
  assert.equal(well.status, 0, well.stdout);
  const { certificate: validity, ...others } = results(well);
  assert.ok(validity === 'ok' || validity === 'warn', 'that of the test may be short');
  const all = 'proxy name TCP MTU TLS credentials WebSocket wire'.split(' ');
  assert.deepEqual(others, Object.fromEntries([...all, 'long packets'].map((check) => [check, 'ok'])));
  assert.match(found(well).TLS?.found ?? '', /^TLSv1\.3, TLS_/);
  await lan.process.output(/closed by the peer: 1000/);

  for (const [args, check, complaint] of [
    [[url, ...trust], 'credentials', /wants a user and a password/],
    [[url, ...trust, '--user', USER, '--passwd', 'wrong'], 'credentials', /refused the user or the password/],
    [[url, '--json', ...login], 'TLS', /certificate/i],
    [[`${url}nothing`, ...trust, ...login], 'WebSocket', /404/],
    [['ws://127.0.0.1:1/', '--json'], 'TCP', /Nothing listens/],
    [['ws://nowhere.invalid/', '--json'], 'name', /nowhere\.invalid/],
    [['ws://192.0.2.1/', '--json', '--proxy', 'http://127.0.0.1:1'], 'TCP', /proxy/],
  ] as const) {
    const outcome = await doctor(...args);
    assert.equal(outcome.status, 1, outcome.stdout);
    const last = Object.values(found(outcome)).at(-1);
    assert.deepEqual([last?.check, last?.result], [check, 'fail'], outcome.stdout);
    assert.match(last?.found ?? '', complaint);
    assert.notEqual(last?.advice, undefined, outcome.stdout);
  }
  for (const args of [['http://127.0.0.1/'], [url, '--pin', 'no'], ['--nothing']]) {
    const { status, stderr } = await doctor(...args);
    assert.equal(status, 2, stderr);
  }

  const config = join(directory, 'etherws.yaml');
  writeFileSync(config, `tunnels: {sslkey: ${key}, sslcert: ${certificate}}\nports: []\n`);
  const checked = found(await doctor('--config', config, '--json'));
  assert.equal(checked.configuration?.result, 'ok');
  assert.match(checked['tunnels TLS']?.found ?? '', /is valid until/);
  writeFileSync(config, 'tunels: {}\n');
  const broken = await doctor('--config', config, '--json');
  assert.equal(broken.status, 1);
  assert.match(found(broken).configuration?.found ?? '', /etherws\.yaml:1:1: unknown key "tunels"/);
});

test('doctor tells when long packets are lost on the way', async (t) => {
  const pair = await openPair(t, 'nft');
  if (pair === undefined) return;
  const { left, right } = pair;
  await EtherwsSwitch.start(left, ['--port', '8000', '--wire', 'raw']);
  await left.check(['nft', 'add table inet way; add chain inet way in { type filter hook input priority 0; }']);
  const examine = (): Promise<Outcome> => right.run([...ETHERWS, 'doctor', `ws://${LEFT.v4}:8000/`, '--json']);
  // Node lists a device once the kernel says that it is running, which is within a second.
  const well = await eventually(examine, (outcome) => /^1500/.test(found(outcome).MTU?.found ?? ''));
  assert.deepEqual([results(well)['long packets'], results(well).TLS, results(well).wire], ['ok', 'warn', 'warn']);
  assert.equal(well.status, 0);
  assert.match(found(well).MTU?.found ?? '', /^1500 bytes at eth0/);
  await left.check(['nft', 'add rule inet way in meta length > 1000 drop']);
  const stuck = await examine();
  assert.equal(results(stuck)['long packets'], 'fail');
  assert.equal(stuck.status, 1);
});
