import { invalidOption } from './option-values.ts';

/**
 * The web origins (RFC 6454) whose pages may open tunnels, as they stand in an
 * `Origin` header. `*` stands for all, `null` for pages without one, such as files.
 * @throws EtherwsError ARGUMENT_INVALID
 */
export function readOrigins(texts: readonly string[]): readonly string[] {
  return texts.map((text) => {
    if (text === '*' || text === 'null') return text;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isBare = url !== undefined && (url.href === `${url.origin}/` || url.href === url.origin);
    if (url !== undefined && isBare && /^https?:$/.test(url.protocol)) return url.origin;
    throw invalidOption(
      `--origin must be a web origin, got "${text}"`,
      'Write it as https://HOST or https://HOST:PORT',
    );
  });
}
