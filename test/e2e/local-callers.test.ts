import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PortEntry } from '../../src/control/schema.ts';
import { createAuthority } from '../support/certificates.ts';
import { ETHERWS, EtherwsSwitch } from '../support/etherws.ts';
import { openLab } from '../support/lab-test.ts';
import { asUser, callAndClose, curl, curlBy, DAEMON, NOBODY, type Reply } from '../support/local-caller.ts';
import { Process, run } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';

/*
 * The users of the host that a switch of root authorizes without credentials at its control API.
 */

const missing =
  process.getuid?.() === 0 ? missingTools('curl', 'setpriv', 'unshare') : 'needs root, to be several users';
const options = { skip: missing };
const LOOPBACK = ['--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];

interface Running {
  readonly process: Process;
  readonly port: number;
  readonly url: string;
}

async function start(t: TestContext, more: readonly string[] = [], command = ETHERWS): Promise<Running> {
  const line = [...command, 'sw', '--foreground', '--logformat', 'json', ...LOOPBACK, ...more];
  const process = new Process(line, { timeoutMs: 300_000 });
  t.after(() => process.end());
  await process.output(/"ready"/);
  const listening = process.stderr
    .split('\n')
    .filter((line) => line.includes('"control"') && line.includes('"listening"'));
  const { port = 0 } = JSON.parse(listening[0] ?? '{}') as { port?: number };
  return { process, port, url: `http://127.0.0.1:${port}/ctl` };
}

async function statuses(uids: readonly number[], url: string, ...more: readonly string[]): Promise<number[]> {
  const replies = await Promise.all(uids.map((uid) => curl(uid, url, ...more)));
  return replies.map(({ status }) => status);
}

async function ports({ url }: Running): Promise<PortEntry[]> {
  const { body } = await curl(0, url);
  return (JSON.parse(body) as { result: { entries: PortEntry[] } }).result.entries;
}

const warnings = ({ process }: Running): string[] =>
  process.stderr.split('\n').filter((line) => /"level":40/.test(line));

const ADD = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'etherws.control.addPort',
  params: { type: 'client', target: 'ws://127.0.0.1:9/', options: { wait: false } },
});

test('root is obeyed on the loopback, every other user gets 403 with what to do', options, async (t) => {
  const running = await start(t, ['--ctlhost', '']);
  for (const host of ['127.0.0.1', '[::1]', 'localhost', '127.1.2.3', '[::ffff:127.0.0.1]']) {
    const url = `http://${host}:${running.port}/ctl`;
    assert.deepEqual(await statuses([0, NOBODY, DAEMON], url), [200, 403, 403], host);
  }
  const { body } = await curl(NOBODY, running.url, '--data', ADD);
  const { error } = JSON.parse(body) as { error: { data: string } };
  assert.match(error.data, /^REQUEST_REFUSED: The user nobody \(uid 65534\) may not control this switch\. /);
  assert.match(error.data, /sudo.*--ctlgroup.*--ctlhtpasswd/);
  assert.deepEqual(await ports(running), []);
  // The same error in `etherws ctl`. The user may not be able to read the modules, so they are loaded before.
  // A call that fails loads what the client loads late.
  const client = new URL('../../src/control/client.js', import.meta.url).href;
  const script = `import { ControlClient } from '${client}'; import 'node:http';
    await new ControlClient({ url: 'http://127.0.0.1:1/' }).call('listPort', {}).catch(() => undefined);
    process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY});
    await new ControlClient({ url: '${running.url}' }).call('listPort', {}).catch((error) => console.log(error.message, '|', error.hint));`;
  const said = await run([process.execPath, '--input-type=module', '--eval', script]);
  assert.match(said.stdout, /^The user nobody \(uid 65534\) may not control this switch \| Call it as root \(sudo\)/);
  const listed = await run([...ETHERWS, 'ctl', '--ctlurl', running.url, 'listport']);
  assert.equal(listed.status, 0, listed.stderr);
});

test('the user that the switch runs as is obeyed', options, async (t) => {
  const running = await start(t, ['--user', 'nobody']);
  assert.deepEqual(await statuses([0, NOBODY, DAEMON], running.url), [200, 200, 403]);
});

