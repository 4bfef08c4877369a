import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../support/etherws.ts';
import { fencedBlocks } from '../support/fenced-blocks.ts';
import { LAB_ETHERWS, missingSystemd, SystemdLab } from '../support/systemd.ts';

/*
 * The service as for an operator: installed by the command, started, reloaded, watched and removed by systemd.
 */

const skip = missingSystemd();
const UNIT = '/etc/systemd/system/etherws.service';
const DROP_IN = `${UNIT}.d/test.conf`;
/** CAP_NET_BIND_SERVICE (10), CAP_NET_ADMIN (12) and CAP_NET_RAW (13). */
const CAPABILITIES = '0000000000003400';

const logOf = (lab: SystemdLab): Promise<string> => lab.done('sh', '-c', 'cat /srv/log 2>/dev/null || true');
const logs = (lab: SystemdLab, words: RegExp): Promise<string> =>
  eventually(
    () => logOf(lab),
    (text) => words.test(text),
  );

/** The commands of a section of the page. */
function commandsOf(section: string): string {
  const found = fencedBlocks('docs/operate/service.md').find((block) => block.section === section);
  assert.equal(found?.language, 'sh', `${section} has commands`);
  return found?.text ?? '';
}

async function install(lab: SystemdLab, more = ''): Promise<void> {
  await lab.done(...LAB_ETHERWS, 'install-service');
  await lab.write(DROP_IN, `[Service]\nStandardError=append:/srv/log\n${more}`);
  await lab.done('systemctl', 'daemon-reload');
}

test('install-service: the service starts, forwards, reloads, is watched, and goes', { skip }, async (t) => {
  const lab = await SystemdLab.start(t);
  const first = await lab.done(...LAB_ETHERWS, 'install-service', '--dry-run');
  assert.match(first, /would write \/etc\/systemd\/system\/etherws\.service:\n(.|\n)*would write \/etc\/etherws/);
  assert.notEqual((await lab.run(['test', '-e', UNIT])).status, 0, 'a dry run writes nothing');

  await install(lab, 'WatchdogSec=2s\nRestartSec=100ms\n');
  const again = await lab.done(...LAB_ETHERWS, 'install-service');
  assert.match(again, /^unchanged: \/etc\/systemd\/system\/etherws\.service\nNext:/);
  assert.match(await lab.done('cat', '/etc/etherws/etherws.yaml'), /host: 127\.0\.0\.1/);
  await lab.write('/etc/etherws/etherws.yaml', 'tunnels:\n  host: 127.0.0.1\n  port: 80\n');

  assert.match(await lab.type(commandsOf('A service')), /Active: active \(running\)/);
  assert.match(await logOf(lab), /ready/, 'systemctl start returns when the services listen');
  const { MainPID: pid = '', StatusText } = await lab.show('etherws', 'MainPID', 'StatusText');
  assert.match(StatusText ?? '', /^0 ports, 0 tunnels up; tunnels on 127\.0\.0\.1:80, control on 127\.0\.0\.1:7867$/);
  const status = await lab.done('cat', `/proc/${pid}/status`);
  for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
    assert.match(status, new RegExp(`${set}:\t${CAPABILITIES}`));
  assert.match(status, /NoNewPrivs:\t1\nSeccomp:\t2/);
  assert.doesNotMatch(status, /^[UG]id:\t0/m);

  await lab.done(...LAB_ETHERWS, 'ctl', 'addport', 'tap', 'tap0');
  await lab.done(...LAB_ETHERWS, 'ctl', 'setif', '1', '--address', '192.0.2.1/24');
  assert.match(await lab.done('ip', 'address', 'show', 'tap0'), /inet 192\.0\.2\.1\/24/);
  await lab.done('ip', 'link', 'add', 'nic0', 'type', 'veth', 'peer', 'name', 'nic1');
  await lab.done(...LAB_ETHERWS, 'ctl', 'addport', 'netdev', 'nic0');
  await eventually(
    async () => Object.values(await lab.show('etherws', 'StatusText')).join(),
    (text) => text.startsWith('2 ports, '),
  );

  await lab.done('ip', 'netns', 'add', 'other');
  const elsewhere = await lab.run([...LAB_ETHERWS, 'ctl', 'addport', 'tap', 'tap9', '--netns', 'other']);
  assert.match(elsewhere.stderr, /PERMISSION_DENIED: .*network namespace/, 'as the page says');
  await lab.type(commandsOf('Configuration').replace(/^journalctl.*$/m, ''));
  await logs(lab, /reloaded/);
  await eventually(
    () => lab.show('etherws', 'ActiveState', 'MainPID'),
    ({ ActiveState, MainPID }) => ActiveState === 'active' && MainPID === pid,
  );

  // Blocks the event loop.
  await lab.done('kill', '-STOP', pid);
  const { MainPID = '' } = await eventually(
    () => lab.show('etherws', 'NRestarts', 'ActiveState', 'MainPID'),
    ({ NRestarts, ActiveState }) => NRestarts === '1' && ActiveState === 'active',
  );
  await lab.done('kill', '-KILL', MainPID);
  await eventually(
    () => lab.show('etherws', 'NRestarts', 'ActiveState'),
    ({ NRestarts, ActiveState }) => NRestarts === '2' && ActiveState === 'active',
  );

  const refused = await lab.run([...LAB_ETHERWS, 'uninstall-service']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /is enabled.*\n.*systemctl disable --now etherws/);
  await lab.type(commandsOf('Removal'));
  assert.match(await logOf(lab), /"signal":"SIGTERM","msg":"closing"/);
  assert.deepEqual(await lab.show('etherws', 'Result', 'ActiveState'), { Result: 'success', ActiveState: 'inactive' });

  assert.notEqual((await lab.run(['test', '-e', UNIT])).status, 0);
  await lab.done('test', '-e', '/etc/etherws/etherws.yaml');
});

