import type { Names, Path } from '../schema/check.ts';
import { closestWord } from '../schema/closest-word.ts';
import type { Row } from '../schema/table.ts';
import { UsageError } from './usage-error.ts';

/** Values of one option that is an object: `--tunnel-setting isolated=1 --tunnel-setting mac-limit=4`. */

type Rows = Readonly<Record<string, Row>>;

/**
 * The object that the texts `NAME=VALUE` make. `none` removes what was typed before it.
 * @param typed converts a text by its row
 * @throws UsageError for a text without `=`, and for a name that no row has
 */
export function typedObject(
  flag: string,
  rows: Rows,
  texts: readonly string[],
  typed: (row: Row, text: string) => unknown,
): Record<string, unknown> {
  let values: Record<string, unknown> = {};
  for (const text of texts) {
    if (text === 'none') {
      values = {};
      continue;
    }
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`${flag} '${text}' is no NAME=VALUE`, 'Write it as isolated=1, or none');
    const name = text.slice(0, at);
    const [key, row] = Object.entries(rows).find(([, { flag: own }]) => own === `--${name}`) ?? [];
    if (key === undefined || row === undefined) {
      const names = namesOf(rows);
      const meant = closestWord(name, names);
      const hint = meant === undefined ? `There are ${names.join(', ')}` : `Did you mean ${meant}?`;
      throw new UsageError(`${flag} '${text}': there is no setting '${name}'`, hint);
    }
    const value = typed(row, text.slice(at + 1));
    values[key] = row.type.type === 'array' ? [...((values[key] as unknown[] | undefined) ?? []), value] : value;
  }
  return values;
}

/** Names the place of a value: `--tunnel-setting mac-limit`. */
export function objectNames(flag: string, rows: Rows, at: Path, dotted: Names): [string, string][] {
  return Object.entries(rows).map(([key, row]) => [dotted([...at, key]), `${flag} ${row.flag?.slice(2) ?? key}`]);
}

function namesOf(rows: Rows): string[] {
  return Object.values(rows).flatMap(({ flag }) => flag?.slice(2) ?? []);
}