test('--ctlgroup: members by their own group and by the list of the group', options, async (t) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'etherws-group-')));
  t.after(() => rmSync(directory, { recursive: true }));
  const groups = join(directory, 'group');
  writeFileSync(groups, 'root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\nlisted:x:4242:man,daemon\n');
  const inside = ['unshare', '--mount', 'sh', '-c', `mount --bind ${groups} /etc/group && exec "$@"`, 'sh', ...ETHERWS];
  const listed = await start(t, ['--ctlgroup', 'listed'], inside);
  assert.deepEqual(await statuses([0, DAEMON, NOBODY], listed.url), [200, 200, 403]);
  assert.match((await curl(NOBODY, listed.url)).body, /join the group listed/);
  const own = await start(t, ['--ctlgroup', 'nogroup']);
  assert.deepEqual(await statuses([0, DAEMON, NOBODY], own.url), [200, 403, 200]);
  const { status, stderr } = await run([...ETHERWS, 'sw', '--foreground', ...LOOPBACK, '--ctlgroup', 'no-such-group']);
  assert.equal(status, 1);
  assert.match(stderr, /--ctlgroup: there is no group "no-such-group"/);
});

test('--ctl-anybody: as in 1.x, with one warning', options, async (t) => {
  const open = await start(t, ['--ctl-anybody']);
  assert.deepEqual(await statuses([0, NOBODY, DAEMON], open.url), [200, 200, 200]);
  assert.deepEqual(
    warnings(open).map((line) => /every user of this host/.test(line)),
    [true],
  );
  assert.deepEqual(warnings(await start(t)), []);
});

test('a connection that its caller has closed gives no rights', options, async (t) => {
  const running = await start(t);
  // The stopped switch accepts after the peer has closed: the kernel then reports uid 0 for the peer.
  running.process.signal('SIGSTOP');
  for (const uid of [NOBODY, NOBODY, DAEMON]) {
    const { status, stderr } = await callAndClose(uid, running.port, ADD);
    assert.equal(status, 0, stderr);
  }
  running.process.signal('SIGCONT');
  // This connection is accepted after those.
  assert.deepEqual(await ports(running), []);
});

test('a request through a proxy has no user of this host, whichever user runs the proxy', options, async (t) => {
  const running = await start(t, ['--trusted-proxy', '127.0.0.1']);
  assert.equal((await curl(0, running.url)).status, 200);
  for (const proxied of [
    ['-H', 'X-Forwarded-For: 192.0.2.1'],
    ['-H', 'X-Forwarded-For: 127.0.0.1'],
    ['-H', 'Forwarded: for=192.0.2.1'],
    ['-H', 'Via: 1.1 proxy'],
    ['-H', 'X-Real-IP: 127.0.0.1'],
    ['--haproxy-protocol'],
  ]) {
    const { status, body } = await curl(0, running.url, ...proxied);
    assert.equal(status, 403, proxied.join(' '));
    assert.match(body, /through a proxy/);
  }
});

test('over TLS, and where tunnels share the listener', { skip: missing || missingTools('openssl') }, async (t) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'etherws-callers-')));
  t.after(() => rmSync(directory, { recursive: true }));
  chmodSync(directory, 0o755);
  const authority = await createAuthority(directory);
  const { key, certificate } = await authority.issue('both', ['127.0.0.1']);
  chmodSync(authority.certificate, 0o644);
  const trust = ['--cacert', authority.certificate];
  const control = await start(t, ['--ctlsslkey', key, '--ctlsslcert', certificate]);
  const url = `https://127.0.0.1:${control.port}/ctl`;
  assert.deepEqual(await statuses([0, NOBODY], url, ...trust), [200, 403]);

  // Two services with port 0 would get different ports, so a port is chosen that was free just before.
  const both = ['--port', String(control.port), '--ctlport', String(control.port)];
  await control.process.end();
  const tls = ['--sslkey', key, '--sslcert', certificate, '--ctlsslkey', key, '--ctlsslcert', certificate];
  await start(t, [...both, ...tls]);
  assert.deepEqual(await statuses([0, NOBODY], url, ...trust), [200, 403]);
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'].flatMap((h) => ['-H', h]);
  const tunnel = ['--http1.1', '-H', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...upgrade, '--max-time', '2'];
  const joined = await curl(NOBODY, url.replace('/ctl', '/'), ...trust, ...tunnel, '--get', '--data', '');
  assert.equal(joined.status, 101, 'tunnels are nothing of this');
});

