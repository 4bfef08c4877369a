/** A syntax error in a filter. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
  /** its column, in characters, from 1 */
  readonly column: number;

  /** @param complaint the error, without the column */
  constructor(column: number, complaint: string) {
    super(`column ${column}: ${complaint}`);
    this.column = column;
  }
}
