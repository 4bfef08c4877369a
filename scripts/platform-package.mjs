// Makes the npm package with the compiled addon for one platform, so that etherws needs no compiler there:
//
//   node scripts/platform-package.mjs linux-x64 [DIRECTORY]
//
// The package is made below DIRECTORY (default: build/packages), and its path is printed. CC replaces the compiler.
// The same sources and the same compiler give the same octets in any directory.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compileAddon, headersPrefix } from './compile-addon.mjs';

const root = resolve(import.meta.dirname, '..');

/** The processor and the C library, which npm compares with the host's, and Debian's compiler. */
export const PLATFORMS = {
  'linux-x64': { cpu: 'x64', libc: 'glibc', compiler: 'x86_64-linux-gnu-gcc' },
  'linux-x64-musl': { cpu: 'x64', libc: 'musl', compiler: 'musl-gcc' },
  'linux-arm64': { cpu: 'arm64', libc: 'glibc', compiler: 'aarch64-linux-gnu-gcc' },
  // Debian has no such compiler.
  'linux-arm64-musl': { cpu: 'arm64', libc: 'musl', compiler: 'aarch64-linux-musl-gcc' },
};

/**
 * A folder with only the headers of Linux: Debian's compiler for musl does not find them, and must not find those of
 * glibc in the same folder.
 */
function linuxHeaders(cpu) {
  const folder = join(root, 'build/linux-headers', cpu);
  const triplet = cpu === 'x64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu';
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, target] of [
    ['linux', '/usr/include/linux'],
    ['asm', `/usr/include/${triplet}/asm`],
    ['asm-generic', '/usr/include/asm-generic'],
  ]) {
    if (existsSync(target)) symlinkSync(target, join(folder, name));
  }
  return ['-isystem', folder];
}

export function makePlatformPackage(platform, directory) {
  const { cpu, libc, compiler } = PLATFORMS[platform];
  const { version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const prefix = headersPrefix();
  if (prefix === undefined) throw new Error("Node's headers are not beside it: set npm_config_nodedir");
  const name = `etherws-${platform}`;
  const path = join(directory, name);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  compileAddon({
    root,
    compiler: process.env.CC || compiler,
    prefix,
    output: join(path, 'etherws.node'),
    flags: ['-s', '-Wl,--build-id=none', `-ffile-prefix-map=${root}=.`, ...(libc === 'musl' ? linuxHeaders(cpu) : [])],
  });
  const manifest = {
    name,
    version,
    description: `The native addon of etherws for ${platform}`,
    license,
    os: ['linux'],
    cpu: [cpu],
    libc: [libc],
    main: 'etherws.node',
    files: ['etherws.node'],
  };
  writeFileSync(join(path, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(
    join(path, 'README.md'),
    `The native addon of etherws ${version} for ${platform}. See the package etherws.\n`,
  );
  copyFileSync(join(root, 'LICENSE'), join(path, 'LICENSE'));
  return path;
}

if (process.argv[1] === import.meta.filename) {
  const [platform, directory = join(root, 'build/packages')] = process.argv.slice(2);
  if (!Object.hasOwn(PLATFORMS, platform ?? '')) {
    process.stderr.write(`usage: node scripts/platform-package.mjs ${Object.keys(PLATFORMS).join('|')} [DIRECTORY]\n`);
    process.exit(2);
  }
  process.stdout.write(`${makePlatformPackage(platform, resolve(directory))}\n`);
}
