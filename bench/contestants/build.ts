import { access, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../lab/command.ts';

/** A built clone of etherws: this one, or one to compare with. */
export interface Build {
  /** The clone's directory. */
  readonly directory: string;
  /** Appended to titles of the other build; empty for this one. */
  readonly mark: string;
  /** Appended to names of the other build; empty for this one. */
  readonly suffix: string;
}

/** This file runs as dist/bench/contestants/build.js, in the build that it measures. */
export const THIS_BUILD: Build = {
  directory: fileURLToPath(new URL('../../../', import.meta.url)),
  mark: '',
  suffix: '',
};

/** The build of `--against DIR`. */
export function otherBuild(directory: string): Build {
  return { directory: resolve(directory), mark: ` (${directory})`, suffix: '-other' };
}

/** The path of the program `etherws` of a build. @throws Error if the directory is no built clone */
export async function etherwsProgram({ directory }: Build): Promise<string> {
  const { bin } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as {
    readonly bin: { readonly etherws: string };
  };
  const program = join(directory, bin.etherws);
  await access(program).catch(() => {
    throw new Error(`${directory} is not built: there is no ${program}`);
  });
  return program;
}

/** The implementation of AES-GCM in the tunnels of a build: a library with its version, or `Node`. */
export async function aesOf(build: Build, node: string, choice = 'auto'): Promise<string> {
  // Another build may have the module in another directory.
  const files = await readdir(join(build.directory, 'dist/src'), { recursive: true });
  const module = files.find((file) => file.endsWith('tls/aes.js'));
  if (module === undefined) return 'a library that this build does not tell';
  const path = JSON.stringify(join(build.directory, 'dist/src', module));
  const program = `import { chooseAes } from ${path}; console.log(chooseAes(process.argv[1]) ?? 'Node');`;
  return (await run([node, '--input-type=module', '--eval', program, choice])).trim();
}
