import { isIP } from 'node:net';
import * as v from 'valibot';
import { EVENT_KINDS } from '../events/event.ts';
import { parseNetwork } from '../net/trusted-proxies.ts';
import { parseReservedSet } from '../wire/ethernet/reserved-address.ts';
import { type Complaint, messageOf, type Schema } from './check.ts';
import { closestWord } from './closest-word.ts';
import { anyText, rule } from './types.ts';

/** The rules of the values of `etherws sw`. */

/** A text for which `complain` returns undefined. */
function checked(complain: (value: string) => Complaint | undefined) {
  return v.pipe(anyText, rule(complain));
}

/** One of a few words. Its message has the form of `etherws sw`; `oneOf` has that of the control API. */
export function eitherOf<const T extends string>(...words: readonly T[]): Schema<T> {
  const sentence = `{name} must be ${words.join(' or ')}, got {value}`;
  return v.pipe(
    anyText,
    rule((value: string) => ((words as readonly string[]).includes(value) ? undefined : { sentence }), { enum: words }),
  ) as unknown as Schema<T>;
}

/** `EVENT=PROGRAM`: a kind of event, and the absolute path of a program. */
export const hook = checked((value) => {
  const at = value.indexOf('=');
  const [event, program] = [value.slice(0, at), value.slice(at + 1)];
  if (at < 0 || !program.startsWith('/') || program.includes('\0')) {
    return { sentence: '{name} must be EVENT=PROGRAM with the absolute path of a program, got {value}' };
  }
  if ((EVENT_KINDS as readonly string[]).includes(event)) return undefined;
  const meant = closestWord(event, EVENT_KINDS);
  const hint = meant === undefined ? `There are ${EVENT_KINDS.join(', ')}` : `Did you mean ${meant}?`;
  return { sentence: '{name} names no kind of event, got {value}', hint };
});

/** The path of a service's URL. */
export const urlPath = checked((path) => {
  if (!path.startsWith('/')) return { sentence: '{name} must begin with "/", got {value}' };
  return /[?#\s]/.test(path) ? { sentence: '{name} must have no query, fragment or space, got {value}' } : undefined;
});

/**
 * A web origin (RFC 6454), as in an `Origin` header. `*` means all, `null` pages without an origin, such as files. The
 * result is in canonical form.
 */
export const webOrigin = v.pipe(
  checked((text) =>
    originOf(text) === undefined
      ? { sentence: '{name} must be a web origin, got {value}', hint: 'Write it as https://HOST or https://HOST:PORT' }
      : undefined,
  ),
  v.transform((text) => originOf(text) ?? text),
);

function originOf(text: string): string | undefined {
  if (text === '*' || text === 'null') return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined;
  return url.href === `${url.origin}/` || url.href === url.origin ? url.origin : undefined;
}

/** An address, or `ADDRESS/LENGTH`. */
export const network = checked((text) =>
  parseNetwork(text) === undefined
    ? { sentence: '{name} must be an address or a network, got {value}', hint: 'Write it as 10.0.0.0/8 or ::1' }
    : undefined,
);

/** Reserved group addresses by their last digits. */
export const reservedDigits = checked((text) => {
  try {
    parseReservedSet(text);
    return undefined;
  } catch {
    const sentence = '{name} must be last hexadecimal digits of 01-80-C2-00-00-0x, got {value}';
    return { sentence, hint: 'Write them as 0,E, or all' };
  }
});

/** A congestion control algorithm. Whether the kernel has it is checked later, by setting it. */
export const congestionName = checked((name) =>
  /^[a-z0-9_-]{1,15}$/.test(name)
    ? undefined
    : { sentence: '{name} must be auto, system, or an algorithm such as cubic, got {value}' },
);

/** An address to listen on. */
export interface ListenAddress {
  /** a name or an address, an IPv6 one without brackets; undefined: all addresses */
  readonly host: string | undefined;
  readonly listenPort: number;
}

const LOOPBACK = '127.0.0.1';
const MOST_PORT = 65_535;

/** `PORT` on the loopback, `ADDRESS:PORT`, `NAME:PORT`, `[ADDRESS]:PORT`, or `:PORT` on all addresses. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, v6, name, digits] = /^(?:(?:\[([^\]]*)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(text) ?? [];
  const listenPort = Number(digits);
  if (digits === undefined || listenPort > MOST_PORT || (v6 !== undefined && isIP(v6) !== 6)) return undefined;
  const host = v6 ?? name;
  return { host: host === undefined ? LOOPBACK : host === '' ? undefined : host, listenPort };
}

const NO_LISTEN_ADDRESS = {
  sentence: '{name} must be a port, or an address and a port, got {value}',
  hint: 'Write it as 9464, which is on 127.0.0.1, as 192.0.2.1:9464, or as :9464 for all addresses',
} as const;

export const MOST_WORKERS = 64;

/** The number of processes that `--workers` asks for. @param processors for `auto` @returns undefined for another text */
export function parseWorkers(text: string, processors: number): number | undefined {
  if (text === 'auto') return Math.min(Math.max(processors, 1), MOST_WORKERS);
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= MOST_WORKERS ? count : undefined;
}

const NO_WORKERS = {
  sentence: `{name} must be auto, or a whole number from 1 to ${MOST_WORKERS}, got {value}`,
  hint: 'auto takes one for each processor of this host',
} as const;

/** See `parseWorkers`. YAML parses digits as a number. */
export const workers = v.pipe(
  v.union([v.string(), v.pipe(v.number(), v.transform(String))], messageOf(NO_WORKERS)),
  v.metadata({ type: ['string', 'integer'] }),
  rule((text: string) => (parseWorkers(text, 1) === undefined ? NO_WORKERS : undefined)),
) as unknown as Schema<string>;

/** See `parseListenAddress`. YAML parses a port without a host as a number. */
export const listenAddress = v.pipe(
  v.union([v.string(), v.pipe(v.number(), v.transform(String))], messageOf(NO_LISTEN_ADDRESS)),
  v.metadata({ type: ['string', 'integer'] }),
  rule((text: string) => (parseListenAddress(text) === undefined ? NO_LISTEN_ADDRESS : undefined)),
) as unknown as Schema<string>;
