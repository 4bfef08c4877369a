import { type Signal, signal } from '@preact/signals';

/** The wall clock in ms; reading its value makes a component render again each second. */
export const nowMs: Signal<number> = signal(Date.now());

/** Starts the clock, for as long as the page lives. */
export function startClock(): void {
  setInterval(() => {
    nowMs.value = Date.now();
  }, 1000);
}

const STEPS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** The two largest units: `3 d 4 h`, `12 min 5 s`, `8 s`. */
export function duration(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const first = STEPS.findIndex(([length]) => rest >= length);
  if (first < 0) return '0\u00a0s';
  const parts: string[] = [];
  for (const [length, unit] of STEPS.slice(first, first + 2)) {
    const number = Math.floor(rest / length);
    rest -= number * length;
    if (number > 0) parts.push(`${number}\u00a0${unit}`);
  }
  return parts.join('\u00a0');
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { year: 'numeric', month: 'short', day: 'numeric' });

/** `14:05:09`, in the zone of the browser */
export const clock = (time: string | number): string => CLOCK.format(new Date(time));

/** `29 Nov 2026, 14:05:09` */
export const dateAndClock = (time: string | number): string => `${DAY.format(new Date(time))}, ${clock(time)}`;
