import { METHOD_PREFIX } from '../entries.ts';
import type { LiveEntry, TableName } from './table-keys.ts';

/** The notification that carries a piece. */
const HEAD = `{"jsonrpc":"2.0","method":"${METHOD_PREFIX}observed","params":{"table":`;
/** Limits of a piece. The last entry may exceed that of its characters. */
const MOST_ENTRIES = 256;
const MOST_CHARACTERS = 64 * 1024;

/** What a piece says beside its entries. */
export interface PieceMarks {
  readonly reset?: boolean;
  readonly done?: boolean;
  readonly forbidden?: boolean;
}

/** Makes the text of `etherws.control.observed`, piece by piece. */
export class PieceBuilder {
  readonly #table: TableName;
  #put: string[] = [];
  #change: string[] = [];
  #drop: string[] = [];
  #characters = 0;

  constructor(table: TableName) {
    this.#table = table;
  }

  get isEmpty(): boolean {
    return this.#put.length + this.#change.length + this.#drop.length === 0;
  }

  get isFull(): boolean {
    const entries = this.#put.length + this.#change.length + this.#drop.length;
    return entries >= MOST_ENTRIES || this.#characters >= MOST_CHARACTERS;
  }

  put(entry: LiveEntry): void {
    this.#put.push(this.#counted(JSON.stringify(entry)));
  }

  change(key: string, members: LiveEntry): void {
    this.#change.push(this.#counted(JSON.stringify([key, members])));
  }

  drop(key: string): void {
    this.#drop.push(this.#counted(JSON.stringify(key)));
  }

  /** The message with all entries since the last call. */
  take({ reset = false, done = false, forbidden = false }: PieceMarks = {}): Buffer {
    const lists = [listOf('put', this.#put), listOf('change', this.#change), listOf('drop', this.#drop)].join('');
    this.#put = [];
    this.#change = [];
    this.#drop = [];
    this.#characters = 0;
    const marks = `${reset ? ',"reset":true' : ''}${lists}${done ? ',"done":true' : ''}${forbidden ? ',"forbidden":true' : ''}`;
    return Buffer.from(`${HEAD}"${this.#table}"${marks}}}`);
  }

  #counted(text: string): string {
    this.#characters += text.length;
    return text;
  }
}

function listOf(name: string, texts: readonly string[]): string {
  return texts.length === 0 ? '' : `,"${name}":[${texts.join(',')}]`;
}
