import { dottedNames, quote } from '../schema/check.ts';
import { SW_GROUPS } from '../schema/sw-options.ts';
import type { Written } from '../schema/written.ts';
import type { Command } from './commander.ts';
import { addTableOptions, typedNames, typedValues } from './table-options.ts';

/** The options of `etherws sw` on its command line. */

/** Adds every option that a row has, group by group. */
export function addSwOptions(command: Command): void {
  for (const { heading, table } of SW_GROUPS) {
    if (heading !== undefined) command.optionsGroup(heading);
    addTableOptions(command, table);
  }
}

/** What was typed, as the document that a configuration file has. @param options what commander read */
export function typedDocument(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const document: Record<string, unknown> = {};
  for (const { section, table } of SW_GROUPS) {
    const values = typedValues(table, options);
    if (section === undefined) Object.assign(document, values);
    else if (Object.keys(values).length > 0) document[section] = values;
  }
  return document;
}

const NAMES = SW_GROUPS.map(({ section, table }) => {
  const names = typedNames(table, section === undefined ? [] : [section]);
  return {
    names,
    has: (key: unknown) => section === key || (section === undefined && Object.hasOwn(table, String(key))),
  };
});

/** A daemon leaves it. */
const DIRECTORY = process.cwd();

/** Everything was typed in the working directory. */
export const TYPED: Written = {
  names: (path, isFalse) => (NAMES.find(({ has }) => has(path[0]))?.names ?? dottedNames('options'))(path, isFalse),
  // What was typed is a text, also where it says a number.
  say: (value) => quote(typeof value === 'number' ? String(value) : value),
  directoryOf: () => DIRECTORY,
  placeOf: () => undefined,
  errorOf: ([first]) => first.toError(TYPED.names, TYPED.say),
};
