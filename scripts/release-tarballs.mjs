// Makes the tarballs for npm: the package etherws, which has the packages of the platforms as optional dependencies,
// and these packages:
//
//   npm run build && node scripts/release-tarballs.mjs DIRECTORY [PLATFORM...]
//
// Prints the SHA-256 of each tarball, as sha256sum does. The package.json of a checkout has no such dependencies, since
// `npm ci` would look for a version that is not published yet.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { makePlatformPackage, PLATFORMS } from './platform-package.mjs';

const root = resolve(import.meta.dirname, '..');
/** npm scripts that need a checkout. */
const SCRIPTS_OF_CHECKOUT = ['prepare'];

function npm(cwd, ...args) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Packs a folder. @returns the name of the tarball */
function pack(folder, destination) {
  return npm(folder, 'pack', '--silent', '--ignore-scripts', '--pack-destination', destination).trim();
}

function stageMain(folder) {
  const [{ files }] = JSON.parse(npm(root, 'pack', '--dry-run', '--json', '--ignore-scripts'));
  for (const { path } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path));
  }
  const { devDependencies: _, scripts, ...manifest } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const optional = Object.keys(PLATFORMS).map((platform) => [`etherws-${platform}`, manifest.version]);
  const kept = Object.entries(scripts).filter(([name]) => !SCRIPTS_OF_CHECKOUT.includes(name));
  const published = {
    ...manifest,
    scripts: Object.fromEntries(kept),
    optionalDependencies: Object.fromEntries(optional),
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
}

const [destination, ...platforms] = process.argv.slice(2);
if (destination === undefined || platforms.some((platform) => !Object.hasOwn(PLATFORMS, platform))) {
  process.stderr.write(`usage: node scripts/release-tarballs.mjs DIRECTORY [${Object.keys(PLATFORMS).join('|')}]...\n`);
  process.exit(2);
}
const directory = resolve(destination);
mkdirSync(directory, { recursive: true });
const stage = mkdtempSync(join(tmpdir(), 'etherws-release-'));
try {
  const main = join(stage, 'etherws');
  stageMain(main);
  const folders = [main, ...platforms.map((platform) => makePlatformPackage(platform, stage))];
  for (const folder of folders) {
    const name = pack(folder, directory);
    const hash = createHash('sha256')
      .update(readFileSync(join(directory, name)))
      .digest('hex');
    process.stdout.write(`${hash}  ${name}\n`);
  }
} finally {
  rmSync(stage, { recursive: true });
}
