// npm's `install` script: compiles the addon that tap and netdev ports need, in
// a checkout and in an installed package alike. Nothing else needs it, so a
// machine that cannot compile it gets advice and a working etherws without.
//
// binding.gyp says what is compiled and how. It is written as plain JSON, so
// that node-gyp and the direct way below read the same list.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const environment = process.env;
const compiler = environment.CC || 'cc';
/** npm rebuilds what it has installed; in a checkout there is nothing of that name. */
const again = basename(dirname(root)) === 'node_modules' ? 'npm rebuild etherws' : 'node scripts/build-addon.mjs';

/** Ends the script well: what is missing is needed by some ports only. */
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

/** The folder above include/node, where the headers came with this Node: nothing has to be fetched then. */
function headersPrefix() {
  const besideNode = dirname(dirname(realpathSync(process.execPath)));
  return [besideNode, environment.npm_config_nodedir]
    .filter((prefix) => prefix !== undefined && prefix !== '')
    .find((prefix) => existsSync(join(prefix, 'include/node/node_api.h')));
}

/** node-gyp.js: npm names its own, a checkout has one as a development dependency. */
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
  const [target] = JSON.parse(readFileSync(join(root, 'binding.gyp'), 'utf8')).targets;
  const output = join(root, 'build/Release', `${target.target_name}.node`);
  mkdirSync(dirname(output), { recursive: true });
  const args = [
    ...['-shared', '-fPIC', `-I${join(prefix, 'include/node')}`],
    ...target.cflags,
    ...target.cflags_c,
    ...target.defines.map((name) => `-D${name}`),
    ...target.sources,
  ];
  execFileSync(compiler, [...args, '-o', `${output}.new`], { cwd: root, stdio: 'inherit' });
  renameSync(`${output}.new`, output);
}

if (process.platform !== 'linux') continueWithout(`They need Linux; this is ${process.platform}.`);
if (!runs(compiler, '--version')) {
  continueWithout(`It needs a C compiler: apt install build-essential, then: ${again}`);
}

const prefix = headersPrefix();
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
  // What the compiler or node-gyp had to say stands above already.
  continueWithout(`It did not compile: ${error.message.split('\n', 1)[0]}`);
}
