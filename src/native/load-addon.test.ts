import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EtherwsError } from '../errors.ts';
import { INTERFACE_VERSION, loadAddon } from './load-addon.ts';

/** A package at `root` of a directory of its own, whose addon is this text; none without a text. @returns its file */
function packageAt(t: TestContext, root: string, addon?: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-addon-'));
  t.after(() => rmSync(directory, { recursive: true }));
  // Whatever the loader takes for one: the extension of a library takes libraries only.
  const file = join(
    directory,
    root,
    'build/Release',
    addon?.startsWith('module') === true ? 'addon.cjs' : 'addon.node',
  );
  mkdirSync(dirname(file), { recursive: true });
  if (addon !== undefined) writeFileSync(file, addon);
  return file;
}

function refusal(file: string): EtherwsError {
  try {
    loadAddon(file);
  } catch (error) {
    assert.ok(error instanceof EtherwsError);
    assert.equal(error.code, 'ADDON_MISSING');
    return error;
  }
  return assert.fail('it was loaded');
}

test('an addon of this version is taken', (t) => {
  const file = packageAt(t, 'etherws', `module.exports = { interfaceVersion: ${INTERFACE_VERSION}, name: 'ours' }`);
  assert.deepEqual(loadAddon(file), { interfaceVersion: INTERFACE_VERSION, name: 'ours' });
});

test('an addon that was built for another version is told apart from a broken one and from none', (t) => {
  const older = refusal(packageAt(t, 'etherws', 'module.exports = {}'));
  assert.match(older.message, /was built for another version/);
  const newer = refusal(packageAt(t, 'etherws', `module.exports = { interfaceVersion: ${INTERFACE_VERSION + 1} }`));
  assert.match(
    newer.message,
    new RegExp(`was built for another version: .* ${INTERFACE_VERSION + 1}, not ${INTERFACE_VERSION}$`),
  );
  assert.match(refusal(packageAt(t, 'etherws', 'no library')).message, /cannot be loaded: \S/);
  assert.match(refusal(packageAt(t, 'etherws')).message, /has not been built$/);
});

const skip = process.platform === 'linux' ? false : 'needs Linux: elsewhere no build helps';
test('the hint is for the place: npm rebuild where npm installed it, else a build of the checkout', { skip }, (t) => {
  assert.match(refusal(packageAt(t, 'node_modules/etherws')).hint ?? '', /npm rebuild etherws/);
  const { hint = '' } = refusal(packageAt(t, 'checkout'));
  assert.match(hint, /npm ci, or node scripts\/build-addon\.mjs, in \/.*\/checkout$/);
  assert.doesNotMatch(hint, /rebuild/);
});
