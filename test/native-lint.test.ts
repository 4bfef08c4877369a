import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingTools } from './support/tools.ts';

/** A mistake that only clang-tidy sees, and the check that refuses it. */
const MISTAKES = [
  {
    check: 'clang-analyzer-unix.Malloc',
    code: '#include <stdlib.h>\nint last(char *octets) { free(octets); return octets[0]; }',
  },
  {
    check: 'clang-analyzer-core.NullDereference',
    code: 'int first(const int *numbers) { return numbers == 0 ? *numbers : 0; }',
  },
  {
    check: 'bugprone-sizeof-expression',
    code: '#include <string.h>\nstruct key { char octets[32]; };\nvoid forget(struct key *key) { memset(key, 0, sizeof(key)); }',
  },
  {
    check: 'bugprone-branch-clone',
    code: 'int weigh(int kind) { if (kind == 1) return 2; else return 2; }',
  },
  { check: 'cert-err33-c', code: '#include <stdio.h>\nvoid finish(FILE *file) { fflush(file); }' },
] as const;

test('clang-tidy refuses mistakes in native/, each by its check', { skip: missingTools('clang-tidy') }, (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-tidy-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const lint = (code: string): { status: number | null; stderr: string } => {
    const file = join(directory, 'planted.c');
    writeFileSync(file, `${code}\n`);
    return spawnSync(process.execPath, ['scripts/lint-native.mjs', '--tidy', file], {
      encoding: 'utf8',
      timeout: 120_000,
    });
  };
  const sound = lint('int sum(int one, int other) { return one + other; }');
  assert.deepEqual([sound.status, sound.stderr], [0, '']);
  for (const { check, code } of MISTAKES) {
    const { status, stderr } = lint(code);
    assert.equal(status, 1, `${check}: ${stderr}`);
    assert.ok(stderr.includes(`[${check}`), stderr);
  }
});
