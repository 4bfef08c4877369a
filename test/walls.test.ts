import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

/** A row of the table in ARCHITECTURE.md: a room of src/, and the rooms that it may import. */
interface Room {
  /** below src/, such as `ports/device`; with `.ts` it is a single file */
  readonly name: string;
  readonly mayImport: readonly string[];
}

/** Rooms that must run on a virtual clock. */
const WITHOUT_NODE = ['wire', 'bridge'];
const LINTER = 'node_modules/.bin/biome';

function readRooms(): Room[] {
  const rooms: Room[] = [];
  const page = readFileSync('ARCHITECTURE.md', 'utf8');
  for (const [, name = '', cell = ''] of page.matchAll(/^\| `src\/([\w/.-]+?)\/?` \| .* \| (.*) \|$/gm)) {
    const mayImport =
      cell === 'all above'
        ? rooms.map((room) => room.name)
        : [...cell.matchAll(/`([^`]+)`/g)].map(([, room = '']) => room);
    rooms.push({ name, mayImport });
  }
  return rooms;
}

const ROOMS = readRooms();
const NAMES = ROOMS.map(({ name }) => name);
const FOLDERS = ROOMS.filter(({ name }) => !name.endsWith('.ts'));

/** An import that is planted, as a file of its own. */
interface Planted {
  readonly file: string;
  readonly specifier: string;
  readonly isAllowed: boolean;
}

function plantedImports(): Planted[] {
  const planted: Planted[] = [];
  for (const { name, mayImport } of FOLDERS) {
    const add = (specifier: string, isAllowed: boolean, under = name): void => {
      planted.push({ file: `src/${under}/planted-${planted.length}.ts`, specifier, isAllowed });
    };
    for (const under of [name, ...foldersIn(name).filter((folder) => !NAMES.includes(folder))]) {
      const home = `src/${under}`;
      add(posix.relative(home, 'src/errors.ts'), true, under);
      add(`./${posix.relative(home, `src/${name}/other.ts`)}`.replace('./..', '..'), true, under);
      for (const other of FOLDERS) {
        if (other.name === name) continue;
        const isAllowed = mayImport.includes(other.name);
        for (const target of [`src/${other.name}/some.ts`, ...(isLeaf(other) ? [`src/${other.name}/a/some.ts`] : [])]) {
          const path = posix.relative(home, target);
          add(path.startsWith('.') ? path : `./${path}`, isAllowed, under);
        }
      }
    }
    add('node:fs', !WITHOUT_NODE.includes(name));
  }
  return planted;
}

function foldersIn(room: string): string[] {
  return readdirSync(join('src', room), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => posix.join(room, name));
}

function isLeaf({ name }: Room): boolean {
  return !FOLDERS.some((room) => room.name.startsWith(`${name}/`));
}

/** Lints all planted imports at once. @returns the files in which the linter refuses one */
async function refusedFiles(planted: readonly Planted[], root: string): Promise<Set<string>> {
  for (const { file, specifier } of planted) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), `import { it } from '${specifier}';\nexport const same = it;\n`);
  }
  copyFileSync('biome.json', join(root, 'biome.json'));
  const args = ['lint', '--only=style/noRestrictedImports', '--vcs-enabled=false', '--max-diagnostics=none'];
  const run = promisify(execFile)(join(process.cwd(), LINTER), [...args, '--reporter=json', '.'], {
    cwd: root,
    maxBuffer: 1 << 26,
    timeout: 120_000,
  });
  const { stdout } = await run.catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }));
  const report = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: unknown } }[] };
  const files = report.diagnostics
    .filter(({ category }) => category === 'lint/style/noRestrictedImports')
    .map(({ location }) => /src\/[\w/-]+\.ts/.exec(JSON.stringify(location.path))?.[0] ?? 'unknown');
  return new Set(files);
}

describe('the walls between the rooms of src/', () => {
  test('every folder of src/ is a room in the table of ARCHITECTURE.md, and every room is there', () => {
    const roomed = ['', ...FOLDERS.filter((room) => !isLeaf(room)).map(({ name }) => name)];
    const folders = roomed.flatMap(foldersIn).filter((folder) => folder !== 'cli/ctl');
    assert.deepEqual(folders.filter((folder) => !NAMES.includes(folder)).sort(), [], 'folders without a row');
    const gone = FOLDERS.map(({ name }) => name).filter((name) => !folders.includes(name));
    assert.deepEqual(gone, [], 'rows without a folder');
    for (const { name, mayImport } of ROOMS) {
      assert.deepEqual(
        mayImport.filter((other) => !NAMES.includes(other)),
        [],
        `unknown rooms in the row of ${name}`,
      );
    }
  });

  test('no room imports one that imports it', () => {
    const all = ROOMS.flatMap(({ name, mayImport }) => mayImport.map((other) => [name, other] as const));
    const circles = all.filter(([name, other]) => all.some(([from, to]) => from === other && to === name));
    assert.deepEqual(circles, []);
  });

  test('the linter refuses each planted import that the table does not allow, and no other', async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'etherws-walls-'));
    t.after(() => rmSync(root, { recursive: true }));
    const planted = plantedImports();
    const refused = await refusedFiles(planted, root);
    const show = ({ file, specifier }: Planted): string => `${dirname(file)} imports ${specifier}`;
    const holes = planted.filter(({ file, isAllowed }) => !isAllowed && !refused.has(file));
    assert.deepEqual(holes.map(show), [], 'holes: the table forbids these, the linter does not');
    const tooMany = planted.filter(({ file, isAllowed }) => isAllowed && refused.has(file));
    assert.deepEqual(tooMany.map(show), [], 'the table allows these, the linter does not');
    assert.ok(refused.size > 100, `${refused.size} planted imports were refused`);
  });
});
