/**
 * Text for terminals. Targets, reasons and messages may come from a peer. So
 * characters that move the cursor, change colours or the direction of writing, or
 * are invisible, are shown as escapes.
 */

export interface Column<Row> {
  readonly title: string;
  /** numbers are aligned to the right, words to the left */
  readonly isNumber: boolean;
  cell(row: Row): string;
  /** the value to sort by; default: the number in the cell */
  value?(row: Row): number;
}

/** A table with titles. Lines are indented by two spaces, and columns are two spaces apart. Ends with a line feed. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map((column) => escapeCell(column.cell(row)))),
  ];
  const widths = columns.map((_, index) => lines.reduce((width, line) => Math.max(width, line[index]?.length ?? 0), 0));
  return lines
    .map((line) => {
      const cells = line.map((cell, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.isNumber === true ? cell.padStart(width) : cell.padEnd(width);
      });
      return `  ${cells.join('  ')}`.trimEnd();
    })
    .join('\n')
    .concat('\n');
}

/** Printable ASCII, so that each character takes one column; all other characters become `\u{…}`. */
export function escapeCell(text: string): string {
  return text.replace(/[^\x20-\x7e]|\\/gu, escaped);
}

/** A sentence on one line. Letters of all scripts stay; control, direction and invisible characters become `\u{…}`. */
export function escapeSentence(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}

/** JSON on one line, in ASCII, which cannot drive a terminal. */
export function formatJson(value: unknown): string {
  const ascii = JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${ascii}\n`;
}

function escaped(character: string): string {
  return character === '\\' ? '\\\\' : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
