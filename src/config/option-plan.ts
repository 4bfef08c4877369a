import { isDeepStrictEqual } from 'node:util';
import { SW_GROUPS, type SwValues } from '../schema/sw-options.ts';
import type { Row } from '../schema/table.ts';
import { fileNames } from './key-names.ts';
import { valueAt } from './named-files.ts';

/** An option whose wanted value differs from the one in force. */
export interface OptionChange {
  /** as the file has it: `tunnels.port` */
  readonly name: string;
  readonly path: readonly string[];
  /** the value in force; undefined: not given, and without a default */
  readonly from: unknown;
  readonly to: unknown;
}

/** The differences between wanted options and those in force. */
export function planOptions(wanted: SwValues, running: SwValues): OptionChange[] {
  return SW_GROUPS.flatMap(({ section, table }) =>
    Object.entries<Row>(table).flatMap(([key, row]) => {
      const path = section === undefined ? [key] : [section, key];
      const [from, to] = [valueAt(running, path) ?? row.default, valueAt(wanted, path) ?? row.default];
      return isDeepStrictEqual(from, to) ? [] : [{ name: fileNames(path), path, from, to }];
    }),
  );
}

/** The same options with one value replaced. */
export function withOption(options: SwValues, [section = '', key]: readonly string[], value: unknown): SwValues {
  if (key === undefined) return { ...options, [section]: value } as SwValues;
  const below = valueAt(options, [section]) as object | undefined;
  return { ...options, [section]: { ...below, [key]: value } } as SwValues;
}