test('install-service and uninstall-service refuse in words what they cannot do', { skip }, async (t) => {
  const lab = await SystemdLab.start(t);
  const refuses = async (words: RegExp, ...command: readonly string[]): Promise<void> => {
    const { status, stdout, stderr } = await lab.run(command);
    assert.match(stderr, words);
    assert.deepEqual([status, stdout], [words.source.startsWith('error') ? 2 : 1, '']);
  };
  const etherws = (...args: readonly string[]): string[] => [...LAB_ETHERWS, ...args];
  await refuses(/There is no unit/, ...etherws('uninstall-service'));
  await refuses(/error: --user: "a b" cannot be/, ...etherws('install-service', '--user', 'a b'));
  await refuses(/There is no file \/etc\/none\.yaml/, ...etherws('install-service', '--config', '/etc/none.yaml'));
  await lab.done('mkdir', '/tmp/etherws');
  await lab.done('mount', '--rbind', '/srv/etherws', '/tmp/etherws');
  const hidden = [LAB_ETHERWS[0] ?? '', '/tmp/etherws/dist/bundle/cli/etherws.js', 'install-service'];
  await refuses(/could not read \/tmp\/etherws\/.*\(UNIT_UNUSABLE\)\n.*for all users/, ...hidden);
  await refuses(
    /cannot be changed \(EACCES\).*\n.*sudo/,
    'setpriv',
    '--reuid=65534',
    '--clear-groups',
    ...etherws('install-service'),
  );
  await lab.done('systemctl', 'mask', 'etherws');
  await refuses(/but a symbolic link.*\n.*systemctl unmask/, ...etherws('install-service'));
  await lab.done('systemctl', 'unmask', 'etherws');

  const told = await lab.done(...etherws('install-service', '--root', '/srv/image', '--user', 'daemon'));
  assert.match(
    told,
    /^wrote \/srv\/image\/etc\/systemd\/system\/etherws\.service\nwrote \/srv\/image\/etc\/etherws\/etherws\.yaml/,
  );
  const modes = await lab.done('sh', '-c', 'cd /srv/image && find . -type f -printf "%m %p\\n" | sort');
  assert.equal(modes, '644 ./etc/etherws/etherws.yaml\n644 ./etc/systemd/system/etherws.service\n');
  assert.match(await lab.done('cat', `/srv/image${UNIT}`), /^User=daemon$/m);

  await lab.done(...etherws('install-service'));
  await lab.done('sed', '-i', 's/^RestartSec=1s/RestartSec=2s/', UNIT);
  for (const command of ['install-service', 'uninstall-service'])
    await refuses(/is not as etherws wrote it(.|\n)*systemctl edit etherws/, ...etherws(command));
  await lab.done('sed', '-i', 's/^RestartSec=2s/RestartSec=1s/', UNIT);
  await lab.done(...etherws('uninstall-service', '--dry-run'));
  await lab.done('test', '-e', UNIT);
  await lab.done(...etherws('uninstall-service'));
});

