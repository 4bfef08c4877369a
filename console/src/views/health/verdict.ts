import type { FindingEntry } from '../../../../src/control/finding-entries.ts';

export interface Verdict {
  readonly state: 'good' | 'warning' | 'bad';
  readonly sentence: string;
}

/** One sentence about all findings. */
export function verdictOf(findings: readonly FindingEntry[]): Verdict {
  const fails = findings.filter(({ result }) => result === 'fail').length;
  const warnings = findings.filter(({ result }) => result === 'warn').length;
  if (fails > 0) return { state: 'bad', sentence: `${things(fails)} to repair${andLook(warnings)}` };
  if (warnings > 0) return { state: 'warning', sentence: `${things(warnings)} to look at` };
  return { state: 'good', sentence: 'All is well' };
}

/** Those that need an operator, the worst first. */
export function needed(findings: readonly FindingEntry[]): FindingEntry[] {
  const bad = findings.filter(({ result }) => result === 'fail');
  return [...bad, ...findings.filter(({ result }) => result === 'warn')];
}

function things(count: number): string {
  return `${count} ${count === 1 ? 'thing' : 'things'}`;
}

function andLook(count: number): string {
  return count === 0 ? '' : `, ${count} to look at`;
}
