// Checks the C of native/:
//
//   node scripts/lint-native.mjs                    format, by clang-format: part of `npm run lint`
//   node scripts/lint-native.mjs --fix              formats the files instead
//   node scripts/lint-native.mjs --tidy [FILE...]   mistakes, by clang-tidy (.clang-tidy): part of CI
//
// The results depend on the version of the tool, so only version 14 of Debian 12 is used. Without it the check is skipped
// with a message, except in CI, where it fails.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const VERSION = 14;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { fix: { type: 'boolean', default: false }, tidy: { type: 'boolean', default: false } },
});
const files = readdirSync(join(root, 'native'), { recursive: true }).map((file) => join('native', file));

/** @returns the command of Debian 12's version; undefined, and the status is set, where it is missing */
function commandOf(tool) {
  for (const command of [`${tool}-${VERSION}`, tool]) {
    const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (stdout?.includes(`version ${VERSION}.`)) return command;
  }
  const isCi = process.env.CI !== undefined && process.env.CI !== '';
  process.stderr.write(`lint: native/ needs ${tool} ${VERSION}: apt install ${tool}\n`);
  process.exitCode = isCi ? 1 : 0;
  return undefined;
}

function checkLayout() {
  const command = commandOf('clang-format');
  if (command === undefined) return;
  const how = values.fix ? ['-i'] : ['--dry-run', '--Werror'];
  const sources = files.filter((file) => /\.[ch]$/.test(file));
  process.exitCode = spawnSync(command, [...how, ...sources], { cwd: root, stdio: 'inherit' }).status ?? 1;
}

/** One clang-tidy for one file. Its count of warnings in the headers of others, on stderr, is left out. @returns its status */
function tidy(command, file) {
  const headers = join(dirname(dirname(realpathSync(process.execPath))), 'include/node');
  const compiler = ['-std=gnu11', '-Wall', '-Wextra', '-D_GNU_SOURCE', '-DNAPI_VERSION=8', '-isystem', headers];
  const args = ['--quiet', `--config-file=${join(root, '.clang-tidy')}`, resolve(root, file), '--', ...compiler];
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('close', (status) => {
      if (status !== 0) process.stderr.write(output || `lint: ${command} failed for ${file}\n`);
      done(status ?? 1);
    });
  });
}

async function checkForMistakes() {
  const command = commandOf('clang-tidy');
  if (command === undefined) return;
  const queue = positionals.length > 0 ? positionals : files.filter((file) => file.endsWith('.c'));
  const work = async () => {
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if ((await tidy(command, file)) !== 0) process.exitCode = 1;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

if (values.tidy) await checkForMistakes();
else checkLayout();
