import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ETHERWS, EtherwsSwitch, eventually } from '../support/etherws.ts';
import { call } from '../support/http.ts';
import { openTapLab } from '../support/lab-test.ts';
import { clientMessage, frameOf } from '../support/peer-frames.ts';
import { Process, run } from '../support/process.ts';
import { RawTunnel } from '../support/raw-tunnel.ts';
import { once } from '../support/waits.ts';

const FORMATS = ['json', 'text'] as const;
const LOOPBACK = ['--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];

/** The prefix of a command whose standard error goes to `target`. */
function withStandardError(target: string): string[] {
  return ['bash', '-c', `exec "$@" 2>${target}`, 'bash', ...ETHERWS];
}

/** Shuts and unshuts port 1 fifty times, which causes 100 lines of the log. */
const TOGGLE = `
const calls = Array.from({ length: 100 }, (_, id) => (
  { jsonrpc: '2.0', id, method: 'etherws.control.setPort', params: { port: 1, shut: id % 2 === 0 } }
));
const headers = { 'Content-Type': 'application/json' };
fetch('http://127.0.0.1:7867/ctl', { method: 'POST', headers, body: JSON.stringify(calls) }).then(async (answer) => {
  const results = await answer.json();
  if (results.length !== calls.length || results.some(({ error }) => error)) throw new Error(JSON.stringify(results));
});
`;

/** The port of a service, from a log in JSON. */
function portOf(log: string, service: string): number {
  return Number(new RegExp(`"service":"${service}".*?"port":(\\d+)`).exec(log)?.[1]);
}

for (const format of FORMATS) {
  test(`a disk without room costs lines of the ${format} log, which are counted, and not the switch`, async (t) => {
    const lab = await openTapLab(t, 'mount', 'fallocate');
    const host = await lab?.host('lan');
    if (lab === undefined || host === undefined) return;
    const disk = join(lab.directory, 'disk');
    await host.check(['mkdir', disk]);
    await host.check(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    const log = join(disk, 'log');
    const lan = await EtherwsSwitch.start(host, ['--port', '8000', '--logfile', log, '--logformat', format]);
    await lan.done('addport', 'tap', 'tap0');
    await host.run(['bash', '-c', `cat /dev/zero >${disk}/filler`]);
    const full = await host.check(['cat', log]);
    // The last page of the file still has room, so more is logged than fits there.
    // Fewer than the burst of 300, within which lines about ports are not limited.
    const said = 200;
    for (let count = 0; count < said; count += 100) await host.check([process.execPath, '-e', TOGGLE]);
    const before = await host.check(['cat', log]);
    assert.ok(before.length - full.length < 4096, 'there was no room for most of it');
    await host.check(['rm', `${disk}/filler`]);
    await lan.done('setport', '1', '--shut', '1');
    const after = await eventually(
      () => host.check(['cat', log]),
      (text) => /lines of the log could not be written/.test(text),
    );
    const lost = Number(/(\d+) lines of the log/.exec(after)?.[1]);
    const written = after
      .slice(full.length)
      .split('\n')
      .filter((line) => /port (shut|opened)/.test(line)).length;
    assert.equal(written + lost, said + 1, after);
    if (format === 'json') for (const line of after.trimEnd().split('\n')) JSON.parse(line);
    assert.equal((await lan.stop()).status, 0);
  });

  for (const target of ['/dev/full', ' >(exit 0)', '&-']) {
    test(`the switch runs with its ${format} log at 2>${target}`, async (t) => {
      const lab = await openTapLab(t);
      const host = await lab?.host('lan');
      if (host === undefined) return;
      const lan = await EtherwsSwitch.start(host, ['--port', '8000', '--logformat', format], [], {
        command: withStandardError(target),
      });
      await lan.done('addport', 'tap', 'tap0');
      for (const shut of ['1', '0']) await lan.done('setport', '1', '--shut', shut);
      lan.process.signal('SIGHUP');
      assert.equal((await lan.port(1)).state, 'up');
      assert.equal((await lan.stop()).status, 0);
    });
  }
}

/** A switch that logs each learned address, and a reader of its log that reads on request. */
interface Told {
  readonly log: () => string;
  readonly read: () => void;
}

async function throughFifo(t: TestContext): Promise<Told> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-sink-'));
  const fifo = join(directory, 'log');
  t.after(() => rmSync(directory, { recursive: true }));
  assert.equal((await run(['mkfifo', fifo])).status, 0);
  const descriptor = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  t.after(() => closeSync(descriptor));
  const options = ['sw', '--foreground', '--debug', '--logformat', 'json', ...LOOPBACK];
  const program = new Process([...withStandardError(fifo), ...options], { timeoutMs: 120_000 });
  t.after(() => program.end());
  let log = '';
  const piece = Buffer.alloc(65_536);
  const read = (): void => {
    try {
      for (let count = readSync(descriptor, piece); count > 0; count = readSync(descriptor, piece)) {
        log += piece.toString('latin1', 0, count);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  };
  return { log: () => log, read };
}

async function throughSocket(t: TestContext): Promise<Told> {
  const [program = '', ...words] = ETHERWS;
  const options = [...words, 'sw', '--foreground', '--debug', '--logformat', 'json', ...LOOPBACK];
  const child = spawn(program, options, { stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  let log = '';
  const stream = child.stderr;
  stream.pause();
  const read = (): void => {
    for (let piece = stream.read() as Buffer | null; piece !== null; piece = stream.read() as Buffer | null) {
      log += piece.toString('latin1');
    }
  };
  stream.on('readable', () => undefined);
  return { log: () => log, read };
}

for (const [name, start] of [
  ['pipe', throughFifo],
  ['socket', throughSocket],
] as const) {
  test(`a reader of the log that does not read stops no switch (${name}), and hears later what it missed`, async (t) => {
    const { log, read } = await start(t);
    await eventually(
      async () => read(),
      () => log().includes('"msg":"ready"'),
    );
    const tunnel = await RawTunnel.open(t, portOf(log(), 'tunnels'));
    // Two lines for each, 4 MiB in all; the log holds up to 1 MiB for a slow reader.
    const stations = 10_000;
    const messages: Buffer[] = [];
    for (let number = 0; number < stations; number++) {
      const octets = [number >> 8, number & 0xff].map((octet) => octet.toString(16).padStart(2, '0'));
      messages.push(clientMessage(frameOf({ from: `02:00:00:00:${octets.join(':')}` })));
    }
    await tunnel.send(Buffer.concat(messages));
    const control = { port: portOf(log(), 'control') };
    await eventually(
      async () => JSON.parse((await call(control, 'listPort')).body) as { result: { entries: { rx: number }[] } },
      ({ result }) => result.entries[0]?.rx === stations,
      60_000,
    );
    await eventually(
      async () => read(),
      () => /lines of the log could not be written/.test(log()),
      60_000,
    );
    const lost = Number(/(\d+) lines of the log/.exec(log())?.[1]);
    await call(control, 'listPort');
    const lines = log().trimEnd().split('\n');
    for (const line of lines) JSON.parse(line);
    const found = lines.filter((line) => /"msg":"(learned|forwarded)"/.test(line)).length + lost;
    // A line about something else may be among the lost ones.
    assert.ok(found >= 2 * stations && found <= 2 * stations + 2, `${found} lines`);
  });
}

test('a reader of the log that goes away does not end the switch', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-sink-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const pidFile = join(directory, 'pid');
  const script = `"$@" 2> >(head -n 3 >&1) & echo $! >${pidFile}; wait $!`;
  const options = ['sw', '--foreground', '--logformat', 'json', ...LOOPBACK];
  const program = new Process(['bash', '-c', script, 'bash', ...ETHERWS, ...options], { timeoutMs: 120_000 });
  t.after(() => program.end());
  t.after(() => {
    try {
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
    } catch {
      // The process has ended.
    }
  });
  await program.output(/"msg":"ready"/);
  const control = { port: portOf(program.stdout, 'control') };
  const client = { port: portOf(program.stdout, 'tunnels') };
  for (let count = 0; count < 3; count++) await RawTunnel.open(t, client.port);
  assert.equal((await call(control, 'listPort')).status, 200);
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
  assert.equal((await program.exited).status, 0);
});

test('output that cannot be written is one line and status 1, and a reader that stops early is none', async (t) => {
  const lab = await openTapLab(t);
  const host = await lab?.host('lan');
  if (lab === undefined || host === undefined) return;
  await EtherwsSwitch.start(host, ['--port', '8000']);
  const users = join(lab.directory, 'users');
  writeFileSync(users, '');
  const commands = [
    'ctl listport',
    'ctl listport --json',
    'ctl --help',
    'sw --help',
    '--version',
    `passwd ${users} ada`,
  ];
  for (const command of commands) {
    const into = async (target: string, input = ''): Promise<[number | null, string]> => {
      const words = ['bash', '-o', 'pipefail', '-c', `"$@" ${target}`, 'bash', ...ETHERWS, ...command.split(' ')];
      const { status, stderr } = await host.run(words, { input });
      return [status, stderr];
    };
    const [status, stderr] = await into('>/dev/full', 'secret\n');
    assert.equal(status, 1, command);
    assert.match(stderr, /^ {2}Cannot write to standard output: ENOSPC[^\n]*\(FILE_UNWRITABLE\)\n$/, command);
    assert.deepEqual(await into('| true', 'secret\n'), [0, ''], command);
  }
});
