import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ETHERWS } from '../support/etherws.ts';
import { Process } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';
import { until } from '../support/waits.ts';

/*
 * The notifications of a switch to its service manager: datagrams to NOTIFY_SOCKET.
 */

const PROGRAM = fileURLToPath(new URL('../../../test/e2e/programs/service_manager.py', import.meta.url));
const SW = [...ETHERWS, 'sw', '--foreground', '--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];
const skip = missingTools('python3');

interface Datagram {
  readonly usec: number;
  readonly text: string;
}

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-notify-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function receive(t: TestContext, name: string): Promise<readonly Datagram[]> {
  const receiver = new Process(['python3', PROGRAM, 'notify', name]);
  t.after(() => receiver.end());
  await receiver.output(/listening\n/);
  const datagrams: Datagram[] = [];
  receiver.onLine((line) => datagrams.push(JSON.parse(line) as Datagram));
  return datagrams;
}

function start(t: TestContext, env: Record<string, string>): Process {
  const running = new Process(SW, { env });
  t.after(() => running.end());
  return running;
}

const isAbout =
  (words: RegExp) =>
  ({ text }: Datagram) =>
    words.test(text);

for (const kind of ['a path', 'an abstract name']) {
  test(`a switch tells that it is ready, reloads and stops, through ${kind}`, { skip }, async (t) => {
    const name = kind === 'a path' ? join(directoryFor(t), 'notify') : `@etherws-test-${process.pid}`;
    const said = await receive(t, name);
    const running = start(t, { NOTIFY_SOCKET: name });
    await running.output(/ready/);
    await until(() => said.some(isAbout(/^READY=1/)));
    assert.deepEqual(said.length, 1, 'nothing before it is ready, and no watchdog that nobody asked for');
    const places = String.raw`tunnels on 127\.0\.0\.1:\d+, control on 127\.0\.0\.1:\d+`;
    assert.match(said[0]?.text ?? '', new RegExp(String.raw`^READY=1\nSTATUS=0 ports, 0 tunnels up; ${places}$`));

    running.signal('SIGHUP');
    await until(() => said.length >= 3);
    const [, began, done] = said as [Datagram, Datagram, Datagram];
    const usec = Number(/^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(began.text)?.[1]);
    assert.ok(usec <= began.usec && began.usec - usec < 10_000_000, `${usec} at ${began.usec}`);
    assert.equal(done.text, 'READY=1');

    running.signal('SIGTERM');
    assert.equal((await running.exited).status, 0);
    await until(() => said.some(isAbout(/^STOPPING=1/)));
    assert.deepEqual(
      said.slice(3).map(({ text }) => text),
      ['STOPPING=1\nSTATUS=closing'],
    );
  });
}

test('the watchdog hears twice in its interval; one that is for another process hears nothing', { skip }, async (t) => {
  const directory = directoryFor(t);
  for (const [name, pid, isHeard] of [
    ['own', undefined, true],
    ['other', '1', false],
  ] as const) {
    const said = await receive(t, join(directory, name));
    const env = { NOTIFY_SOCKET: join(directory, name), WATCHDOG_USEC: '400000' };
    const running = start(t, pid === undefined ? env : { ...env, WATCHDOG_PID: pid });
    await until(() => said.some(isAbout(/^READY=1/)));
    if (isHeard) {
      await until(() => said.filter(isAbout(/^WATCHDOG=1$/)).length >= 5);
      const [first, ...beats] = said.filter(isAbout(/^WATCHDOG=1$/));
      const times = [first, ...beats].map((beat) => (beat?.usec ?? 0) / 1000);
      const intervals = times.slice(1).map((ms, index) => ms - (times[index] ?? 0));
      const meanMs = intervals.reduce((sum, ms) => sum + ms, 0) / intervals.length;
      // Two notifications in 400 ms are one in 200 ms; on a busy machine some intervals are longer.
      assert.ok(meanMs >= 190 && Math.min(...intervals) < 400, `${intervals.map(Math.round)} ms`);
    }
    running.signal('SIGTERM');
    await running.exited;
    await until(() => said.some(isAbout(/^STOPPING=1/)));
    assert.equal(said.some(isAbout(/WATCHDOG/)), isHeard);
  }
});

test('a service manager that does not listen is told of in the log, once, and the switch goes on', {
  skip,
}, async (t) => {
  const running = start(t, { NOTIFY_SOCKET: join(directoryFor(t), 'absent'), WATCHDOG_USEC: '20000' });
  await running.output(/ready/);
  await running.output(/the service manager cannot be told/);
  const since = running.stderr.length;
  running.signal('SIGHUP');
  await running.logged(/reloaded/, since);
  running.signal('SIGTERM');
  assert.equal((await running.exited).status, 0);
  assert.equal([...running.stderr.matchAll(/cannot be told/g)].length, 1);
  assert.match(running.stderr, /no such file or directory/);
});

test('a NOTIFY_SOCKET that is no name of a Unix socket is told of in words', async (t) => {
  const running = start(t, { NOTIFY_SOCKET: 'vsock:2:1234' });
  await running.output(/NOTIFY_SOCKET is neither a path nor an abstract name/);
});

test('without the addon the log says what the service manager is not told, and what to do', { skip }, async (t) => {
  const directory = realpathSync(directoryFor(t));
  cpSync('dist/bundle', join(directory, 'dist/bundle'), { recursive: true });
  cpSync('package.json', join(directory, 'package.json'));
  symlinkSync(realpathSync('node_modules'), join(directory, 'node_modules'));
  const [node = ''] = ETHERWS;
  const sw = [node, join(directory, 'dist/bundle/cli/etherws.js'), ...SW.slice(2)];
  const running = new Process(sw, { env: { NOTIFY_SOCKET: join(directory, 'notify') } });
  t.after(() => running.end());
  await running.output(/that needs the addon: build it, or use Type=exec in the unit/);
  await running.output(/ready/);
});
