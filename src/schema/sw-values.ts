import * as v from 'valibot';
import { parseNetwork } from '../net/trusted-proxies.ts';
import { parseReservedSet } from '../wire/ethernet/reserved-address.ts';
import type { Complaint, Schema } from './check.ts';
import { anyText, rule } from './types.ts';

/** The rules of the values that say how a switch runs. */

/** A text that `complain` finds nothing wrong with. */
function checked(complain: (value: string) => Complaint | undefined) {
  return v.pipe(anyText, rule(complain));
}

/** A few words of which one is meant. Its sentence is that of `etherws sw`; see `oneOf` for that of the control API. */
export function eitherOf<const T extends string>(...words: readonly T[]): Schema<T> {
  const sentence = `{name} must be ${words.join(' or ')}, got {value}`;
  return v.pipe(
    anyText,
    rule((value: string) => ((words as readonly string[]).includes(value) ? undefined : { sentence }), { enum: words }),
  ) as unknown as Schema<T>;
}

/** Where a service is served: the path of a URL. */
export const urlPath = checked((path) => {
  if (!path.startsWith('/')) return { sentence: '{name} must begin with "/", got {value}' };
  return /[?#\s]/.test(path) ? { sentence: '{name} must have no query, fragment or space, got {value}' } : undefined;
});

/**
 * A web origin (RFC 6454), as it stands in an `Origin` header. `*` stands for all, `null` for pages without one, such as
 * files. Reads in its canonical form.
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

/** A congestion control algorithm. Whether the kernel has it shows when it is asked for it. */
export const congestionName = checked((name) =>
  /^[a-z0-9_-]{1,15}$/.test(name)
    ? undefined
    : { sentence: '{name} must be auto, system, or an algorithm such as cubic, got {value}' },
);
