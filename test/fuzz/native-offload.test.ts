import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fuzzCases, fuzzSeed } from '../support/random.ts';
import { missingTools } from '../support/tools.ts';

const CASES = fuzzCases(50_000);
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

test(`${CASES} lying super-frames and disturbed flows under AddressSanitizer`, { skip: missingTools('cc') }, (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-fuzz-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const program = join(directory, 'offload_fuzz');
  const sources = readdirSync('native/offload').filter((file) => file.endsWith('.c'));
  const compile = (source: readonly string[]) =>
    spawnSync('cc', ['-g', '-O1', '-std=gnu11', '-D_GNU_SOURCE', ...SANITIZERS, ...source, '-o', program], {
      encoding: 'utf8',
      input: 'int main(void) { return 0; }',
    });
  if (compile(['-x', 'c', '-']).status !== 0) return t.skip('needs the sanitizers of cc: apt install gcc');

  const compiled = compile(['native/fuzz/offload_fuzz.c', ...sources.map((file) => join('native/offload', file))]);
  assert.equal(compiled.status, 0, compiled.stderr);
  const seed = fuzzSeed();
  t.diagnostic(`FUZZ_SEED=${seed}`);
  const run = spawnSync(program, [String(seed), String(CASES)], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  assert.equal(run.stdout, `${CASES} cases with seed ${seed}\n`);
});
