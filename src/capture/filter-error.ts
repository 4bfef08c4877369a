/** A filter that cannot be read. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
  /** where, in characters from 1 */
  readonly column: number;

  /** @param complaint what is wrong there, without the column */
  constructor(column: number, complaint: string) {
    super(`column ${column}: ${complaint}`);
    this.column = column;
  }
}
