import { EtherwsError } from '../errors.ts';
import { shownUrl } from '../net/shown-url.ts';

const QUOTED_CHARACTERS = 60;

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

export function invalid(message: string, hint?: string): EtherwsError {
  return new EtherwsError('ARGUMENT_INVALID', message, hint === undefined ? {} : { hint });
}
