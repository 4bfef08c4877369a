// Builds a copy of src/ and test/ in which the sources to be judged hold all their mutants.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mutate } from './mutants.mjs';

const standIn = (name) => fileURLToPath(new URL(name, import.meta.url));
const STAND_INS = { 'node:test': standIn('node-test.mjs'), 'fast-check': standIn('fast-check.mjs') };

/**
 * @param directory is emptied
 * @param isJudged whether the mutants of a source are wanted
 * @param isTest whether a file is a test that is to be run: its loops are counted as well
 * @returns the mutants, each with its `file`
 */
export function buildMutants(directory, isJudged, isTest) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const mutants = [];
  for (const tree of ['src', 'test']) {
    cpSync(tree, join(directory, tree), { recursive: true });
    for (const name of readdirSync(tree, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!name.endsWith('.ts')) continue;
      const file = join(tree, name);
      const source = readFileSync(file, 'utf8');
      let text = source;
      if (isJudged(file) || isTest(file)) {
        const mutated = mutate(source, mutants.length + 1, isJudged(file));
        for (const mutant of mutated.mutants) mutants.push({ ...mutant, file });
        text = mutated.text;
      }
      for (const [module, path] of Object.entries(STAND_INS))
        text = text.replaceAll(`from '${module}'`, `from '${path}'`);
      if (text !== source) writeFileSync(join(directory, file), text);
    }
  }
  compile(directory);
  return mutants;
}

function compile(directory) {
  const options = {
    extends: resolve('tsconfig.json'),
    compilerOptions: {
      rootDir: '.',
      outDir: 'dist',
      noCheck: true,
      declaration: false,
      isolatedDeclarations: false,
      sourceMap: false,
    },
    include: ['src', 'test'],
  };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(options));
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  // What is looked for beside dist/.
  for (const name of ['build', 'docs']) symlinkSync(resolve(name), join(directory, name));
  const { status, stdout } = spawnSync('node_modules/.bin/tsc', ['-p', directory], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the mutants do not compile:\n${stdout.slice(0, 4000)}`);
}
