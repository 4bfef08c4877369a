// Compiles the addon by one call of a C compiler, as binding.gyp says, without node-gyp, Python and make.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder above include/node, if the headers are installed with this Node, so that none must be downloaded. */
export function headersPrefix(environment = process.env) {
  const besideNode = dirname(dirname(realpathSync(process.execPath)));
  return [besideNode, environment.npm_config_nodedir]
    .filter((prefix) => prefix !== undefined && prefix !== '')
    .find((prefix) => existsSync(join(prefix, 'include/node/node_api.h')));
}

/**
 * @param root the package
 * @param compiler the command
 * @param prefix headersPrefix; Node-API is the same for all processors
 * @param output the file, which is replaced atomically
 * @param flags more flags
 */
export function compileAddon({ root, compiler, prefix, output, flags = [] }) {
  const [target] = JSON.parse(readFileSync(join(root, 'binding.gyp'), 'utf8')).targets;
  mkdirSync(dirname(output), { recursive: true });
  const args = [
    ...['-shared', '-fPIC', `-I${join(prefix, 'include/node')}`],
    ...target.cflags,
    ...target.cflags_c,
    ...target.defines.map((name) => `-D${name}`),
    ...flags,
    ...target.sources,
    ...target.ldflags,
  ];
  execFileSync(compiler, [...args, '-o', `${output}.new`], { cwd: root, stdio: 'inherit' });
  renameSync(`${output}.new`, output);
}
