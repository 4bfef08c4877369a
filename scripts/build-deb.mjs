// Makes a package for Debian 12 and alike, without the network, from the packages that npm ci has installed.
//
//   npm ci && npm run build && node scripts/build-deb.mjs [DIRECTORY]
//
// Prints its path. The package does not enable the service; an upgrade restarts it if it runs.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FIRST_CONFIG } from '../dist/src/cli/install-service.js';
import { DEFAULT_CONFIG, serviceUnit, UNIT_NAME } from '../dist/src/cli/service-unit.js';

const root = resolve(import.meta.dirname, '..');
const { version: npmVersion, description, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** In Debian's order a tilde sorts before the end, so a pre-release comes before its release. */
const version = npmVersion.replace('-', '~');
const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch;
const LIBRARY = 'usr/lib/etherws';

const CONTROL = `Package: etherws
Version: ${version}
Architecture: ${architecture}
Maintainer: etherws maintainers <etherws@localhost>
Section: net
Priority: optional
Depends: nodejs (${engines.node.replace('>=', '>= ')}), libc6 (>= 2.34), procps
Recommends: iproute2
Description: virtual Ethernet switch over WebSockets
 ${description}.
`;
const SCRIPTS = {
  postinst: `if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  [ -z "$2" ] || systemctl try-restart ${UNIT_NAME}
fi`,
  prerm: `if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl disable --now ${UNIT_NAME}; fi`,
  postrm: `[ "$1" != purge ] || rm -rf /var/lib/etherws /var/lib/private/etherws
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi`,
};

function put(stage, path, text, mode = 0o644) {
  const file = join(stage, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

/** The folders of all runtime dependencies of a package, without peer dependencies, which only development needs. */
function packagesOf(folder, found = new Set()) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    let at = folder;
    while (!existsSync(join(at, 'node_modules', name, 'package.json'))) {
      if (at === root) throw new Error(`${name} is not installed: npm ci`);
      at = dirname(at);
    }
    const path = join(at, 'node_modules', name);
    if (found.has(path)) continue;
    found.add(path);
    packagesOf(path, found);
  }
  return found;
}

/** Leaves out dotfiles, which only the developers of a package need. */
const isWanted = (path) => !basename(path).startsWith('.');

/** Copies the program: no tests, no sources, no development dependencies. */
function putProgram(stage) {
  cpSync(join(root, 'dist/bundle'), join(stage, LIBRARY, 'dist/bundle'), { recursive: true });
  for (const name of ['index.html', 'index.html.br', 'index.html.gz', 'assets', 'manual'])
    cpSync(join(root, 'dist/console', name), join(stage, LIBRARY, 'dist/console', name), { recursive: true });
  cpSync(join(root, 'package.json'), join(stage, LIBRARY, 'package.json'));
  const addon = join(stage, LIBRARY, 'build/Release/etherws.node');
  cpSync(join(root, 'build/Release/etherws.node'), addon);
  execFileSync('strip', ['--strip-unneeded', addon]);
  chmodSync(addon, 0o644);
  for (const path of packagesOf(root))
    cpSync(path, join(stage, LIBRARY, relative(root, path)), { recursive: true, filter: isWanted });
  chmodSync(join(stage, LIBRARY, 'dist/bundle/cli/etherws.js'), 0o755);
  mkdirSync(join(stage, 'usr/bin'), { recursive: true });
  symlinkSync('../lib/etherws/dist/bundle/cli/etherws.js', join(stage, 'usr/bin/etherws'));
}

const directory = resolve(process.argv[2] ?? join(root, 'build/deb'));
const stage = mkdtempSync(join(tmpdir(), 'etherws-deb-'));
chmodSync(stage, 0o755);
try {
  putProgram(stage);
  const script = `/${LIBRARY}/dist/bundle/cli/etherws.js`;
  put(stage, `lib/systemd/system/${UNIT_NAME}`, serviceUnit({ node: '/usr/bin/node', script, config: DEFAULT_CONFIG }));
  put(stage, DEFAULT_CONFIG, FIRST_CONFIG);
  put(stage, 'usr/share/doc/etherws/copyright', readFileSync(join(root, 'LICENSE')));
  put(stage, 'usr/share/doc/etherws/changelog.gz', gzipSync(readFileSync(join(root, 'CHANGELOG.md')), { level: 9 }));
  put(stage, 'DEBIAN/control', CONTROL);
  put(stage, 'DEBIAN/conffiles', `${DEFAULT_CONFIG}\n`);
  for (const [name, body] of Object.entries(SCRIPTS))
    put(stage, `DEBIAN/${name}`, `#!/bin/sh\nset -e\n${body}\n`, 0o755);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `etherws_${version}_${architecture}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', stage, file], { stdio: ['ignore', 'ignore', 'inherit'] });
  process.stdout.write(`${file}\n`);
} finally {
  rmSync(stage, { recursive: true });
}
