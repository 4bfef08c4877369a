import { type FileHandle, open, rename, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf, describeError, EtherwsError } from '../errors.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { listPieces } from './list-pieces.ts';
import type { FileOwner } from './own-file.ts';
import { findPlace, type Place, UnsafePathError } from './safe-path.ts';
import { readUserFile } from './user-file.ts';

export interface StateFileOptions {
  /** the owner of the file while the process is root; default: its present user */
  readonly owner?: FileOwner | undefined;
  readonly logger?: Logger;
  /** the time limit of `keepSoon`. Default 1000 */
  readonly soonMs?: number;
  /** sections that are left out before others of a state that is too large */
  readonly spare?: readonly string[];
  /** limit of the file in octets, read or written. Default 64 MiB */
  readonly mostBytes?: number;
}

/** Limit of a file: more than the state of 10 000 ports. */
const MOST_BYTES = 64 * 1024 * 1024;
const VERSION = 1;
/** A write of `keepSoon` is followed by a pause of at least so many times the processor time that making its values took. */
const REST_FACTOR = 20;
const MOST_REST_MS = 30_000;
const LEFT_OUT_HINT =
  'What is left out is lost with the process: have fewer of them, or spread the ports over more switches';
const MOVE_IT = 'Move it away; the switch then starts without it';

/**
 * A file of values for the next start of a program: JSON in named sections, mode 0600.
 *
 * A file that would have more octets than are read is written without its longest sections, and the log says so.
 *
 * The file is replaced, never changed: the new contents are written to another file, which is synced and renamed, and
 * the directory is synced. So after SIGKILL or a loss of power the file has the old contents or the new ones. Calls
 * during a write share the next write. Long lists are made in slices, between which the process does other work.
 */
export class StateFile {
  readonly path: string;
  readonly #options: StateFileOptions;
  /** pieces of JSON by section, so that an unchanged section is not serialized again */
  readonly #sections = new Map<string, readonly Buffer[]>();
  /** functions of `keepSoon` that the next write calls */
  readonly #soon = new Map<string, () => unknown>();
  /** functions of `follow` that each write calls */
  readonly #followed = new Map<string, () => unknown>();
  #timer: NodeJS.Timeout | undefined;
  /** no write of `keepSoon` begins before */
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #hasComplained = false;
  /** the sections that the last write left out */
  #leftOut: readonly string[] = [];

  private constructor(path: string, options: StateFileOptions, sections: Readonly<Record<string, unknown>>) {
    this.path = path;
    this.#options = options;
    for (const [name, value] of Object.entries(sections)) this.#put(name, value);
  }

  /**
   * Reads the file; without one all sections are absent. It writes nothing.
   * @throws EtherwsError FILE_UNREADABLE; STATE_INVALID for contents that this class has not written
   */
  static async open(path: string, options: StateFileOptions = {}): Promise<StateFile> {
    const absolute = resolve(path);
    try {
      const { text } = await readUserFile(absolute, options.mostBytes ?? MOST_BYTES);
      return new StateFile(absolute, options, sectionsOf(absolute, text));
    } catch (error) {
      if (codeOf((error as Error).cause) !== 'ENOENT') throw error;
      return new StateFile(absolute, options, {});
    }
  }

  /** The last value of a section, read or kept; undefined without one. The caller checks its shape. */
  read(section: string): unknown {
    const pieces = this.#sections.get(section);
    return pieces === undefined ? undefined : JSON.parse(Buffer.concat(pieces).toString());
  }

  /**
   * The same, with its shape checked by `checked`.
   * @throws EtherwsError STATE_INVALID with the path, for one that `checked` refuses by an EtherwsError
   */
  readAs<Value>(section: string, checked: (value: unknown) => Value): Value | undefined {
    const value = this.read(section);
    try {
      return value === undefined ? undefined : checked(value);
    } catch (error) {
      if (!(error instanceof EtherwsError)) throw error;
      throw invalid(this.path, `cannot be used: ${describeError(error)}`, MOVE_IT);
    }
  }

