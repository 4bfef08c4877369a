import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { Process } from '../support/process.ts';
import { LAB_ETHERWS, missingSystemd, SystemdLab } from '../support/systemd.ts';
import { Tmux } from '../support/tmux.ts';
import { missingTools } from '../support/tools.ts';

/*
 * What the log looks like by where it leads, without options: a terminal, a pipe, a file, the journal.
 */

const SW = ['sw', '--foreground', '--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];

type Entry = Readonly<Record<string, string>>;

const systemd = missingSystemd() || missingTools('journalctl');

/** The entries of etherws in the journal of the machine. */
async function journalOf(lab: SystemdLab): Promise<Entry[]> {
  const text = await lab.done('journalctl', '--output=json', '--no-pager', 'SYSLOG_IDENTIFIER=etherws');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
}

/** Runs a switch on a terminal; it ends with the terminal, whose SIGHUP alone would be a reload. */
function onTerminal(t: TestContext, ...options: readonly string[]): Promise<Tmux> {
  const script = 'trap "kill \\$!" HUP; "$@" & wait; kill $!';
  return Tmux.open(t, ['bash', '-c', script, 'bash', ...ETHERWS, ...SW, ...options], { columns: 160 });
}

test('on a terminal the log is text, with colours', { skip: missingTools('tmux', 'bash') }, async (t) => {
  const terminal = await onTerminal(t);
  await terminal.shows(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO \(\d+\): ready \{"room":"daemon"\}$/m);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it begins a colour.
  assert.match(await terminal.screen(true), /\u001b\[32mINFO/);
});

test('through a pipe the log is JSON, one object a line', async (t) => {
  const piped = new Process([...ETHERWS, ...SW]);
  t.after(() => piped.end());
  await piped.output(/"msg":"ready"/);
  piped.signal('SIGTERM');
  const { stderr } = await piped.exited;
  const lines = stderr.trimEnd().split('\n');
  const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  assert.deepEqual(messages, ['listening', 'listening', 'ready', 'closing']);
});

test('the file of --logfile is JSON, also where a terminal started the switch', {
  skip: missingTools('tmux', 'bash'),
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-formats-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'log');
  const terminal = await onTerminal(t, '--logfile', file);
  await terminal.shows(/INFO: listening /);
  const log = await eventually(
    async () => readFileSync(file, 'utf8'),
    (text) => text.endsWith('\n'),
  );
  for (const line of log.trimEnd().split('\n')) JSON.parse(line);
  assert.match(log, /"msg":"ready"/);
});

test('journald without journald: every line is on standard error, with its priority', async (t) => {
  const namespaces = process.getuid?.() === 0 ? ['unshare', '--mount', 'sh', '-c'] : undefined;
  if (namespaces === undefined) return t.skip('needs root, to hide the journal of this host');
  // Hides the socket of a journald that may run on this host.
  const hide = 'mount -t tmpfs tmpfs /run && exec "$@"';
  const program = new Process([...namespaces, hide, 'sh', ...ETHERWS, ...SW, '--logformat', 'journald']);
  t.after(() => program.end());
  await program.output(/^<6>ready \{"room":"daemon","pid":\d+\}$/m);
  for (const line of program.stderr.trimEnd().split('\n')) assert.match(line, /^<6>(listening|ready) \{/);
});

test('a service logs to the journal: an entry a line, with a field for each of its fields', {
  skip: systemd,
}, async (t) => {
  const lab = await SystemdLab.start(t);
  await lab.done('systemctl', 'start', 'systemd-journald.socket', 'systemd-journald.service');
  await lab.done(...LAB_ETHERWS, 'install-service');
  await lab.done('systemctl', 'daemon-reload');
  await lab.done('systemctl', 'start', 'etherws');
  await lab.done(...LAB_ETHERWS, 'ctl', 'addport', 'tap', 'tap0', '--name', 'uplink');
  const entries = await eventually(
    () => journalOf(lab),
    (found) => found.some(({ ETHERWS_MSG: msg }) => msg === 'port attached'),
  );
  const { MainPID: pid } = await lab.show('etherws', 'MainPID');
  for (const { _TRANSPORT: way, _SYSTEMD_UNIT: unit, _PID: of, PRIORITY: priority } of entries)
    assert.deepEqual([way, unit, of, priority], ['journal', 'etherws.service', pid, '6']);
  const { MESSAGE: text, ...attached } = entries.find(({ ETHERWS_MSG: msg }) => msg === 'port attached') ?? {};
  assert.equal(text, 'port attached {"room":"switch","port":1,"portName":"uplink","target":"tap0","type":"tap"}');
  assert.deepEqual(Object.fromEntries(Object.entries(attached).filter(([name]) => name.startsWith('ETHERWS_'))), {
    ETHERWS_ROOM: 'switch',
    ETHERWS_PORT: '1',
    ETHERWS_PORT_NAME: 'uplink',
    ETHERWS_TARGET: 'tap0',
    ETHERWS_TYPE: 'tap',
    ETHERWS_MSG: 'port attached',
  });
  const found = await lab.done('journalctl', '--output=cat', '--no-pager', '-u', 'etherws', 'ETHERWS_PORT_NAME=uplink');
  assert.match(found, /^port attached .*\n/);

  // A journald that is away: nothing is lost, and the count is in the journal.
  await lab.done('systemctl', 'stop', 'systemd-journald.socket', 'systemd-journald-dev-log.socket', 'systemd-journald');
  await lab.done('rm', '-f', '/run/systemd/journal/socket');
  for (const shut of ['1', '0']) await lab.done(...LAB_ETHERWS, 'ctl', 'setport', 'uplink', '--shut', shut);
  await lab.done('systemctl', 'start', 'systemd-journald.socket', 'systemd-journald.service');
  await lab.done(...LAB_ETHERWS, 'ctl', 'setport', 'uplink', '--shut', '1');
  const later = await eventually(
    () => journalOf(lab),
    (found) => found.some(({ ETHERWS_REFUSED_LINES: lines }) => lines !== undefined),
  );
  const { MESSAGE: notice } = later.find(({ ETHERWS_REFUSED_LINES: lines }) => lines !== undefined) ?? {};
  assert.equal(notice?.split(' {')[0], 'journald did not take 2 lines of the log (ENOENT): they are on standard error');
});
