import { dottedNames, type Names, type Path } from '../schema/check.ts';
import type { Row, Table } from '../schema/table.ts';
import { type Command, Option } from './commander.ts';

/** The options of a command, made from the rows of a table: flags, help, and the values that were typed. */

/** Adds the long option of every row that has one, in the order of the table. */
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
  // `choices` brings a parser of its own; no row has a list of them.
  else if (metavar !== undefined) {
    option.argParser((text: string, previous: unknown) =>
      isList(row) ? append(text, previous) : typedValue(row, text),
    );
  }
  return option;
}

/** What the help says of a row: what it does, what the command line adds, and the default. */
function helpOf({ help, note, default: fallback, defaultText, bare, metavar }: Row): string {
  const text = note === undefined ? help : `${help}; ${note}`;
  const said = defaultText ?? (metavar === undefined ? undefined : (fallback ?? bare));
  return said === undefined ? text : `${text} (default: ${String(said)})`;
}

/** The words that a value is chosen from: those of a picklist, or `0|1`. */
function choicesOf({ type, metavar }: Row): readonly string[] | undefined {
  if ('options' in type && type.type === 'picklist') return type.options as readonly string[];
  return metavar?.includes('|') === true ? metavar.split('|') : undefined;
}

function isList({ type }: Row): boolean {
  return type.type === 'array';
}

function append(text: string, previous: unknown): string[] {
  return [...((previous as string[] | undefined) ?? []), text];
}

/** A typed text as a document has it. What is no number stays a text, which the check then refuses in its own words. */
function typedValue({ type, hex }: Row, text: string): unknown {
  const number = hex === true ? /^(\d+|0x[\da-f]+)$/i : /^\d+(\.\d+)?$/;
  return type.type === 'number' && number.test(text) ? Number(text) : text;
}

/**
 * What was typed, by the names of the table; what was not is left out.
 * @param options what commander read, by its names
 */
export function typedValues(table: Table, options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(table)) {
    if (row.flag === undefined) continue;
    const isNegative = row.flag.startsWith('--no-');
    const typed = options[new Option(row.flag).attributeName()];
    // Commander says true for a `--no-…` that was not given.
    if (typed === undefined || (isNegative && typed === true)) continue;
    const isBare = typed === true && row.bare !== undefined;
    values[key] = isBare ? row.bare : row.metavar?.includes('|') === true ? Number(typed) : typed;
  }
  return values;
}

/**
 * Names for errors: the flag that was typed, and for what has none what `others` says.
 * @param at where the values of the table stand in the document
 * @param others names of arguments and further flags, by their place such as `options.token`
 */
export function typedNames(table: Table, at: Path, others: Readonly<Record<string, string>> = {}): Names {
  const dotted = dottedNames();
  const names = new Map(Object.entries(others));
  for (const [key, { flag }] of Object.entries(table)) {
    if (flag !== undefined) names.set(dotted([...at, key]), flag);
  }
  return (path, isFalse) => {
    const place = typeof path.at(-1) === 'number' ? path.slice(0, -1) : path;
    return names.get(dotted(place)) ?? dotted(path, isFalse);
  };
}