  /**
   * Keeps a value; undefined removes the section. Resolves when it is on the disk.
   * @throws EtherwsError FILE_UNWRITABLE; the next write of any section includes this one, too. Also if the section is left out, unless it
   *   is one of `spare`, of which the log tells
   */
  async keep(section: string, value: unknown): Promise<void> {
    this.#soon.delete(section);
    this.#followed.delete(section);
    this.#put(section, value);
    await this.write();
    if (!this.#leftOut.includes(section) || this.#options.spare?.includes(section)) return;
    throw new EtherwsError('FILE_UNWRITABLE', `The state ${this.path} is too large; its ${section} are left out`, {
      hint: LEFT_OUT_HINT,
    });
  }

  /**
   * Keeps a value within `soonMs`, for values that change often and may be lost with the process. A value that takes long to
   * make is kept less often. A failure is logged.
   * @param makeValue called for the write; of several calls before it, the last one counts. An iterable is kept as a list. It is
   * read in slices, so what it goes through may change meanwhile; then the change calls `keepSoon` again.
   */
  keepSoon(section: string, makeValue: () => unknown): void {
    this.#soon.set(section, makeValue);
    const waitMs = Math.max(this.#options.soonMs ?? 1000, this.#notBeforeMs - performance.now());
    this.#timer ??= setTimeout(() => void this.#writeSoon(), waitMs);
    this.#timer.unref();
  }

  /** Calls `makeValue`, as that of `keepSoon`, for each write, until `keep` is called for the section. It causes no write itself. */
  follow(section: string, makeValue: () => unknown): void {
    this.#followed.set(section, makeValue);
  }

  /** Writes all sections; at the start this shows whether the file is writable. @throws EtherwsError FILE_UNWRITABLE */
  write(): Promise<void> {
    this.#next ??= this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        // In a later turn of the promises, so that a call by what it makes waits for it.
        this.#writing = Promise.resolve().then(() => this.#replace());
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
    else this.#sections.set(section, [Buffer.from(JSON.stringify(value))]);
  }

  /** Makes the values of `follow` and `keepSoon`. */
  async #make(): Promise<void> {
    const made = new Map([...this.#followed, ...this.#soon]);
    this.#soon.clear();
    let workMs = 0;
    for (const [section, makeValue] of made) {
      const before = this.#sections.get(section);
      const startMs = performance.now();
      const value = makeValue();
      const list = isList(value) ? value : undefined;
      if (list === undefined) this.#put(section, value);
      workMs += performance.now() - startMs;
      if (list === undefined) continue;
      const { pieces, workMs: listMs } = await listPieces(list);
      workMs += listMs;
      // Else `keep` has kept another value meanwhile.
      if (this.#sections.get(section) === before) this.#sections.set(section, pieces);
    }
    this.#notBeforeMs = performance.now() + Math.min(MOST_REST_MS, REST_FACTOR * workMs);
  }

  /** The contents of the file, at most as many octets as are read. */
  #text(): readonly Buffer[] {
    const { logger = SILENT, spare = [], mostBytes = MOST_BYTES } = this.#options;
    const kept = new Map(this.#sections);
    let text = textOf(kept);
    const octets = octetsOf(text);
    const leftOut: string[] = [];
    for (let left = octets; left > mostBytes && kept.size > 0; left = octetsOf(text)) {
      const spared = [...kept].filter(([name]) => spare.includes(name));
      const longest = longestOf(spared.length > 0 ? spared : [...kept]);
      leftOut.push(longest);
      kept.delete(longest);
      text = textOf(kept);
    }
    if (leftOut.length > 0 && leftOut.join() !== this.#leftOut.join()) {
      const facts = { path: this.path, leftOut, octets, most: mostBytes };
      logger.error(facts, `The state is too large, and is kept without some sections. ${LEFT_OUT_HINT}`);
    }
    this.#leftOut = leftOut;
    return text;
  }

  async #replace(): Promise<void> {
    await this.#make();
    const text = this.#text();
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

function textOf(sections: ReadonlyMap<string, readonly Buffer[]>): readonly Buffer[] {
  const parts = [...sections].flatMap(([name, pieces], index) => [
    Buffer.from(`${index === 0 ? '' : ',\n'}${JSON.stringify(name)}:`),
    ...pieces,
  ]);
  return [Buffer.from(`{"version":${VERSION},"sections":{\n`), ...parts, Buffer.from('\n}}\n')];
}

/** The name of the section with the most octets. */
function longestOf(sections: readonly (readonly [string, readonly Buffer[]])[]): string {
  const sizes = sections.map(([name, pieces]) => ({ name, octets: octetsOf(pieces) }));
  return sizes.reduce((most, size) => (size.octets > most.octets ? size : most)).name;
}

function octetsOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** On other systems than Linux all links are followed. */
function placeOf(path: string): Place {
  if (process.platform === 'linux') return findPlace(path);
  return { path, entry: undefined, isPrivate: false, close: () => undefined };
}

/** The temporary file always has the same name, so that a program that is killed often leaves at most one. */
async function replaceAt(target: string, text: readonly Buffer[], owner: FileOwner | undefined): Promise<void> {
  const fresh = join(dirname(target), `.${basename(target)}.new`);
  await unlink(fresh).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  await withHandle(await open(fresh, 'wx', 0o600), async (handle) => {
    await writeFile(handle, text);
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
    throw invalid(path, 'is no JSON', MOVE_IT);
  }
}

function invalid(path: string, problem: string, hint: string): EtherwsError {
  return new EtherwsError('STATE_INVALID', `The state ${path} ${problem}`, { hint });
}

function isList(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
