import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { describeError } from '../errors.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { readUserFile } from './user-file.ts';

export interface FollowOptions {
  readonly logger?: Logger;
  /** The file is looked at, at most, once in this time. */
  readonly recheckMs?: number;
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

/**
 * The content of a file, parsed, and again when it changes. It is looked at when
 * it is asked for, by name: that follows editors and tools that put a new file in
 * its place, and costs nothing in between. A new content that cannot be
 * read or parsed leaves the last good one in force, and is logged once.
 */
export class FollowedFile<T> {
  readonly path: string;
  readonly #parse: (text: string) => T;
  readonly #logger: Logger;
  readonly #recheckMs: number;
  readonly #maxBytes: number;
  #value: T;
  /** the version that was read last, good or not; empty when it could not be read */
  #seen: string;
  /** what was logged about the content that is not in force */
  #complaint: string | undefined;
  #checkedAtMs: number;
  #checking: Promise<void> | undefined;

  /**
   * @param parse throws an EtherwsError for a content that must not come into force
   * @throws EtherwsError FILE_UNREADABLE, or what `parse` throws
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

  /** Why the content that was seen last is not in force; undefined where it is. */
  get complaint(): string | undefined {
    return this.#complaint;
  }

  /** The content in force, after a look at the file if the last one is old enough. Never rejects. */
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
      // A failure to read may pass without a trace in the file, so it is tried again each time.
      this.#seen = '';
      const { text, stats } = await readUserFile(this.path, this.#maxBytes);
      // What it was when reading began: a write in between shows at the next look.
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

/** A text that differs when the file was replaced or written; empty when it cannot be looked at. */
async function versionOf(path: string): Promise<string> {
  try {
    return versionText(await stat(path, { bigint: true }));
  } catch {
    return '';
  }
}

/** ctime too: tools that copy attributes set mtime back. */
function versionText({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
