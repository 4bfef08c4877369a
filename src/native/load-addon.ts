import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, resolve } from 'node:path';
import { EtherwsError } from '../errors.ts';

/** The interface version that this build needs. The same as in native/node/module.c, which says when to raise it. */
export const INTERFACE_VERSION = 26;

/**
 * Loads the addon of the package that npm installs for this platform (`etherws-linux-x64`, …), if it is installed and
 * has this version.
 * @returns the exports of the addon; undefined: load the one built here
 */
export function loadPrebuilt(resolveFrom: string = import.meta.url): object | undefined {
  const require = createRequire(resolveFrom);
  const name = `etherws-${process.platform}-${process.arch}`;
  for (const candidate of [name, `${name}-musl`]) {
    try {
      const addon: { readonly interfaceVersion?: unknown } = require(candidate);
      if (addon.interfaceVersion === INTERFACE_VERSION) return addon;
    } catch {
      // The package is not installed, or is for another C library.
    }
  }
  return undefined;
}

/**
 * Loads the addon from a file in build/Release of the package.
 * @returns the exports of the addon, after a check of its interface version
 * @throws EtherwsError ADDON_MISSING if it is absent, cannot be loaded, or was built for another version
 */
export function loadAddon(file: string): object {
  const addon = load(file);
  const { interfaceVersion } = addon;
  if (interfaceVersion === INTERFACE_VERSION) return addon;
  throw missing(
    file,
    `was built for another version: its interface is ${named(interfaceVersion)}, not ${INTERFACE_VERSION}`,
  );
}

function load(file: string): { readonly interfaceVersion?: unknown } {
  try {
    return createRequire(import.meta.url)(file);
  } catch (cause) {
    throw missing(file, existsSync(file) ? `cannot be loaded: ${firstLineOf(cause)}` : 'has not been built', cause);
  }
}

function named(version: unknown): string {
  return version === undefined ? 'of before there were numbers' : `number ${String(version)}`;
}

function missing(file: string, what: string, cause?: unknown): EtherwsError {
  return new EtherwsError('ADDON_MISSING', `The native addon, which tap and netdev ports need, ${what}`, {
    ...(cause === undefined ? {} : { cause }),
    hint:
      process.platform === 'linux'
        ? `With a C compiler (apt install build-essential), run: ${buildCommand(file)}`
        : `These kinds of ports need Linux; this is ${process.platform}`,
  });
}

/** The command that compiles the addon: `npm rebuild` works only for an installed package, not in a checkout. */
function buildCommand(file: string): string {
  const root = resolve(dirname(file), '../..');
  if (basename(dirname(root)) === 'node_modules') return 'npm rebuild etherws (with --global, if it was installed so)';
  return `npm ci, or node scripts/build-addon.mjs, in ${root}`;
}

function firstLineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
