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
  /** the time limit of `keepSoon`. Default 1000 */
  readonly soonMs?: number;
}

/** Limit of a file that is read: more than the state of 10 000 ports. */
const MOST_BYTES = 64 * 1024 * 1024;
const VERSION = 1;

/**
 * A file of values for the next start of a program: JSON in named sections, mode 0600.
 *
 * The file is replaced, never changed: the new contents are written to another file, which is synced and renamed, and
 * the directory is synced. So after SIGKILL or a loss of power the file has the old contents or the new ones. Calls
 * during a write share the next write.
 */
export class StateFile {
  readonly path: string;
  readonly #options: StateFileOptions;
  /** JSON by section, so that an unchanged section is not serialized again */
  readonly #sections = new Map<string, string>();
  /** functions of `keepSoon` that the next write calls */
  readonly #soon = new Map<string, () => unknown>();
  /** functions of `follow` that each write calls */
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
   * Reads the file; without one all sections are absent. It writes nothing.
   * @throws EtherwsError FILE_UNREADABLE; STATE_INVALID for contents that this class has not written
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

  /** The last value of a section, read or kept; undefined without one. The caller checks its shape. */
  read(section: string): unknown {
    const json = this.#sections.get(section);
    return json === undefined ? undefined : JSON.parse(json);
  }

  /**
   * Keeps a value; undefined removes the section. Resolves when it is on the disk.
   * @throws EtherwsError FILE_UNWRITABLE; the next write of any section includes this one, too
   */
  keep(section: string, value: unknown): Promise<void> {
    this.#soon.delete(section);
    this.#followed.delete(section);
    this.#put(section, value);
    return this.write();
  }

  /**
   * Keeps a value within `soonMs`, for values that change often and may be lost with the process. A failure is logged.
   * @param makeValue called for the write; of several calls before it, the last one counts
   */
  keepSoon(section: string, makeValue: () => unknown): void {
    this.#soon.set(section, makeValue);
    this.#timer ??= setTimeout(() => void this.#writeSoon(), this.#options.soonMs ?? 1000);
    this.#timer.unref();
  }

  /** Calls `makeValue` for each write, until `keep` is called for the section. It causes no write itself. */
  follow(section: string, makeValue: () => unknown): void {
    this.#followed.set(section, makeValue);
  }

  /** Writes all sections; at the start this shows whether the file is writable. @throws EtherwsError FILE_UNWRITABLE */
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

  /** Writes pending values of `keepSoon`, and waits for all writes. A failure is logged. */
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

/** The temporary file always has the same name, so that a program that is killed often leaves at most one. */
async function replaceAt(target: string, text: string, owner: FileOwner | undefined): Promise<void> {
  const fresh = join(dirname(target), `.${basename(target)}.new`);
  await unlink(fresh).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  await withHandle(await open(fresh, 'wx', 0o600), async (handle) => {
    await handle.writeFile(text);
    // The process may change to this user later, and must be able to read the file then.
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
    // Without the message of JSON.parse, since it quotes the text, which may have secrets.
    throw invalid(path, 'is no JSON', 'Move it away; the switch then starts without it');
  }
}

function invalid(path: string, problem: string, hint: string): EtherwsError {
  return new EtherwsError('STATE_INVALID', `The state ${path} ${problem}`, { hint });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