test('a user of the host has no more rights by its other addresses; other hosts are as before', options, async (t) => {
  const hold = ['sh', '-c', 'ip link set lo up; ip address add 192.0.2.1/32 dev lo; exec "$@"', 'sh'];
  const running = await start(t, ['--ctlhost', '', '--host', ''], ['unshare', '--net', ...hold, ...ETHERWS]);
  const inside = ['nsenter', `--net=/proc/${running.process.pid}/ns/net`];
  const url = `http://192.0.2.1:${running.port}/ctl`;
  const called = (uid: number, ...more: string[]): Promise<Reply> => curlBy([...inside, ...asUser(uid)], url, ...more);
  assert.equal((await called(0)).status, 200);
  assert.equal((await called(NOBODY)).status, 403);
  assert.equal((await called(NOBODY, '--interface', '127.0.0.1')).status, 403);

  const lab = await openLab(t);
  const [near, far] = [await lab?.host('near'), await lab?.host('far')];
  if (lab === undefined || near === undefined || far === undefined) return;
  await lab.link(
    { host: near, device: 'veth0', addresses: ['192.0.2.1/24'] },
    { host: far, device: 'veth0', addresses: ['192.0.2.2/24'] },
  );
  const open = await EtherwsSwitch.start(near, ['--port', '8000', '--ctlhost', '']);
  assert.match(open.process.stderr, /WARN.*beyond this host/);
  const listed = await far.run([...ETHERWS, 'ctl', '--ctlurl', 'http://192.0.2.1:7867/ctl', 'listport']);
  assert.equal(listed.status, 0, listed.stderr);
});

test('an address of an interface without a carrier gives no rights', options, async (t) => {
  // While its peer is down, the device is up and its address works, but os.networkInterfaces() does not list it.
  const prepare =
    'ip link set lo up; ip link add empty type veth peer name peer; ip address add 192.0.2.9/24 dev empty';
  const hold = ['sh', '-c', `${prepare}; ip link set empty up; exec "$@"`, 'sh'];
  const running = await start(t, ['--ctlhost', '', '--host', ''], ['unshare', '--net', ...hold, ...ETHERWS]);
  const inside = ['nsenter', `--net=/proc/${running.process.pid}/ns/net`];
  const called = (uid: number): Promise<Reply> =>
    curlBy([...inside, ...asUser(uid)], running.url, '--interface', '192.0.2.9');
  assert.equal((await called(0)).status, 200);
  assert.equal((await called(NOBODY)).status, 403);
});

test('the policy speaks of users of the host by their uid', options, async (t) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'etherws-policy-')));
  t.after(() => rmSync(directory, { recursive: true }));
  const policy = join(directory, 'policy.yaml');
  const rules = [
    'users:',
    '  uid:65534:',
    '    control: {methods: [listPort]}',
    'default:',
    '  control: {methods: [listFdb]}',
  ];
  writeFileSync(policy, `${rules.join('\n')}\n`);
  const { url } = await start(t, ['--ctlgroup', 'nogroup', '--policy', policy]);
  assert.match((await curl(NOBODY, url)).body, /"result"/);
  assert.match(
    (await curl(NOBODY, url, '--data', ADD)).body,
    /METHOD_FORBIDDEN: The user uid:65534 may not call addPort/,
  );
  assert.match((await curl(0, url)).body, /METHOD_FORBIDDEN: The user uid:0 may not call listPort/);
});

test('without the addon users are known by /proc/net/tcp', options, async (t) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'etherws-no-addon-')));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync('dist/bundle', join(directory, 'dist/bundle'), { recursive: true });
  cpSync('package.json', join(directory, 'package.json'));
  symlinkSync(realpathSync('node_modules'), join(directory, 'node_modules'));
  const command = [process.execPath, join(directory, 'dist/bundle/cli/etherws.js')];
  const running = await start(t, ['--ctlhost', ''], command);
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]']) {
    assert.deepEqual(await statuses([0, NOBODY], `http://${host}:${running.port}/ctl`), [200, 403], host);
  }
  running.process.signal('SIGSTOP');
  assert.equal((await callAndClose(NOBODY, running.port, ADD)).status, 0);
  running.process.signal('SIGCONT');
  assert.deepEqual(await ports(running), []);
  const { status, stderr } = await run([...command, 'sw', '--foreground', ...LOOPBACK, '--ctlgroup', 'nogroup']);
  assert.equal(status, 1);
  assert.match(stderr, /ADDON_MISSING/);
});
