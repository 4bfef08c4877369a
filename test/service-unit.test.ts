import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DEFAULT_CONFIG, isUnchangedUnit, serviceUnit, UNIT_NAME } from '../src/cli/service-unit.ts';
import { run } from './support/process.ts';
import { missingTools } from './support/tools.ts';

/*
 * The units of contrib/systemd, checked by systemd-analyze.
 */

const DIRECTORY = 'contrib/systemd';
const UNIT = readFileSync(join(DIRECTORY, UNIT_NAME), 'utf8');
const PATHS = {
  node: '/usr/bin/node',
  script: '/usr/lib/node_modules/etherws/dist/bundle/cli/etherws.js',
  config: DEFAULT_CONFIG,
};
const skip = missingTools('systemd-analyze');
/** Each of them lowers the exposure level of `systemd-analyze security`, which ignores single calls of ~@privileged. */
const RESTRICTIONS =
  /^(DynamicUser|User|UMask|CapabilityBoundingSet|DevicePolicy|NoNewPrivileges|Protect\w+|Private\w+|RemoveIPC|Restrict\w+|LockPersonality|SystemCallArchitectures|SystemCallFilter)=(?!~)/;

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-unit-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

interface Finding {
  readonly name: string;
  readonly exposure: string | null;
}

/** The exposure of each setting, in tenths; the level is their weighted mean, rounded. */
async function findingsOf(directory: string, text: string): Promise<number> {
  const file = join(directory, UNIT_NAME);
  writeFileSync(file, text);
  const { stdout } = await run(['systemd-analyze', 'security', '--offline=true', '--json=short', file]);
  const findings = JSON.parse(stdout) as Finding[];
  return findings.reduce((sum, { exposure }) => sum + Math.round(Number(exposure ?? 0) * 10), 0);
}

async function levelOf(directory: string, text: string): Promise<number> {
  const file = join(directory, UNIT_NAME);
  writeFileSync(file, text);
  const { stdout, stderr } = await run(['systemd-analyze', 'security', '--offline=true', '--no-pager', file]);
  const level = /exposure level for etherws\.service: ([\d.]+)/.exec(stdout)?.[1];
  assert.ok(level !== undefined, stderr);
  return Number(level);
}

test('the unit of contrib is what install-service writes for a package of npm', () => {
  assert.equal(UNIT, serviceUnit(PATHS));
});

test('systemd-analyze finds no fault in the units', { skip }, async (t) => {
  const directory = directoryFor(t);
  for (const user of [undefined, 'daemon']) {
    // The path of the Node that runs the tests.
    writeFileSync(join(directory, UNIT_NAME), serviceUnit({ ...PATHS, node: process.execPath, user }));
    const sockets = ['etherws-tunnels.socket', 'etherws-control.socket'];
    for (const name of sockets) writeFileSync(join(directory, name), readFileSync(join(DIRECTORY, name)));
    const files = [UNIT_NAME, ...sockets].map((name) => join(directory, name));
    const { status, stdout, stderr } = await run(['systemd-analyze', 'verify', '--man=no', ...files]);
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  }
});

test('what a stranger could do with the service is little, and each restriction has its part in that', {
  skip,
}, async (t) => {
  const directory = directoryFor(t);
  const level = await levelOf(directory, UNIT);
  assert.ok(level <= 2, `${level} of 10`);
  // DynamicUser= implies some restrictions, so these are removed from the unit with User=.
  const units = [UNIT, serviceUnit({ ...PATHS, user: 'daemon' })];
  const idle = new Set<string>();
  for (const unit of units) {
    const findings = await findingsOf(directory, unit);
    const lines = unit.split('\n').filter((line) => RESTRICTIONS.test(line));
    assert.ok(lines.length >= 24, lines.join('\n'));
    for (const line of lines) {
      const isIdle = (await findingsOf(directory, unit.replace(`\n${line}\n`, '\n'))) <= findings;
      if (isIdle && (unit !== UNIT || idle.has(line))) assert.fail(`nothing is restricted by ${line}`);
      if (isIdle) idle.add(line);
    }
  }
  assert.ok(idle.size <= 6, [...idle].join('\n'));
});

test('an edited unit is told from one that was written', () => {
  assert.ok(isUnchangedUnit(UNIT));
  assert.ok(isUnchangedUnit(serviceUnit({ ...PATHS, user: 'daemon', hasNotifyReload: true })));
  assert.ok(!isUnchangedUnit(UNIT.replace('WatchdogSec=30s', 'WatchdogSec=60s')));
  assert.ok(!isUnchangedUnit(UNIT.slice(UNIT.indexOf('\n') + 1)));
  assert.ok(!isUnchangedUnit(''));
});

test('systemctl reload waits where systemd can, and sends the signal where it cannot', () => {
  const newer = serviceUnit({ ...PATHS, hasNotifyReload: true });
  assert.match(newer, /^Type=notify-reload$/m);
  assert.doesNotMatch(newer, /ExecReload/);
  assert.match(UNIT, /^Type=notify\nExecReload=\/bin\/kill -HUP \$MAINPID$/m);
});

test('paths are words of ExecStart, whatever is in them', () => {
  const script = String.raw`/opt/a "b" 50% \ $HOME/etherws.js`;
  const [line = ''] = /^ExecStart=.*$/m.exec(serviceUnit({ ...PATHS, script })) ?? [];
  assert.equal(
    line,
    String.raw`ExecStart=/usr/bin/node "/opt/a \"b\" 50%% \\ $$HOME/etherws.js" sw --foreground --config /etc/etherws/etherws.yaml --state /var/lib/etherws/state`,
  );
});
