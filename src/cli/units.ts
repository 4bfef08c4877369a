/** Quantities with three or four digits, for people. */

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P'] as const;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `1.5 MiB` */
export function formatOctets(octets: number): string {
  const [text, prefix] = scaled(octets, 1024);
  return `${text} ${BINARY[prefix]}`;
}

/** `1.5M`, for rates: bits or frames a second. */
export function formatRate(perSecond: number): string {
  const [text, prefix] = scaled(perSecond, 1000);
  return `${text}${DECIMAL[prefix]}`;
}

function scaled(value: number, base: number): [text: string, prefix: number] {
  let prefix = 0;
  let rest = value;
  // A value that would be rounded to 1000 or 1024 gets the next prefix.
  while (rest >= base - 0.5 && prefix < BINARY.length - 1) {
    rest /= base;
    prefix++;
  }
  return [prefix === 0 || rest >= 99.95 ? rest.toFixed(0) : rest.toFixed(1), prefix];
}

/** The two largest units: `3 d 4 h`, `12 s`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole >= DAY) return `${Math.floor(whole / DAY)} d ${Math.floor((whole % DAY) / HOUR)} h`;
  if (whole >= HOUR) return `${Math.floor(whole / HOUR)} h ${Math.floor((whole % HOUR) / MINUTE)} min`;
  if (whole >= MINUTE) return `${Math.floor(whole / MINUTE)} min ${whole % MINUTE} s`;
  return `${whole} s`;
}

/** Milliseconds, with one decimal below 10. */
export function formatMs(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}
