// The part of `npm run lint` for native/. `--fix` formats the files instead of checking them.
//
// The layout depends on the version of clang-format, so only version 14 of Debian 12 is used. Without it the check is
// skipped with a message, except in CI, where it fails.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const VERSION = 14;

function clangFormat() {
  for (const command of [`clang-format-${VERSION}`, 'clang-format']) {
    const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (stdout?.includes(`version ${VERSION}.`)) return command;
  }
  return undefined;
}

const sources = readdirSync(join(root, 'native'), { recursive: true })
  .filter((file) => /\.[ch]$/.test(file))
  .map((file) => join('native', file));
const command = clangFormat();
if (command === undefined) {
  const isCi = process.env.CI !== undefined && process.env.CI !== '';
  process.stderr.write(`lint: native/ needs clang-format ${VERSION}: apt install clang-format\n`);
  process.exitCode = isCi ? 1 : 0;
} else {
  const how = process.argv.includes('--fix') ? ['-i'] : ['--dry-run', '--Werror'];
  process.exitCode = spawnSync(command, [...how, ...sources], { cwd: root, stdio: 'inherit' }).status ?? 1;
}
