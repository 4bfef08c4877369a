import { useEffect } from 'preact/hooks';
import type { TableName } from '../../../src/control/live/table-keys.ts';
import { socketHere } from '../here.ts';
import { askSession } from '../session.ts';
import { Connection } from './connection.ts';
import type { ObservedTable } from './observed-table.ts';
import { Store } from './store.ts';

/** The page's connection; a capture opens one of its own. */
export const connection: Connection = new Connection(() => socketHere('live'), askSession);
export const store: Store = new Store(connection);

/** Calls a method of the control API by the page's connection: see `Connection.call`. */
export function call<E>(method: string, params: object = {}): Promise<E[]> {
  return connection.call<E>(method, params);
}

/** The table, which makes the component render again when it changes, and is observed while the component is shown. */
export function useTable<E>(name: TableName): ObservedTable<E> {
  useEffect(() => store.want([name]), [name]);
  const table = store.table<E>(name);
  table.version.value;
  table.isComplete.value;
  return table;
}
