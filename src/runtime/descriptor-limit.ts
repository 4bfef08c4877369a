import { readFileSync } from 'node:fs';
import { EtherwsError } from '../errors.ts';

/** The lowest limit of open files with which a switch starts: for its own files, those reserved for control, and some tunnels. */
const LEAST_LIMIT = 128;

/** @throws EtherwsError DESCRIPTORS_USED_UP if the limit of open files is too low for a switch */
export function requireDescriptors(limit: number | undefined = descriptorLimit()): void {
  if (limit !== undefined && limit < LEAST_LIMIT) throw descriptorsUsedUp(undefined, limit);
}

/** Whether an error has the limit of open files as its cause. */
export function saysDescriptorsUsedUp(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  if (error.code === 'EMFILE' || error.code === 'ENFILE') return true;
  // Node's module loader reports a file that it could not open as absent.
  const isLinux = process.platform === 'linux';
  return error.code === 'ERR_MODULE_NOT_FOUND' && isLinux && (descriptorLimit() ?? 0) < LEAST_LIMIT;
}

export function descriptorsUsedUp(cause: unknown, limit: number | undefined = descriptorLimit()): EtherwsError {
  const message = `The limit of open files is too low: ${limit ?? 'unknown'}, a switch needs ${LEAST_LIMIT}, and one more for each tunnel`;
  const hint = 'Raise it, as root: ulimit -n 16384, or LimitNOFILE=16384 in its systemd unit';
  return new EtherwsError('DESCRIPTORS_USED_UP', message, { cause, hint });
}

/** The soft limit of open files (RLIMIT_NOFILE); undefined if it is unlimited or cannot be read. */
export function descriptorLimit(): number | undefined {
  try {
    const line = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return line === null ? undefined : Number(line[1]);
  } catch {
    return undefined;
  }
}
