import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError, run } from '../lab/command.ts';

/** The paths of the benchmark's compiled C programs. */
export interface Programs {
  readonly floor: string;
  /** The floor with TLS records; undefined without the headers of OpenSSL. */
  readonly sealedFloor: string | undefined;
  readonly packets: string;
  readonly idleClients: string;
  readonly usage: string;
}

/** The C sources are not in dist/; this file runs as dist/bench/programs/programs.js. */
const SOURCES = fileURLToPath(new URL('../../../bench/programs/', import.meta.url));
const FLAGS = ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-pthread'];

/** Whether the headers of OpenSSL are installed, which the floor with TLS records needs. */
export function hasOpenSslHeaders(): Promise<boolean> {
  return run(['sh', '-c', 'echo "#include <openssl/evp.h>" | cc -E - >/dev/null']).then(
    () => true,
    () => false,
  );
}

/** Compiles them into a temporary directory of the sandbox. @throws CommandError without a compiler */
export async function buildPrograms(): Promise<Programs> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-bench-programs-'));
  const build = async (name: string, options: readonly string[] = []): Promise<string> => {
    const file = join(directory, [name, ...options].join(''));
    await run(['cc', ...FLAGS, '-o', file, join(SOURCES, `${name}.c`), ...options], 60_000);
    return file;
  };
  try {
    return {
      floor: await build('floor'),
      sealedFloor: (await hasOpenSslHeaders()) ? await build('floor', ['-DSEALED', '-lcrypto']) : undefined,
      packets: await build('packets'),
      idleClients: await build('idle-clients'),
      usage: await build('usage'),
    };
  } catch (error) {
    throw new CommandError(
      `The floor and the load generator do not compile; apt install gcc libc6-dev. ${String(error)}`,
    );
  }
}
