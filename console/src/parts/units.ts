/*
 * Numbers with their units. All have three significant digits at most, so that columns of them do not jump.
 */

/** Between a number and its unit, so that no line breaks there. */
const SPACE = '\u00a0';
const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P'];
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];

function scaled(value: number, base: number, prefixes: readonly string[], unit: string): string {
  if (!Number.isFinite(value)) return '–';
  let scale = 0;
  let rest = Math.abs(value);
  // 999.5 would be written as 1000.
  while (rest >= (base === 1000 ? 999.5 : 1000) && scale < prefixes.length - 1) {
    rest /= base;
    scale++;
  }
  const text = scale === 0 && Number.isInteger(rest) ? String(rest) : digits(rest);
  return `${value < 0 ? '-' : ''}${text}${SPACE}${prefixes[scale]}${unit}`.trimEnd();
}

function digits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** `12.3 Mbit/s` */
export const bitRate = (bitsPerSecond: number): string => scaled(bitsPerSecond, 1000, DECIMAL, 'bit/s');
/** `1.20 k/s` */
export const rate = (perSecond: number): string => `${scaled(perSecond, 1000, DECIMAL, '')}/s`;
/** `4.00 MiB` */
export const octets = (count: number): string => scaled(count, 1024, BINARY, 'B');
/** `12.3 ms`, `1.50 s` */
export const milliseconds = (ms: number): string =>
  ms < 999.5 ? `${Number.isInteger(ms) ? ms : digits(ms)}${SPACE}ms` : `${digits(ms / 1000)}${SPACE}s`;

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
/** `1 234 567`, with narrow spaces */
export const count = (value: number): string => WHOLE.format(value).replaceAll(',', '\u202f');

/** `1 port`, `2 ports` */
export function counted(value: number, one: string, several = `${one}s`): string {
  return `${count(value)}${SPACE}${value === 1 ? one : several}`;
}
