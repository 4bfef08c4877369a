import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ETHERWS } from './support/etherws.ts';
import { run } from './support/process.ts';
import { missingTools } from './support/tools.ts';

/** A page as `man` shows it, with the warnings of `man`. */
async function shown(page: string): Promise<{ text: string; complaints: string }> {
  const env = { MANWIDTH: '400', MAN_KEEP_FORMATTING: '', LC_ALL: 'C.UTF-8', MANOPT: '' };
  const { status, stdout, stderr } = await run(['man', '--warnings=w', '-l', `dist/man/${page}`], { env });
  assert.equal(status, 0, stderr);
  return { text: stdout, complaints: stderr };
}

/** The long options in a text. */
function optionsIn(text: string): string[] {
  return [...new Set(text.match(/--[a-z][a-z-]+/g))].filter((option) => option !== '--help').toSorted();
}

test('the manual pages are without a fault, and have every option of the help', {
  skip: missingTools('man'),
}, async () => {
  const made = await run([process.execPath, 'scripts/man-pages.mjs']);
  assert.deepEqual([made.status, made.stderr], [0, '']);
  for (const [page, command, wanted] of [
    ['etherws.1', [], /^COMMANDS$/m],
    ['etherws-sw.8', ['sw'], /--fdb-size <n>\n +the most learned addresses; .*\(default: 65536\)/],
    ['etherws-ctl.1', ['ctl'], /^ {3}addport client$/m],
    ['etherws.yaml.5', ['check'], /^KEYS OF CONTROL$[\s\S]*^ +socket\s/m],
  ] as const) {
    const { text, complaints } = await shown(page);
    assert.equal(complaints, '', page);
    assert.match(text, wanted);
    assert.doesNotMatch(text, /undefined|\[object/);
    const { stdout } = await run([...ETHERWS, ...command, '--help']);
    const inPage = optionsIn(text);
    const absent = optionsIn(stdout).filter((option) => !inPage.includes(option));
    assert.deepEqual(absent, [], page);
  }
  const { text } = await shown('etherws-ctl.1');
  const { stdout } = await run([...ETHERWS, 'ctl', 'addport', 'client', '--help']);
  const inPage = optionsIn(text);
  assert.deepEqual(
    optionsIn(stdout).filter((option) => !inPage.includes(option)),
    [],
  );
});
