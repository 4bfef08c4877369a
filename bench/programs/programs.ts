import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError, run } from '../lab/command.ts';

/** The benchmark's own programs, as paths of the compiled files. */
export interface Programs {
  readonly floor: string;
  readonly packets: string;
  readonly idleClients: string;
}

/** The sources are not copied by the compiler; this file runs as dist/bench/programs/programs.js. */
const SOURCES = fileURLToPath(new URL('../../../bench/programs/', import.meta.url));
const FLAGS = ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-pthread'];

/** Compiles them into a temporary directory, which ends with the sandbox. @throws CommandError without a compiler */
export async function buildPrograms(): Promise<Programs> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-bench-programs-'));
  const build = async (name: string): Promise<string> => {
    const file = join(directory, name);
    await run(['cc', ...FLAGS, '-o', file, join(SOURCES, `${name}.c`)], 60_000);
    return file;
  };
  try {
    return {
      floor: await build('floor'),
      packets: await build('packets'),
      idleClients: await build('idle-clients'),
    };
  } catch (error) {
    throw new CommandError(
      `The floor and the load generator do not compile; apt install gcc libc6-dev. ${String(error)}`,
    );
  }
}
