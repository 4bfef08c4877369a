import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { run } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { Tmux } from '../support/tmux.ts';
import { missingTools } from '../support/tools.ts';

const { PATH = '' } = process.env;

/** Completion in real shells on a terminal, and the command behind it. */

interface Bench {
  readonly directory: string;
  readonly env: Record<string, string> & { readonly PATH: string };
  readonly url: string;
}

/** Starts a switch with two named ports, and puts `etherws` into PATH. */
async function openBench(t: TestContext): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-completion-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const lan = await SwitchProcess.start(t);
  for (const name of ['uplink', 'lab-2', undefined]) {
    const options = { wait: false };
    await lan.call('addPort', { type: 'client', target: 'ws://127.0.0.1:1/', options, ...(name && { name }) });
  }
  await lan.call('addNet', { network: 'lab' });
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'etherws'), `#!/bin/sh\nexec ${ETHERWS.map((word) => `'${word}'`).join(' ')} "$@"\n`);
  chmodSync(join(bin, 'etherws'), 0o755);
  writeFileSync(join(directory, 'only-file.yaml'), '');
  const url = `http://127.0.0.1:${lan.controlPort}/ctl`;
  const path = `${bin}:${PATH}`;
  return { directory, url, env: { PATH: path, ETHERWS_CTLURL: url, HOME: directory, PS1: 'ready> ' } };
}

async function completed(env: Record<string, string>, ...words: readonly string[]): Promise<string[]> {
  const { status, stdout, stderr } = await run([...ETHERWS, 'complete', ...words], { env });
  assert.deepEqual([status, stderr], [0, ''], words.join(' '));
  return stdout.split('\n').slice(0, -1);
}

test('complete knows commands, options, values and the ports of the running switch', async (t) => {
  const { env, url } = await openBench(t);
  const one = async (...words: readonly string[]): Promise<string> => (await completed(env, ...words)).join(' ');
  // Tab must not take long, so what a switch without processor time does not tell within 500 ms is left out.
  const told = async (whole: string, ...words: readonly string[]): Promise<void> => {
    const found = await eventually(
      () => one(...words),
      (answer) => answer !== '',
    );
    assert.equal(found, whole);
  };
  assert.equal(await one('d'), 'doctor');
  assert.ok(!(await completed(env, '')).includes('complete'), 'it is hidden');
  assert.equal(await one('ctl', 'listf'), 'listfdb');
  assert.match(await one('ctl', 'li'), /^listport( list\w+)+$/);
  assert.equal(await one('ctl', 'addport', 'c'), 'client');
  assert.equal(await one('ctl', 'setport', '--sh'), '--shut');
  assert.equal(await one('ctl', 'setport', '--shut', ''), '0 1');
  assert.equal(await one('ctl', 'setport', '--shut='), '--shut=0 --shut=1');
  await told('uplink', 'ctl', 'setport', '--shut', '1', 'u');
  await told('uplink lab-2 3', 'ctl', 'show', '');
  await told('lab-2', 'ctl', 'show', '--', 'l');
  assert.equal(await one('ctl', 'show', 'uplink', ''), '', 'it takes one port');
  assert.equal(await one('ctl', 'addport', 'client', '--wire', 'r'), 'raw');
  assert.equal(await one('ctl', 'watch', '--events', 'lo'), 'loop');
  assert.equal(await one('ctl', 'schema', 'getS'), 'getStatus');
  await told('default lab', 'ctl', 'listport', '--net', '');
  await told('--net=lab', 'ctl', 'listfdb', '--net=l');
  await told('lab', 'ctl', 'setnet', 'l');
  await told('default lab', 'ctl', 'delnet', '');
  assert.equal(await one('ctl', 'addnet', ''), '', 'a new name');
  assert.equal(await one('sw', '--logform'), '--logformat');
  assert.equal(await one('sw', '--config', ''), '', 'the shell completes files');
  assert.equal(await one('completion', 'z'), 'zsh');
  const elsewhere = { ...env, ETHERWS_CTLURL: 'http://127.0.0.1:1/ctl' };
  assert.deepEqual(await completed(elsewhere, 'ctl', 'show', ''), []);
  const there = await eventually(
    () => completed(elsewhere, 'ctl', '--ctlurl', url, 'delport', 'up'),
    (names) => names.length > 0,
  );
  assert.deepEqual(there, ['uplink']);
  assert.deepEqual(await completed(env, 'nonsense', '--what', ''), []);
});

