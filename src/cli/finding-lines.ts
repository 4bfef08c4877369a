import { escapeSentence } from './format.ts';
import type { Terminal } from './terminal.ts';

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

/** A finding of `etherws doctor` and `etherws ctl doctor` as a line, and a second one with the advice. */
export function findingLines(
  finding: {
    readonly check: string;
    readonly result: keyof typeof COLOURS;
    readonly found: string;
    readonly advice?: string | null;
  },
  terminal: Terminal,
): string {
  const { check, result, found, advice } = finding;
  const line = `${terminal.paint(COLOURS[result], result.padEnd(4))}  ${escapeSentence(check).padEnd(14)} ${escapeSentence(found)}\n`;
  return typeof advice === 'string' ? `${line}${' '.repeat(21)}${escapeSentence(advice)}\n` : line;
}
