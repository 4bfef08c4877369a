import * as v from 'valibot';
import { text } from './types.ts';

/** The rates of storm control: `KIND=FRAMES/S`, separated by commas, or `none`. */

const KINDS = ['broadcast', 'multicast', 'unicast'] as const;
type Kind = (typeof KINDS)[number];
export type StormLimits = Readonly<Record<Kind, number | undefined>>;

/** Frames a second that pass where nothing else was set; see src/bridge/storm-control.ts. */
const DEFAULTS: StormLimits = { broadcast: 4000, multicast: 20_000, unicast: 20_000 };
const NO_LIMITS: StormLimits = { broadcast: undefined, multicast: undefined, unicast: undefined };
const MOST_FRAMES = 1_000_000_000;
const PART = /^(broadcast|multicast|unicast)=(none|[1-9]\d{0,9})$/;

/** The rates that a text sets; kinds that it does not name have their defaults. undefined: a text that is none */
export function parseStormLimits(words: string): StormLimits | undefined {
  if (words === 'none') return NO_LIMITS;
  const limits = { ...DEFAULTS };
  const seen = new Set<string>();
  for (const part of words.split(',')) {
    const [, kind, rate] = PART.exec(part) ?? [];
    if (kind === undefined || rate === undefined || seen.has(kind) || Number(rate) > MOST_FRAMES) return undefined;
    seen.add(kind);
    limits[kind as Kind] = rate === 'none' ? undefined : Number(rate);
  }
  return limits;
}

function formatStormLimits(limits: StormLimits): string {
  if (KINDS.every((kind) => limits[kind] === undefined)) return 'none';
  return KINDS.map((kind) => `${kind}=${limits[kind] ?? 'none'}`).join(',');
}

export const DEFAULT_STORM: string = formatStormLimits(DEFAULTS);

/** The output names all kinds. */
export const stormLimits = v.pipe(
  text((words) =>
    parseStormLimits(words) === undefined
      ? `is not "none", nor a list such as broadcast=500,multicast=none of the kinds ${KINDS.join(', ')}`
      : undefined,
  ),
  v.transform((words) => formatStormLimits(parseStormLimits(words) ?? DEFAULTS)),
);
