import { keyOf, type LiveEntry, type TableName } from './table-keys.ts';

/** The parameters of the notification `etherws.control.observed`: a piece of a snapshot or of a difference. */
export interface Observed {
  readonly table: TableName;
  /** the table begins anew: a snapshot follows */
  readonly reset?: true;
  /** entries that are new, or take the place of those with their keys */
  readonly put?: readonly LiveEntry[];
  /** keys of entries with their changed members */
  readonly change?: readonly (readonly [key: string, members: LiveEntry])[];
  /** keys of entries that are gone */
  readonly drop?: readonly string[];
  /** the last piece of a snapshot or of a difference */
  readonly done?: true;
  /** the user may not read the table any more */
  readonly forbidden?: true;
}

/** A table at its reader: what the notifications of `observe` have told. Pure, so that a browser can use it, too. */
export class ObservedTable {
  readonly name: TableName;
  readonly rows = new Map<string, LiveEntry>();

  constructor(name: TableName) {
    this.name = name;
  }

  /** @param piece of this table */
  apply({ reset, put = [], change = [], drop = [] }: Observed): void {
    if (reset === true) this.rows.clear();
    for (const entry of put) this.rows.set(keyOf(this.name, entry), entry);
    for (const [key, members] of change) {
      const entry = this.rows.get(key);
      if (entry !== undefined) this.rows.set(key, { ...entry, ...members });
    }
    for (const key of drop) this.rows.delete(key);
  }
}
