/** A place in a file; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An error in a file. */
export interface FileFault {
  readonly place: Place;
  readonly message: string;
}

export function describePlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}
