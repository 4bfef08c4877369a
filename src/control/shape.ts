import { EtherwsError } from '../errors.ts';
import { shownUrl } from '../net/shown-url.ts';

/**
 * A check of a value that came from outside. A shape is the only description of
 * a parameter or a result: the server and the client check with the same one,
 * and the compiler keeps it equal to the type. Written by hand because loading
 * a schema library takes longer than everything else that `etherws ctl` does.
 */
export interface Shape<T> {
  /**
   * @param name where the value stands, for the message: `options.user`
   * @throws EtherwsError ARGUMENT_INVALID
   */
  read(value: unknown, name: string): T;
}

/** Every property of T has its shape, and nothing else has. */
export type Fields<T> = { readonly [K in keyof T]-?: Shape<T[K]> };

const QUOTED_CHARACTERS = 60;

export function invalid(message: string, hint?: string): EtherwsError {
  return new EtherwsError('ARGUMENT_INVALID', message, hint === undefined ? {} : { hint });
}

/** A value for a message: short, on one line, whatever it is, and without the secrets of a URL. */
export function quote(value: unknown): string {
  if (typeof value === 'string') {
    const shown = shownUrl(value);
    return JSON.stringify(shown.length > QUOTED_CHARACTERS ? `${shown.slice(0, QUOTED_CHARACTERS)}...` : shown);
  }
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return value === undefined ? 'nothing' : String(value);
}

/**
 * A string that passes `rule`.
 * @param rule gives undefined for a good text, else what is wrong with it, as the end of a sentence
 */
export function text(rule?: (text: string) => string | undefined): Shape<string> {
  return {
    read(value, name) {
      if (typeof value !== 'string') throw invalid(`${name} must be a text, got ${quote(value)}`);
      const complaint = rule?.(value);
      if (complaint !== undefined) throw invalid(`${name} ${quote(value)} ${complaint}`);
      return value;
    },
  };
}

/** A text that no message and no log may repeat. */
export function secret(rule: (text: string) => string | undefined): Shape<string> {
  return {
    read(value, name) {
      const complaint = typeof value === 'string' ? rule(value) : 'must be a text';
      if (complaint !== undefined) throw invalid(`${name} ${complaint}`);
      return value as string;
    },
  };
}

export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return {
    read(value, name) {
      if (!Number.isSafeInteger(value)) throw invalid(`${name} must be a whole number, got ${quote(value)}`);
      const number = value as number;
      if (number < least || number > most) {
        const range = most === Number.MAX_SAFE_INTEGER ? `below ${least}` : `outside ${least}..${most}`;
        throw invalid(`${name} ${number} is ${range}`);
      }
      return number;
    },
  };
}

/** Takes everything; for what another shape will check. */
export const anything: Shape<unknown> = { read: (value) => value };

/** A truth value; 0 and 1 pass too, since `--shut 0|1` taught people to write them. */
export const flag: Shape<boolean> = {
  read(value, name) {
    if (value === true || value === 1) return true;
    if (value === false || value === 0) return false;
    throw invalid(`${name} must be true or false, got ${quote(value)}`);
  },
};

export function oneOf<T extends string>(words: readonly T[]): Shape<T> {
  return {
    read(value, name) {
      const word = words.find((candidate) => candidate === value);
      if (word === undefined) throw invalid(`${name} must be one of ${words.join(', ')}, got ${quote(value)}`);
      return word;
    },
  };
}

/** Absent, or what `shape` takes. null counts as absent: the Python client sends it for every option not given. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return { read: (value, name) => (value === undefined || value === null ? undefined : shape.read(value, name)) };
}

/**
 * Absent, empty, or what `shape` takes: for options of 1.x, whose callers write
 * `""` for what is not given. Other options are `optional`.
 */
export function optionalOrEmpty<T>(shape: Shape<T>): Shape<T | undefined> {
  return { read: (value, name) => (value === '' ? undefined : optional(shape).read(value, name)) };
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return { read: (value, name) => (value === null ? null : shape.read(value, name)) };
}

/** What `shape` takes; `fallback` where the other side is too old to know the field. */
export function withDefault<T>(shape: Shape<T>, fallback: T): Shape<T> {
  return { read: (value, name) => (value === undefined ? fallback : shape.read(value, name)) };
}

export function listOf<T>(shape: Shape<T>, most: number = Number.MAX_SAFE_INTEGER): Shape<T[]> {
  return {
    read(value, name) {
      if (!Array.isArray(value)) throw invalid(`${name} must be a list, got ${quote(value)}`);
      if (value.length > most) throw invalid(`${name} has ${value.length} items, more than ${most}`);
      return value.map((item: unknown, index) => shape.read(item, `${name}[${index}]`));
    },
  };
}

/** An object whose keys are data, as the counters by reason. */
export function tableOf<T>(shape: Shape<T>): Shape<Record<string, T>> {
  return {
    read(value, name) {
      const entries = Object.entries(asObject(value, name));
      return Object.fromEntries(entries.map(([key, item]) => [key, shape.read(item, `${name}.${key}`)]));
    },
  };
}

/**
 * An object with these fields and no other: a misspelt parameter must not pass
 * for one that was not given. A field that reads as undefined is left out.
 */
export function exactly<T extends object>(fields: Fields<T>): Shape<T> {
  return {
    read(value, name) {
      const object = asObject(value, name);
      for (const key of Object.keys(object)) {
        if (!Object.hasOwn(fields, key)) {
          const known = Object.keys(fields);
          const hint = known.length === 0 ? 'It takes none' : `It takes ${known.join(', ')}`;
          throw invalid(`Unknown parameter ${quote(inside(name, key))}`, hint);
        }
      }
      return readFields(fields, object, name);
    },
  };
}

/** An object with at least these fields; what else it has is kept, so that a newer switch may say more. */
export function atLeast<T extends object>(fields: Fields<T>): Shape<T> {
  return {
    read(value, name) {
      const object = asObject(value, name);
      return { ...object, ...readFields(fields, object, name) };
    },
  };
}

function readFields<T extends object>(fields: Fields<T>, object: Record<string, unknown>, name: string): T {
  const result: Record<string, unknown> = {};
  for (const [key, shape] of Object.entries<Shape<unknown>>(fields)) {
    const value = shape.read(Object.hasOwn(object, key) ? object[key] : undefined, inside(name, key));
    if (value !== undefined) result[key] = value;
  }
  return result as T;
}

function inside(name: string, key: string): string {
  return name === '' ? key : `${name}.${key}`;
}

function asObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(`${name === '' ? 'params' : name} must be an object of named values, got ${quote(value)}`);
}