/** A Tab that has completed nothing by then asked a switch that had no processor time for an answer. */
const TAB_MS = 10_000;

/** Types a line, then Tab until the shell has completed it. */
async function completes(shell: Tmux, typed: string, whole: string): Promise<void> {
  await shell.type(typed);
  let tabMs = Number.NEGATIVE_INFINITY;
  const tabbed = async (): Promise<string> => {
    if (performance.now() - tabMs > TAB_MS) {
      await shell.keys('Tab');
      tabMs = performance.now();
    }
    return shell.screen();
  };
  await eventually(tabbed, (screen) => screen.trimEnd().split('\n').at(-1)?.trimEnd().endsWith(whole) === true);
  // Discards the line. The shell reads this key in its turn; C-c is a signal, which may also end the next completion.
  await shell.keys('C-u');
  await shell.shows((screen) => screen.trimEnd().split('\n').at(-1)?.trimEnd() === 'ready>');
}

for (const [name, start] of [
  ['bash', 'bash --norc'],
  ['zsh', 'zsh -f'],
  ['fish', 'fish --no-config'],
] as const) {
  test(`${name} completes on a terminal`, { skip: missingTools('tmux', name) }, async (t) => {
    const { directory, env, url } = await openBench(t);
    const script = join(directory, `script.${name}`);
    writeFileSync(script, (await run([...ETHERWS, 'completion', name])).stdout);
    const shell = await Tmux.open(t, ['sh', '-c', `cd ${directory}; PATH=${env.PATH} exec ${start}`], { env });
    await shell.shows(/\S/);
    const prompt = name === 'fish' ? "function fish_prompt; echo -n 'ready> '; end; " : '';
    const prepare = name === 'zsh' ? `PS1='ready> '; autoload -Uz compinit; compinit -u; ` : prompt;
    await shell.type(`${prepare}. ${script}; clear`);
    await shell.keys('Enter');
    await shell.shows((screen) => screen.trim() === 'ready>');
    await completes(shell, 'etherws doc', 'etherws doctor');
    await completes(shell, 'etherws ctl show upl', 'etherws ctl show uplink');
    await completes(shell, 'etherws ctl setport --descr', '--description');
    await completes(shell, 'etherws ctl addport client --wire ra', '--wire raw');
    await completes(shell, `etherws ctl --ctlurl ${url} show la`, 'show lab-2');
    await completes(shell, 'etherws sw --config only', '--config only-file.yaml');
  });
}

test('a package that is missing is named, with what to do, and without a stack trace', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-packages-'));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync('dist/bundle', join(directory, 'dist/bundle'), { recursive: true });
  copyFileSync('package.json', join(directory, 'package.json'));
  const etherws = (...args: readonly string[]) =>
    run([process.execPath, join(directory, 'dist/bundle/cli/etherws.js'), ...args]);
  const missing = await etherws('ctl', 'listport');
  assert.equal(missing.status, 1);
  assert.match(
    missing.stderr,
    /^ {2}A package that etherws needs is missing: .*'commander' \(PACKAGE_MISSING\)\n {2}.*npm ci/,
  );
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(join(process.cwd(), 'node_modules/commander'), join(directory, 'node_modules/commander'));
  const later = await etherws('ctl', 'listport');
  assert.equal(later.status, 1);
  assert.match(later.stderr, /^ {2}A package .* 'valibot' .*\(PACKAGE_MISSING\)\n/);
  assert.equal(later.stderr.split('\n').length, 3, later.stderr);
});
