import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { controlAddress } from '../../control/control-address.ts';
import { checkUsage } from '../usage-error.ts';

/** A switch on this host has the same files but not the same working directory; another one has other files. */
export async function pathOnSwitch(path: string, url: string | undefined): Promise<string> {
  const { host } = await checkUsage(() => controlAddress(url));
  const isHere = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  return isHere && path !== '' ? resolve(path) : path;
}

/** The same for those of `options` that are given. */
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
