/** The most octets of the name of a field (journald discards longer ones). */
const MOST_NAME_OCTETS = 64;

/**
 * The datagram of one entry in journald's native protocol: a field a line, `NAME=value`. A value with a line end has the
 * binary form: the name, a line end, the length as 64 bits in little-endian order, the value, a line end.
 * @param fields names by `journalFieldName`; journald keeps each field of a name that comes twice
 */
export function encodeJournalEntry(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of fields) {
    if (!value.includes('\n')) {
      parts.push(Buffer.from(`${name}=${value}\n`));
      continue;
    }
    const octets = Buffer.from(value);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(octets.length));
    parts.push(Buffer.from(`${name}\n`), length, octets, Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}

/**
 * The name of the journal's field for a field of the log: `portName` is ETHERWS_PORT_NAME. Names of fields consist of A
 * to Z, 0 to 9 and `_` (systemd.journal-fields(7)); other characters become `_`.
 */
export function journalFieldName(key: string): string {
  const words = key.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
  return `ETHERWS_${words.replaceAll(/[^A-Z0-9_]/g, '_')}`.slice(0, MOST_NAME_OCTETS);
}
