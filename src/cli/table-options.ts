import { dottedNames, type Names, type Path } from '../schema/check.ts';
import type { Row, Table } from '../schema/table.ts';
import { type Command, Option } from './commander.ts';
import { objectNames, typedObject } from './typed-settings.ts';

/** The options of a command, made from the rows of a table: flags, help and values. */

/** Adds the long options of all rows that have one, in the order of the table. */
export function addTableOptions(command: Command, table: Table): void {
  for (const row of Object.values(table)) {
    const option = optionOf(row);
    if (option !== undefined) command.addOption(option);
  }
}

function optionOf(row: Row): Option | undefined {
  const { flag, metavar, bare } = row;
  if (flag === undefined) return undefined;
  const value = metavar === undefined ? '' : bare === undefined ? ` <${metavar}>` : ` [${metavar}]`;
  const option = new Option(flag + value, helpOf(row));
  const choices = choicesOf(row);
  if (choices !== undefined) option.choices(choices);
  // `choices` sets a parser itself.
  else if (metavar !== undefined) {
    option.argParser((text: string, previous: unknown) =>
      isList(row) ? append(text, previous) : typedValue(row, text),
    );
  }
  return option;
}

/** The help of a row: its text, its note, and the default. */
function helpOf({ help, note, default: fallback, defaultText, bare, metavar }: Row): string {
  const text = note === undefined ? help : `${help}; ${note}`;
  const typed = metavar === '0|1' && typeof fallback === 'boolean' ? Number(fallback) : fallback;
  const said = defaultText ?? (metavar === undefined ? undefined : (typed ?? bare));
  return said === undefined ? text : `${text} (default: ${String(said)})`;
}

/** The allowed words of a value: those of a picklist, or `0|1`. */
function choicesOf({ type, metavar }: Row): readonly string[] | undefined {
  if ('options' in type && type.type === 'picklist') return type.options as readonly string[];
  return metavar?.includes('|') === true ? metavar.split('|') : undefined;
}

function isList({ type, rows }: Row): boolean {
  return type.type === 'array' || rows !== undefined;
}

function append(text: string, previous: unknown): string[] {
  return [...((previous as string[] | undefined) ?? []), text];
}

/** Converts the text of a number; other texts stay, and the check refuses them with its own message. */
function typedValue(row: Row, text: string): unknown {
  const value = row.type.type === 'number' && numeralOf(row).test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : text;
}

function numeralOf({ type, hex }: Row): RegExp {
  if (hex === true) return /^(\d+|0x[\da-f]+)$/i;
  const { pipe = [] } = type as { pipe?: readonly { readonly type: string }[] };
  return pipe.some((action) => action.type === 'safe_integer') ? /^\d+$/ : /^\d+(\.\d+)?$/;
}

/**
 * The values that were given, by the names of the table.
 * @param options the options that commander parsed, by commander's names
 */
export function typedValues(table: Table, options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(table)) {
    if (row.flag === undefined) continue;
    const isNegative = row.flag.startsWith('--no-');
    const typed = options[new Option(row.flag).attributeName()];
    // Commander sets true for a `--no-…` that was not given.
    if (typed === undefined || (isNegative && typed === true)) continue;
    if (row.rows === undefined) values[key] = given(row, typed);
    else
      values[key] = typedObject(row.flag, row.rows, typed as string[], (each, text) =>
        given(each, typedValue(each, text)),
      );
  }
  return values;
}

/** The value of an option that was given. */
function given({ bare, metavar }: Row, typed: unknown): unknown {
  if (typed === true && bare !== undefined) return bare;
  return metavar === '0|1' && (typed === '0' || typed === '1') ? Number(typed) : typed;
}

/**
 * Names places by their flags, and places without a flag by `others`.
 * @param at the place of the table's values in the document
 * @param others names of arguments and further flags, by their path such as `options.token`
 */
export function typedNames(table: Table, at: Path, others: Readonly<Record<string, string>> = {}): Names {
  const dotted = dottedNames();
  const names = new Map(Object.entries(others));
  for (const [key, { flag, rows }] of Object.entries(table)) {
    if (flag === undefined) continue;
    names.set(dotted([...at, key]), flag);
    for (const [place, name] of objectNames(flag, rows ?? {}, [...at, key], dotted)) names.set(place, name);
  }
  return (path, isFalse) => {
    const place = typeof path.at(-1) === 'number' ? path.slice(0, -1) : path;
    return names.get(dotted(place)) ?? dotted(path, isFalse);
  };
}
