import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { describeError } from '../errors.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { readUserFile } from './user-file.ts';

export interface FollowOptions {
  readonly logger?: Logger;
  /** The file is checked for changes at most once in this time. Default 1000. */
  readonly recheckMs?: number;
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

/**
 * The parsed contents of a file, which is read again after a change. `current` checks
 * for changes by name (stat), so a file that was replaced by rename is noticed, and an
 * unused file costs nothing. If the new contents cannot be
 * read or parsed, the last valid ones stay in force, and the error is logged once.
 */
export class FollowedFile<T> {
  readonly path: string;
  readonly #parse: (text: string) => T;
  readonly #logger: Logger;
  readonly #recheckMs: number;
  readonly #maxBytes: number;
  #value: T;
  /** the version that was read last, valid or not; empty if it could not be read */
  #seen: string;
  /** the error of the last read; undefined if its contents are in force */
  #complaint: string | undefined;
  #checkedAtMs: number;
  #checking: Promise<void> | undefined;

  /**
   * @param parse throws an EtherwsError for invalid contents
   * @throws EtherwsError FILE_UNREADABLE, or the error of `parse`
   */
  static async open<T>(
    path: string,
    parse: (text: string) => T,
    options: FollowOptions = {},
  ): Promise<FollowedFile<T>> {
    const { text, stats } = await readUserFile(path, options.maxBytes ?? DEFAULT_MAX_BYTES);
    return new FollowedFile(path, parse, options, parse(text), versionText(stats));
  }

  private constructor(path: string, parse: (text: string) => T, options: FollowOptions, value: T, seen: string) {
    this.path = path;
    this.#parse = parse;
    this.#logger = options.logger ?? SILENT;
    this.#recheckMs = options.recheckMs ?? 1000;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#value = value;
    this.#seen = seen;
    this.#checkedAtMs = performance.now();
  }

  /** Why the last version of the file is not in force; undefined if it is. */
  get complaint(): string | undefined {
    return this.#complaint;
  }

  /** The contents in force, after a check for changes if the last one is older than `recheckMs`. Never rejects. */
  async current(): Promise<T> {
    if (this.#checking === undefined && performance.now() - this.#checkedAtMs >= this.#recheckMs) {
      this.#checking = this.#check().finally(() => {
        this.#checkedAtMs = performance.now();
        this.#checking = undefined;
      });
    }
    await this.#checking;
    return this.#value;
  }

  async #check(): Promise<void> {
    if ((await versionOf(this.path)) === this.#seen) return;
    try {
      // A failed read is repeated at each check, since its cause may vanish without a change of the file.
      this.#seen = '';
      const { text, stats } = await readUserFile(this.path, this.#maxBytes);
      // The version from before reading, so that a write during it is noticed by the next check.
      this.#seen = versionText(stats);
      this.#value = this.#parse(text);
      this.#complaint = undefined;
      this.#logger.info({ path: this.path }, 'Read again, because it changed');
    } catch (error) {
      const reason = describeError(error);
      if (reason === this.#complaint) return;
      this.#complaint = reason;
      this.#logger.error(
        { path: this.path, reason },
        'Cannot use the changed file; what was read before stays in force',
      );
    }
  }
}

/** A text that changes when the file is replaced or written; empty if stat fails. */
async function versionOf(path: string): Promise<string> {
  try {
    return versionText(await stat(path, { bigint: true }));
  } catch {
    return '';
  }
}

/** Includes ctime, since tools that copy attributes restore mtime. */
function versionText({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
