// npm's `install` script: compiles the addon, in a checkout and in an installed
// package, unless there is a package with the compiled addon for this platform.
// Only tap and netdev ports need the addon, so without a compiler the script prints
// advice and succeeds.
//
// binding.gyp lists sources and flags. It is plain JSON, so that both node-gyp and
// compile-addon.mjs can read it.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { compileAddon, headersPrefix } from './compile-addon.mjs';

const root = resolve(import.meta.dirname, '..');
const environment = process.env;
const compiler = environment.CC || 'cc';
/** The command that builds the addon: `npm rebuild` works only for an installed package. */
const again = basename(dirname(root)) === 'node_modules' ? 'npm rebuild etherws' : 'node scripts/build-addon.mjs';

/** Ends the script with status 0: only some kinds of ports need the addon. */
function continueWithout(...lines) {
  process.stdout.write(
    ['etherws: the addon was not built, so tap and netdev ports will not work.', ...lines]
      .concat('Everything else does: etherws ctl, the library, tunnels.', '')
      .join('\n'),
  );
  process.exit(0);
}

function runs(command, ...args) {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The path of node-gyp.js: npm's own, or that of the development dependency. */
function nodeGypScript() {
  const named = environment.npm_config_node_gyp;
  if (named !== undefined && existsSync(named)) return named;
  try {
    return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return undefined;
  }
}

function nodeGypCommand() {
  const script = nodeGypScript();
  if (script !== undefined) return [process.execPath, script];
  return runs('node-gyp', '--version') ? ['node-gyp'] : undefined;
}

function buildWithNodeGyp([command, ...args], prefix) {
  const nodedir = prefix === undefined ? [] : [`--nodedir=${prefix}`];
  execFileSync(command, [...args, 'rebuild', '--loglevel=warn', ...nodedir], { cwd: root, stdio: 'inherit' });
}

function buildDirectly(prefix) {
  compileAddon({ root, compiler, prefix, output: join(root, 'build/Release/etherws.node') });
}

/** Whether npm has installed the package with the compiled addon for this platform. */
function hasPrebuilt() {
  const require = createRequire(import.meta.url);
  const own = `etherws-${process.platform}-${process.arch}`;
  return [own, `${own}-musl`].some((name) => {
    try {
      return require(name).interfaceVersion !== undefined;
    } catch {
      return false;
    }
  });
}

if (hasPrebuilt()) process.exit(0);
if (process.platform !== 'linux') continueWithout(`They need Linux; this is ${process.platform}.`);
if (!runs(compiler, '--version')) {
  continueWithout(`It needs a C compiler: apt install build-essential, then: ${again}`);
}

const prefix = headersPrefix(environment);
const nodeGyp = runs(environment.npm_config_python || environment.PYTHON || 'python3', '--version')
  ? runs('make', '--version') && nodeGypCommand()
  : undefined;
try {
  if (nodeGyp) buildWithNodeGyp(nodeGyp, prefix);
  else if (prefix !== undefined) buildDirectly(prefix);
  else {
    continueWithout(
      "Node's headers are not beside it, and node-gyp, which can fetch them, needs python3 and make:",
      `apt install python3 make, then: ${again}`,
    );
  }
} catch (error) {
  // The compiler or node-gyp has printed its messages already.
  continueWithout(`It did not compile: ${error.message.split('\n', 1)[0]}`);
}
