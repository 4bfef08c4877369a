import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { preferredCoding } from './accepted-coding.ts';

/** One form of a file: as it is, or compressed. */
interface Variant {
  readonly octets: Buffer;
  readonly etag: string;
}

const CODINGS = ['br', 'gzip'] as const;
type Coding = (typeof CODINGS)[number] | 'identity';
const SUFFIXES: Readonly<Record<Coding, string>> = { identity: '', gzip: '.gz', br: '.br' };

interface StaticFile {
  readonly path: string;
  readonly type: string;
  /** Its name changes with its contents, so browsers may keep it. */
  readonly isHashed: boolean;
  /** the compressed forms that are there */
  readonly codings: readonly Exclude<Coding, 'identity'>[];
  /** the forms that were read */
  readonly variants: Map<Coding, Promise<Variant>>;
}

/** The media types of the files that are served; others are not. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** The folder whose names have a hash of the contents. */
const HASHED = 'assets';
/** The folders that are served; '' for the files at the top. */
const FOLDERS = ['', HASHED, 'manual'];
const YEAR_SECONDS = 31_536_000;

/**
 * The files of a built page, by their paths below its directory: those at the top, and those of `assets/` and of `manual/`.
 * Names are read at the first request, and each file when it is first asked for; they are kept then. No path of a request is
 * ever a path of the file system.
 */
export class StaticFiles {
  readonly #directory: string;
  #files: Promise<ReadonlyMap<string, StaticFile>> | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Whether the page was built. Until it was, each call looks again. */
  async areThere(): Promise<boolean> {
    return (await this.#read()).has('index.html');
  }

  /**
   * Answers GET or HEAD with a file, or with 304 if the browser has it.
   * @param path below the directory; '' for `index.html`
   * @returns false if there is no such file; nothing was written then
   */
  async serve(path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const file = (await this.#read()).get(path === '' ? 'index.html' : path);
    if (file === undefined) return false;
    const { headers, method } = request;
    const coding = preferredCoding(headers['accept-encoding'], file.codings);
    let read = file.variants.get(coding);
    if (read === undefined) {
      read = readVariant(file.path + SUFFIXES[coding]);
      file.variants.set(coding, read);
    }
    const variant = await read.catch(() => undefined);
    if (variant === undefined) {
      // The page was built anew; the next request looks again.
      this.#files = undefined;
      return false;
    }
    const { octets, etag } = variant;
    response.setHeader('ETag', etag);
    response.setHeader('Vary', 'Accept-Encoding');
    response.setHeader('Cache-Control', file.isHashed ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache');
    if (hasVersion(headers['if-none-match'], etag)) {
      response.writeHead(304).end();
      return true;
    }
    if (coding !== 'identity') response.setHeader('Content-Encoding', coding);
    response.writeHead(200, { 'Content-Type': file.type, 'Content-Length': octets.length });
    response.end(method === 'HEAD' ? undefined : octets);
    return true;
  }

  async #read(): Promise<ReadonlyMap<string, StaticFile>> {
    this.#files ??= readFiles(this.#directory).catch(() => new Map());
    const files = await this.#files;
    if (files.size === 0) this.#files = undefined;
    return files;
  }
}

/** Whether `If-None-Match` has the entity tag (RFC 9110, 13.1.2). */
function hasVersion(field: string | undefined, etag: string): boolean {
  return (field ?? '').split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/** A directory that cannot be read has no files. */
async function readFiles(directory: string): Promise<ReadonlyMap<string, StaticFile>> {
  const files = new Map<string, StaticFile>();
  for (const folder of FOLDERS) {
    const entries = await readdir(join(directory, folder), { withFileTypes: true }).catch(() => []);
    const names = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
    for (const name of names) {
      const type = TYPES[extname(name)];
      if (type === undefined) continue;
      const codings = CODINGS.filter((coding) => names.has(name + SUFFIXES[coding]));
      const path = join(directory, folder, name);
      const file = { path, type, isHashed: folder === HASHED, codings, variants: new Map() };
      files.set(folder === '' ? name : `${folder}/${name}`, file);
    }
  }
  return files;
}

async function readVariant(path: string): Promise<Variant> {
  const octets = await readFile(path);
  return { octets, etag: `"${createHash('sha256').update(octets).digest('base64url').slice(0, 22)}"` };
}
