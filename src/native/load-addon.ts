import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, resolve } from 'node:path';
import { EtherwsError } from '../errors.ts';

/** What native/ has to offer for this build. As in native/node/module.c, where it says when it goes up. */
export const INTERFACE_VERSION = 25;

/**
 * Loads the addon of the package that npm installs for this platform (`etherws-linux-x64`, …), if there is one and it fits.
 * @returns what the addon exports; undefined: the own build is to be used
 */
export function loadPrebuilt(resolveFrom: string = import.meta.url): object | undefined {
  const require = createRequire(resolveFrom);
  const name = `etherws-${process.platform}-${process.arch}`;
  for (const candidate of [name, `${name}-musl`]) {
    try {
      const addon: { readonly interfaceVersion?: unknown } = require(candidate);
      if (addon.interfaceVersion === INTERFACE_VERSION) return addon;
    } catch {
      // It is not installed, or is for another C library.
    }
  }
  return undefined;
}

/**
 * Loads the addon from a file that stands in build/Release of the package.
 * @returns what the addon exports, once it is sure to be of this build's sources
 * @throws EtherwsError ADDON_MISSING: it is not there, cannot be loaded, or was built for another version
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

/** What compiles the addon where this package is: npm rebuilds what it has installed, and nothing in a checkout. */
function buildCommand(file: string): string {
  const root = resolve(dirname(file), '../..');
  if (basename(dirname(root)) === 'node_modules') return 'npm rebuild etherws (with --global, if it was installed so)';
  return `npm ci, or node scripts/build-addon.mjs, in ${root}`;
}

function firstLineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