test('the seccomp filter and the rules of devices hold, and W^X cannot', { skip }, async (t) => {
  const lab = await SystemdLab.start(t);
  await install(lab);
  const [node = ''] = LAB_ETHERWS;
  const unit = await lab.done('cat', UNIT);
  /** Runs a script by Node as the unit would run the switch. */
  const probe = async (code: string, restrictions: string): Promise<{ isDone: boolean; log: string }> => {
    await lab.write('/srv/probe.js', `const fs = require('node:fs');\n${code}`);
    const how = `ExecStart=${node} /srv/probe.js\nStandardError=truncate:/srv/probe.log\nStandardOutput=truncate:/srv/probe.log\n`;
    await lab.write('/etc/systemd/system/probe.service', `[Service]\nType=oneshot\n${restrictions}\n${how}`);
    await lab.done('systemctl', 'daemon-reload');
    const { status } = await lab.run(['systemctl', 'start', 'probe']);
    return { isDone: status === 0, log: await lab.done('cat', '/srv/probe.log') };
  };
  const isHow = /^(Type|Exec\w+|Restart\w*|WatchdogSec|NotifyAccess|Description|After|Wants|WantedBy)=/;
  const restrictions = unit
    .split('\n')
    .filter((line) => /^[A-Z]\w+=/.test(line) && !isHow.test(line))
    .join('\n');
  for (const [code, words] of [
    ['console.log(process.getuid())', /^[1-9]\d+\n$/],
    ["fs.openSync('/dev/net/tun', 'r+')", undefined],
    ["fs.openSync('/dev/kmsg', 'r')", /EPERM|EACCES/],
    ["fs.writeFileSync('/etc/etherws/x', '')", /EROFS|EACCES/],
    ["fs.writeFileSync('/var/lib/etherws/x', '')", undefined],
    // To chown its own file to itself is permitted without the filter.
    ["fs.chownSync('/var/lib/etherws/x', process.getuid(), process.getgid())", /EPERM/],
    ["require('os').setPriority(5)", /EPERM|EACCES/],
  ] as const) {
    const { isDone, log } = await probe(code, restrictions);
    assert.match(log, words ?? /^$/, code);
    assert.equal(isDone, words === undefined || code.startsWith('console'), `${code}: ${log}`);
  }
  // V8 writes machine code to memory and then makes it executable. Where this passes, the unit can have the directive.
  assert.ok((await probe('0', '')).isDone);
  assert.ok(!(await probe('0', 'MemoryDenyWriteExecute=yes')).isDone);
});

test('socket units: the first connection starts the service, and a restart refuses none', { skip }, async (t) => {
  const lab = await SystemdLab.start(t);
  await install(lab);
  await lab.write('/etc/etherws/etherws.yaml', 'tunnels:\n  host: 192.0.2.1\ncontrol:\n  group: adm\n');
  for (const name of ['etherws-tunnels.socket', 'etherws-control.socket'])
    await lab.write(`/etc/systemd/system/${name}`, readFileSync(`contrib/systemd/${name}`, 'utf8'));
  await lab.done('systemctl', 'daemon-reload');
  await lab.done('systemctl', 'start', 'etherws-tunnels.socket', 'etherws-control.socket');
  assert.deepEqual(await lab.show('etherws', 'ActiveState'), { ActiveState: 'inactive' });
  await lab.done(...LAB_ETHERWS, 'ctl', '--ctlurl', 'unix:/run/etherws-control.sock', 'listport');
  assert.match(await logOf(lab), /"service":"tunnels","address":"::","port":443/);

  const [node = ''] = LAB_ETHERWS;
  // 426: the service requires a WebSocket. Successive requests, each on a new connection.
  const program = `
    const get = () => new Promise((done) => require('http').get(
      { port: 443, agent: false }, (answer) => { answer.resume(); done(answer.statusCode); }).on('error', (e) => done(e.code)));
    const counts = {}; let goes = true;
    process.stdin.on('data', () => { goes = false; });
    (async () => { while (goes) { const got = await get(); counts[got] = (counts[got] ?? 0) + 1; console.log('got'); } 
      console.log(JSON.stringify(counts)); process.exit(); })();`;
  const client = lab.spawn([node, '-e', program], { isInteractive: true });
  t.after(() => client.end());
  await client.output(/got/);
  for (let restarts = 0; restarts < 3; restarts++) await lab.done('systemctl', 'restart', 'etherws');
  client.write('\n');
  const { stdout } = await client.exited;
  const counts = stdout.trim().split('\n').at(-1) ?? '';
  assert.match(counts, /"426":\d/);
  assert.doesNotMatch(counts, /ECONNREFUSED/, 'systemd listens in between');
});
