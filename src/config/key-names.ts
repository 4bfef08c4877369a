import type { Path } from '../schema/check.ts';

/** Names in a configuration file are those of the rows, written with dashes: `fdbSize` is `fdb-size`. */

/** Begins the name of what no row can be, since the file does not spell it as keys are spelt: `fdbSize`. */
const MISSPELT = '?';

export function fileKey(name: string): string {
  if (name.startsWith(MISSPELT)) return name.slice(MISSPELT.length);
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function rowName(key: string): string {
  const name = key.replaceAll(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase());
  return fileKey(name) === key ? name : MISSPELT + key;
}

/** A place as the file has it: `ports[0].options.reconnect-min`. */
export function fileNames(path: Path, isFalse = false): string {
  const name = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${fileKey(key)}`)).join('');
  return `${name.replace(/^\./, '') || 'the file'}${isFalse ? ': false' : ''}`;
}
