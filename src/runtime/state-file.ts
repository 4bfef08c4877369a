import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf, describeError, EtherwsError } from '../errors.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import type { FileOwner } from './own-file.ts';
import { findPlace, type Place, UnsafePathError } from './safe-path.ts';
import { readUserFile } from './user-file.ts';

export interface StateFileOptions {
  /** the owner of the file while the process is root; default: its present user */
  readonly owner?: FileOwner | undefined;
  readonly logger?: Logger;
  /** within which time `keepSoon` writes. Default 1000 */
  readonly soonMs?: number;
}

/** More than a switch of 10 000 ports has. */
const MOST_BYTES = 64 * 1024 * 1024;
const VERSION = 1;

/**
 * What a program keeps for its next start: values of JSON in named sections of one file, mode 0600.
 *
 * The file is replaced, never changed: the new contents are written beside it and synced, then take its name, and the
 * directory is synced. A program that is killed, or a host that loses its power, leaves the old contents or the new ones.
 * Calls during a write are answered by the next one, which has the values of all of them.
 */
export class StateFile {
  readonly path: string;
  readonly #options: StateFileOptions;
  /** JSON by section: a section that is not changed is not made anew */
  readonly #sections = new Map<string, string>();
  /** values that `keepSoon` was given */
  readonly #soon = new Map<string, () => unknown>();
  /** values that `follow` was given */
  readonly #followed = new Map<string, () => unknown>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #hasComplained = false;

  private constructor(path: string, options: StateFileOptions, sections: Readonly<Record<string, unknown>>) {
    this.path = path;
    this.#options = options;
    for (const [name, value] of Object.entries(sections)) this.#sections.set(name, JSON.stringify(value));
  }

  /**
   * Reads the file; without one all sections are absent. Nothing is written yet.
   * @throws EtherwsError FILE_UNREADABLE; STATE_INVALID for contents that are not of this class
   */
  static async open(path: string, options: StateFileOptions = {}): Promise<StateFile> {
    const absolute = resolve(path);
    try {
      const { text } = await readUserFile(absolute, MOST_BYTES);
      return new StateFile(absolute, options, sectionsOf(absolute, text));
    } catch (error) {
      if (codeOf((error as Error).cause) !== 'ENOENT') throw error;
      return new StateFile(absolute, options, {});
    }
  }

  /** The value of a section, as it was read or kept last; undefined without one. The caller checks its shape. */
  read(section: string): unknown {
    const json = this.#sections.get(section);
    return json === undefined ? undefined : JSON.parse(json);
  }

  /**
   * Keeps a value; undefined removes the section. Resolves when it is on the disk.
   * @throws EtherwsError FILE_UNWRITABLE; the next call of any section tries again to write this one, too
   */
  keep(section: string, value: unknown): Promise<void> {
    this.#soon.delete(section);
    this.#followed.delete(section);
    this.#put(section, value);
    return this.write();
  }

  /**
   * Keeps a value within `soonMs`, for what changes often and may be lost with the process. A failure is logged.
   * @param makeValue called when it is written; of several calls before that, the last one counts
   */
  keepSoon(section: string, makeValue: () => unknown): void {
    this.#soon.set(section, makeValue);
    this.#timer ??= setTimeout(() => void this.#writeSoon(), this.#options.soonMs ?? 1000);
    this.#timer.unref();
  }

  /** Makes the value of a section anew for each write, until `keep` is called for it. It brings no write itself. */
  follow(section: string, makeValue: () => unknown): void {
    this.#followed.set(section, makeValue);
  }

  /** Writes all sections, which also shows whether they can be. @throws EtherwsError FILE_UNWRITABLE */
  write(): Promise<void> {
    this.#next ??= this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        this.#writing = this.#replace();
        return this.#writing;
      });
    return this.#next;
  }

  /** Writes what `keepSoon` was given, and waits for all writes. A failure is logged. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#soon.size > 0) await this.#writeSoon();
    await this.#next?.catch(() => undefined);
    await this.#writing.catch(() => undefined);
  }

  async #writeSoon(): Promise<void> {
    this.#timer = undefined;
    try {
      await this.write();
      this.#hasComplained = false;
    } catch (error) {
      const { logger = SILENT } = this.#options;
      if (!this.#hasComplained) logger.error({ reason: describeError(error) }, 'Cannot keep the state');
      this.#hasComplained = true;
    }
  }

  #put(section: string, value: unknown): void {
    if (value === undefined) this.#sections.delete(section);
    else this.#sections.set(section, JSON.stringify(value));
  }

  async #replace(): Promise<void> {
    for (const [section, makeValue] of [...this.#followed, ...this.#soon]) this.#put(section, makeValue());
    this.#soon.clear();
    const lines = [...this.#sections].map(([name, json]) => `${JSON.stringify(name)}:${json}`);
    const text = `{"version":${VERSION},"sections":{\n${lines.join(',\n')}\n}}\n`;
    let place: Place | undefined;
    try {
      place = placeOf(this.path);
      await replaceAt(place.path, text, this.#options.owner);
    } catch (error) {
      const isUnsafe = error instanceof UnsafePathError;
      const reason = isUnsafe ? error.message : codeOf(error) || (error as Error).message;
      const ownHint =
        'Check that its directory exists, that the user of the switch may write to it, and that it has room';
      throw new EtherwsError('FILE_UNWRITABLE', `The state ${this.path} cannot be written (${reason})`, {
        cause: error,
        hint: isUnsafe ? error.hint : ownHint,
      });
    } finally {
      place?.close();
    }
  }
}

/** On other systems than Linux all links are followed. */
function placeOf(path: string): Place {
  if (process.platform === 'linux') return findPlace(path);
  return { path, entry: undefined, isPrivate: false, close: () => undefined };
}

/** The name of the new contents is always the same, so that a program that is killed often leaves one file at most. */
async function replaceAt(target: string, text: string, owner: FileOwner | undefined): Promise<void> {
  const fresh = join(dirname(target), `.${basename(target)}.new`);
  await unlink(fresh).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  await withHandle(await open(fresh, 'wx', 0o600), async (handle) => {
    await handle.writeFile(text);
    // Later the process may be this user, and only that.
    if (owner !== undefined && process.geteuid?.() === 0) await handle.chown(owner.uid, owner.gid);
    await handle.sync();
  });
  await rename(fresh, target);
  await withHandle(await open(dirname(target), 'r'), (directory) => directory.sync());
}

async function withHandle(handle: FileHandle, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
}

function sectionsOf(path: string, text: string): Readonly<Record<string, unknown>> {
  const value = parsed(path, text);
  const { version, sections }: { version?: unknown; sections?: unknown } = isObject(value) ? value : {};
  if (version === VERSION && isObject(sections)) return sections;
  if (typeof version === 'number' && version > VERSION) {
    throw invalid(path, `is of version ${version}, and this etherws knows ${VERSION}`, 'Use a newer etherws');
  }
  throw invalid(path, 'is no state of etherws', 'Name another file');
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The message of JSON.parse has a piece of the text, which may be a secret.
    throw invalid(path, 'is no JSON', 'Move it away; the switch then starts without it');
  }
}

function invalid(path: string, problem: string, hint: string): EtherwsError {
  return new EtherwsError('STATE_INVALID', `The state ${path} ${problem}`, { hint });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
