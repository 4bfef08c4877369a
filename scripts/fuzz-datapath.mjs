// Drives the data path under the sanitizers for a while: npm run fuzz -- --minutes N [--seed N]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: String(Date.now() % 1e9) } },
});
const headers = join(dirname(dirname(realpathSync(process.execPath))), 'include/node');
const directory = mkdtempSync(join(tmpdir(), 'etherws-fuzz-'));
const program = join(directory, 'fuzz');
const sources = ['datapath', 'crypto', 'offload'].flatMap((room) =>
  readdirSync(join(root, 'native', room))
    .filter((file) => file.endsWith('.c'))
    .map((file) => join('native', room, file)),
);
const flags = ['-g', '-O1', '-std=gnu11', '-D_GNU_SOURCE', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const libraries = ['-Wl,--no-as-needed', '-l:libcrypto.so.3', '-lm'];

function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

try {
  const files = ['native/fuzz/datapath_fuzz.c', ...sources];
  process.exitCode = run('cc', [...flags, '-I', headers, ...files, ...libraries, '-o', program]);
  const end = Date.now() + Number(values.minutes) * 60_000;
  for (let seed = Number(values.seed); process.exitCode === 0 && Date.now() < end; seed++) {
    process.exitCode = run(program, [String(seed), '1000']);
    if (process.exitCode !== 0) process.stderr.write(`failed with --seed ${seed}\n`);
  }
} finally {
  rmSync(directory, { recursive: true });
}
