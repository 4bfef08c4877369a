import type { Row } from './table.ts';

/** A setting as it is typed, without its flag: `isolated=1`; one text for each member of an object. */
export function typedSetting(rows: Readonly<Record<string, Row>>, key: string, value: unknown): string[] {
  const name = rows[key]?.flag?.slice(2) ?? key;
  const members = rows[key]?.rows;
  if (members === undefined) return [`${name}=${typedValue(value)}`];
  const below = Object.entries(value as object).flatMap(([each, setting]) => typedSetting(members, each, setting));
  return below.length === 0 ? [`${name}=none`] : below.map((text) => `${name} ${text}`);
}

/** A value as it is typed. */
export function typedValue(value: unknown): string {
  const typed = typeof value === 'boolean' ? Number(value) : value;
  return typeof typed === 'object' ? JSON.stringify(typed) : String(typed);
}
