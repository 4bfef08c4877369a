import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { INTERFACE_VERSION } from '../src/native/load-addon.ts';
import { type Outcome, Process, run } from './support/process.ts';
import { missingTapDevice, missingTools } from './support/tools.ts';

/*
 * The npm packages: etherws itself, and one with the compiled addon for each platform.
 */

/** The files of a checkout that a build needs, beside node_modules. */
const SOURCES = readdirSync('.').filter((name) => !['node_modules', 'dist', 'build', '.git'].includes(name));
const isHere = process.platform === 'linux' && process.arch === 'x64';
const PLATFORM = 'linux-x64';

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-packages-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

function checkoutIn(directory: string): string {
  for (const name of SOURCES) cpSync(name, join(directory, name), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

async function done(command: readonly string[], cwd: string): Promise<string> {
  const { status, stdout, stderr } = await run(command, { cwd });
  assert.equal(status, 0, `${command.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

const needsCompiler = missingTools('x86_64-linux-gnu-gcc') || (!isHere && 'needs Linux on x64');

/** Made once, by the first test that needs them. */
let tarballs: Promise<{ directory: string; hashes: string }> | undefined;

const made: string[] = [];
after(() => {
  for (const directory of made) rmSync(directory, { recursive: true });
});

function release(checkout: string): Promise<{ directory: string; hashes: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-tarballs-'));
  made.push(directory);
  const command = [process.execPath, 'scripts/release-tarballs.mjs', directory, PLATFORM];
  return done(command, checkout).then((hashes) => ({ directory, hashes }));
}

test('the same source gives the same tarballs, in whatever directory', { skip: needsCompiler }, async (t) => {
  const copy = checkoutIn(directoryFor(t));
  // With ETHERWS_FRESH_BUILD=1 the other directory compiles its sources, too.
  const { ETHERWS_FRESH_BUILD: isFresh } = process.env;
  if (isFresh === '1') {
    await done([process.execPath, 'node_modules/typescript/bin/tsc', '-p', '.'], copy);
    await done(['npm', 'run', '--silent', 'build:console'], copy);
  } else cpSync('dist', join(copy, 'dist'), { recursive: true });
  tarballs ??= release('.');
  const [{ hashes }, other] = await Promise.all([tarballs, release(copy)]);
  assert.equal(hashes, other.hashes);
  assert.match(hashes, /^[0-9a-f]{64} {2}etherws-\d\S*\.tgz\n[0-9a-f]{64} {2}etherws-linux-x64-\d\S*\.tgz\n$/);
});

test('npm i -g --ignore-scripts gives TAP devices without a compiler', {
  skip: needsCompiler || missingTapDevice() || missingTools('unshare', 'ip'),
}, async (t) => {
  const directory = directoryFor(t);
  tarballs ??= release('.');
  const { directory: from } = await tarballs;
  const files = readdirSync(from).map((name) => join(from, name));
  const prefix = join(directory, 'prefix');
  const how = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--omit=optional'];
  await done(['npm', 'install', '--global', '--prefix', prefix, ...how, ...files], directory);
  const modules = join(prefix, 'lib/node_modules');
  assert.ok(!existsSync(join(modules, 'etherws/build')), 'nothing was compiled');
  const { optionalDependencies, devDependencies } = JSON.parse(
    readFileSync(join(modules, 'etherws/package.json'), 'utf8'),
  ) as Record<string, Record<string, string> | undefined>;
  assert.equal(optionalDependencies?.['etherws-linux-x64'], readVersion());
  assert.equal(devDependencies, undefined);

  const etherws = join(prefix, 'bin/etherws');
  const script = 'ip link set lo up && exec "$@"';
  const sw = [etherws, 'sw', '--foreground', '--host', '127.0.0.1', '--port', '0'];
  const running = new Process(['unshare', '--net', '--map-root-user', 'sh', '-c', script, 'sh', ...sw]);
  t.after(() => running.end());
  await running.output(/ready/);
  const inside = ['nsenter', '--target', String(running.pid), '--user', '--net', '--preserve-credentials'];
  const added = await done([...inside, etherws, 'ctl', 'addport', 'tap', 'pkg0'], directory);
  assert.match(added, /tap +up .* pkg0/);

  const page = readFileSync(join(modules, 'etherws/dist/console/index.html'), 'utf8');
  const [, entry = ''] = /<script [^>]*src="(.*?)"/.exec(page) ?? [];
  assert.ok(existsSync(join(modules, 'etherws/dist/console', `${entry}.br`)), `the console's ${entry}`);
  assert.ok(!existsSync(join(modules, 'etherws/dist/console/src')), 'nothing of its tests');

  // Without that package, and without a compiler, the error says what to do.
  rmSync(join(modules, 'etherws-linux-x64'), { recursive: true });
  const { stdout, stderr } = await run([
    etherws,
    'sw',
    '--foreground',
    '--port',
    '0',
    '--ctlport',
    '0',
    '--user',
    'nobody',
  ]);
  assert.match(stdout + stderr, /ADDON_MISSING(.|\n)*(npm rebuild etherws|etherws-linux)/);
});

test('npm compiles nothing where the package of the platform is', { skip: needsCompiler }, async (t) => {
  tarballs ??= release('.');
  const { directory } = await tarballs;
  const checkout = checkoutIn(directoryFor(t));
  rmSync(join(checkout, 'node_modules'));
  const modules = join(checkout, 'node_modules/etherws-linux-x64');
  mkdirSync(modules, { recursive: true });
  const [tarball = ''] = readdirSync(directory).filter((name) => name.includes(PLATFORM));
  await done(['tar', '-xzf', join(directory, tarball), '--strip-components=1', '-C', modules], checkout);
  const build = (): Promise<Outcome> =>
    run([process.execPath, 'scripts/build-addon.mjs'], { cwd: checkout, env: { PATH: '/nowhere' } });
  assert.deepEqual([(await build()).stdout, existsSync(join(checkout, 'build'))], ['', false]);
  rmSync(join(modules, 'etherws.node'));
  assert.match((await build()).stdout, /It needs a C compiler/, 'without it npm would compile');
});

test('the addon for arm64 is built by the cross compiler, and loads', {
  skip: missingTools('aarch64-linux-gnu-gcc'),
}, async (t) => {
  const directory = directoryFor(t);
  const folder = await done([process.execPath, 'scripts/platform-package.mjs', 'linux-arm64', directory], '.');
  const addon = readFileSync(join(folder.trim(), 'etherws.node'));
  // ELF, 64 bits, little-endian; machine 183 is AArch64.
  assert.equal(addon.subarray(0, 6).toString('latin1'), '\x7fELF\x02\x01');
  assert.equal(addon.readUInt16LE(18), 183);
  const { ETHERWS_ARM64_NODE: node } = process.env;
  if (node === undefined) return;
  const program = `console.log(process.arch, require(${JSON.stringify(folder.trim())}).interfaceVersion)`;
  const emulated = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu', node, '-e', program];
  assert.equal(await done(emulated, '.'), `arm64 ${INTERFACE_VERSION}\n`);
});

test('the addon for musl is built against musl alone', { skip: missingTools('musl-gcc', 'readelf') }, async (t) => {
  const directory = directoryFor(t);
  const folder = await done([process.execPath, 'scripts/platform-package.mjs', 'linux-x64-musl', directory], '.');
  const needed = execFileSync('readelf', ['--dynamic', join(folder.trim(), 'etherws.node')], { encoding: 'utf8' });
  assert.deepEqual(
    [...needed.matchAll(/NEEDED.*\[(.*)\]/g)].map(([, name]) => name),
    ['libc.so'],
  );
  const { libc, cpu } = JSON.parse(readFileSync(join(folder.trim(), 'package.json'), 'utf8')) as Record<
    string,
    string[]
  >;
  assert.deepEqual([libc, cpu], [['musl'], ['x64']]);
  assert.equal(relative(directory, folder.trim()), 'etherws-linux-x64-musl');
});

function readVersion(): string {
  return (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;
}
