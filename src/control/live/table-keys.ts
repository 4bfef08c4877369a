/** The tables of `observe`, and what tells their entries apart. Pure, so that a browser can use it, too. */

export const TABLE_NAMES = [
  'ports',
  'stations',
  'networks',
  'vlans',
  'trees',
  'treePorts',
  'neighbors',
  'status',
] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** An entry of a table. Its members depend on the table. */
export type LiveEntry = Readonly<Record<string, unknown>>;

/** The members that make the key of an entry. */
const KEYS: Readonly<Record<Exclude<TableName, 'status'>, readonly string[]>> = {
  ports: ['port'],
  stations: ['network', 'vid', 'mac'],
  networks: ['network'],
  vlans: ['network', 'vid'],
  trees: ['network'],
  treePorts: ['network', 'port'],
  neighbors: ['network', 'port', 'chassis', 'neighborPort'],
};

/** The key of an entry: the values of its members, with `|` between them. The table `status` has one entry, `status`. */
export function keyOf(table: TableName, entry: LiveEntry): string {
  if (table === 'status') return 'status';
  let key = '';
  for (const member of KEYS[table]) key += key === '' ? String(entry[member]) : `|${String(entry[member])}`;
  return key;
}
