import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { run } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';

/** Hooks with real programs: their input, and programs that fail, hang, and are too slow. */

interface Place {
  path(name: string): string;
  /** @returns its path */
  program(name: string, ...lines: readonly string[]): string;
  read(name: string): string;
}

function openPlace(t: TestContext): Place {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-hooks-'));
  // Programs that run as other users write to it.
  chmodSync(directory, 0o777);
  t.after(() => rmSync(directory, { recursive: true }));
  const path = (name: string): string => join(directory, name);
  return {
    path,
    program: (name, ...lines) => {
      writeFileSync(path(name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
      return path(name);
    },
    read: (name) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : ''),
  };
}

function until(place: Place, name: string, isRight: (text: string) => boolean): Promise<string> {
  return eventually(() => Promise.resolve(place.read(name)), isRight, 60_000);
}

test('a hook is told the facts in its environment and as JSON, and gets nothing else of the switch', async (t) => {
  const place = openPlace(t);
  const up = place.program(
    'up',
    `env | grep -v '^_=\\|^SHLVL=\\|^PWD=' | sort > ${place.path('env')}`,
    `cat > ${place.path('json')}`,
    `ls /proc/self/fd | tr '\\n' ' ' > ${place.path('fds')}; pwd >> ${place.path('fds')}`,
    `echo up $ETHERWS_PORT >> ${place.path('log')}`,
  );
  const down = place.program('down', `echo down $ETHERWS_PORT >> ${place.path('log')}`);
  const file = place.path('etherws.yaml');
  writeFileSync(file, `hooks: ["tunnel-up=${up}", "tunnel-down=${down}"]\n`);
  const here = await SwitchProcess.start(t, ['--config', file]);
  const there = await SwitchProcess.start(t);
  const target = `ws://127.0.0.1:${here.tunnelPort}/`;
  await there.call('addPort', { type: 'client', target });
  await until(place, 'log', (text) => text === 'up 1\n');
  const event = JSON.parse(place.read('json'));
  assert.deepEqual(
    [event.event, event.port, event.type, event.user, event.wire],
    ['tunnel-up', 1, 'server', null, 'batched'],
  );
  const env = Object.fromEntries(
    place
      .read('env')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );
  const { PATH, LANG: _lang, LC_ALL: _all, TZ: _zone, ...facts } = env;
  assert.notEqual(PATH, '');
  assert.deepEqual(facts, {
    ETHERWS_EVENT: 'tunnel-up',
    ETHERWS_NETWORK: 'default',
    ETHERWS_PORT: '1',
    ETHERWS_SEQUENCE: String(event.sequence),
    ETHERWS_STATE: 'up',
    ETHERWS_TARGET: event.target,
    ETHERWS_TIME: event.time,
    ETHERWS_TYPE: 'server',
    ETHERWS_WIRE: 'batched',
  });
  // The descriptors of any program that the test starts; the switch must add none.
  const usual = await run(['sh', '-c', "ls /proc/self/fd | tr '\\n' ' '"]);
  assert.equal(place.read('fds'), `${usual.stdout}/\n`);
  await there.call('delPort', { port: 1 });
  await until(place, 'log', (text) => text === 'up 1\ndown 1\n');
  await there.call('addPort', { type: 'client', target });
  await until(place, 'log', (text) => text.endsWith('up 2\n'));
  // When the switch ends, its tunnels end, and their hooks are run.
  here.process.signal('SIGTERM');
  assert.equal((await here.process.exited).status, 0);
  assert.equal(place.read('log'), 'up 1\ndown 1\nup 2\ndown 2\n');
});

test('a hook that fails, one that hangs, one that says much, and more events than programs can follow', async (t) => {
  const place = openPlace(t);
  const fails = place.program('fails', 'echo one; echo two >&2; exit 7');
  const hangs = place.program('hangs', `trap '' TERM`, `echo $$ > ${place.path('pid')}`, 'while :; do sleep 1; done');
  const chatty = place.program('chatty', 'i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done');
  const slow = place.program('slow', `echo >> ${place.path('slow')}`, 'sleep 0.1');
  const lan = await SwitchProcess.start(t, [
    ...['--hook', `port-added=${fails}`, '--hook', `port-removed=${hangs}`, '--hook', `port-removed=${chatty}`],
    ...['--hook', `reload=${slow}`, '--hook-timeout', '1'],
  ]);
  const there = await SwitchProcess.start(t);
  await there.call('addPort', { type: 'client', target: `ws://127.0.0.1:${lan.tunnelPort}/` });
  await lan.process.logged(/"hook":"[^"]*fails","event":"port-added","sequence":1,"output":"one"/, 0);
  await lan.process.logged(/"output":"two"/, 0);
  await lan.process.logged(/"sequence":1,"status":7,"msg":"a hook has failed"/, 0);
  await there.call('delPort', { port: 1 });
  await lan.process.logged(/hangs".*"signal":"SIGKILL","msg":"a hook was ended, since it ran for more than 1 s"/, 0);
  const pid = Number(place.read('pid'));
  assert.throws(() => process.kill(pid, 0), /ESRCH/);
  assert.match(lan.log, /"output":"line 19"/);
  assert.doesNotMatch(lan.log, /"output":"line 20"/);
  // A flood of events: the switch must still respond.
  for (let count = 0; count < 600; count++) lan.process.signal('SIGHUP');
  await until(place, 'slow', (text) => text.length >= 2);
  assert.deepEqual(await lan.ports(), []);
});

test('a reload applies changes of hooks and their time limit, all of them or none', async (t) => {
  const place = openPlace(t);
  const noting = (name: string): string =>
    place.program(name, `echo ${name} $ETHERWS_FAILURES >> ${place.path('log')}`);
  const [one, two] = [noting('one'), noting('two')];
  const hangs = place.program('hangs', 'exec sleep 1000');
  const file = place.path('etherws.yaml');
  const write = (hooks: readonly string[], seconds: number, more = ''): void =>
    writeFileSync(file, `hooks: ${JSON.stringify(hooks)}\nhook-timeout: ${seconds}\n${more}`);
  write([`reload=${one}`], 60);
  const lan = await SwitchProcess.start(t, ['--config', file]);
  const reload = async (method: 'reload' | 'planReload'): Promise<string[]> => {
    const { entries } = await lan.call<{ entries: { action: string; what: string; error: string | null }[] }>(method);
    return entries.map(({ action, what, error }) => `${action} ${what} ${error}`);
  };
  assert.deepEqual(await reload('reload'), []);
  await until(place, 'log', (text) => text === 'one 0\n');

  write([`reload=${two}`, `port-added=${hangs}`], 1);
  const steps = ['apply hooks null', 'apply hook-timeout null'];
  assert.deepEqual(await reload('planReload'), steps);
  assert.deepEqual(await reload('reload'), steps);
  await until(place, 'log', (text) => text === 'one 0\ntwo 0\n');
  await lan.call('addPort', { type: 'client', target: 'ws://127.0.0.1:1/', options: { wait: false } });
  await lan.process.logged(/hangs".*"msg":"a hook was ended, since it ran for more than 1 s"/, 0);

  // A program that cannot be run: nothing of the file is applied.
  write([`reload=${place.path('none')}`], 2, 'ageout: 7\n');
  for (const method of ['planReload', 'reload'] as const)
    await assert.rejects(reload(method), /FILE_UNREADABLE.*Cannot run .*none.*, the hook of reload: ENOENT/);
  const since = lan.log.length;
  lan.process.signal('SIGHUP');
  await lan.process.logged(/Cannot run .*none.*"msg":"Cannot reload; what was read before stays in force"/, since);
  await until(place, 'log', (text) => text === 'one 0\ntwo 0\ntwo 1\n');
  write([], 2, 'ageout: 7\n');
  assert.deepEqual(await reload('reload'), ['apply ageout null', 'apply hooks null', 'apply hook-timeout null']);
  assert.equal(place.read('log'), 'one 0\ntwo 0\ntwo 1\n');
});

test('a program that is not there, is not executable, or an event that there is not: the switch does not start', async (t) => {
  const place = openPlace(t);
  writeFileSync(place.path('plain'), '#!/bin/sh\n', { mode: 0o644 });
  const start = (...options: readonly string[]) =>
    run([...ETHERWS, 'sw', '--foreground', '--host', '127.0.0.1', '--port', '0', '--ctlport', '0', ...options]);
  for (const [hook, status, words] of [
    [`loop=${place.path('none')}`, 1, /Cannot run ".*none", the hook of loop: ENOENT.* \(FILE_UNREADABLE\)/],
    [`loop=${place.path('plain')}`, 1, /Cannot run ".*plain", the hook of loop: EACCES.* \(FILE_UNREADABLE\)/],
    ['loop=/', 1, /Cannot run "\/", the hook of loop: it is no file \(FILE_UNREADABLE\)/],
    ['lop=/bin/true', 2, /error: --hook names no kind of event, got "lop=\/bin\/true"\nDid you mean loop\?/],
    ['loop', 2, /error: --hook must be EVENT=PROGRAM with the absolute path of a program, got "loop"/],
    ['loop=true', 2, /error: --hook must be EVENT=PROGRAM/],
  ] as const) {
    const outcome = await start('--hook', hook);
    assert.equal(outcome.status, status, outcome.stderr);
    assert.match(outcome.stderr, words);
  }
});

test('hooks run as the user that the switch has become', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const place = openPlace(t);
  const who = place.program('who', `id -u > ${place.path('uid')}`);
  await SwitchProcess.start(t, ['--user', 'nobody', '--hook', `reload=${who}`]).then(({ process: started }) => {
    started.signal('SIGHUP');
  });
  assert.equal(await until(place, 'uid', (text) => text !== ''), '65534\n');
});
