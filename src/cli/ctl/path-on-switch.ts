import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { controlAddress } from '../../control/control-address.ts';
import { checkUsage } from '../usage-error.ts';

/** Makes a path absolute if the switch runs on this host: it has another working directory. Files of other hosts stay as given. */
export async function pathOnSwitch(path: string, url: string | undefined): Promise<string> {
  const { host } = await checkUsage(() => controlAddress(url));
  const isHere = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  return isHere && path !== '' ? resolve(path) : path;
}

/** `pathOnSwitch` for the given options among `keys`. */
export async function withPathsOnSwitch(
  options: Record<string, unknown>,
  keys: readonly string[],
  url: string | undefined,
): Promise<Record<string, unknown>> {
  const result = { ...options };
  for (const key of keys) {
    const path = result[key];
    if (typeof path === 'string') result[key] = await pathOnSwitch(path, url);
  }
  return result;
}
