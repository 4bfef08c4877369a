import { readdirSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Examined } from '../e2e/programs/examine.ts';
import type { EtherwsSwitch } from './etherws.ts';
import { Process } from './process.ts';

const EXAMINE = fileURLToPath(new URL('../e2e/programs/examine.js', import.meta.url));

/** The resources of a running switch, measured from outside. */
export interface Holding extends Examined {
  readonly descriptors: number;
  readonly residentBytes: number;
}

/** Opens the inspector of a switch for `examine`, on port 9229 of its host. */
export async function openToExamination({ process }: EtherwsSwitch): Promise<void> {
  process.signal('SIGUSR1');
  await process.output(/Debugger listening/);
}

/** The resources of a switch after a garbage collection. Needs `openToExamination`. */
export async function examine(of: EtherwsSwitch): Promise<Holding> {
  const examined = JSON.parse(await of.host.check([process.execPath, EXAMINE])) as Examined;
  return { ...examined, descriptors: descriptorsOf(of.process), residentBytes: residentBytesOf(of.process) };
}

/** The number of open descriptors of a program. */
export function descriptorsOf({ pid }: Process): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The resident memory of a program. */
export function residentBytesOf({ pid }: Process): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

/** A Node with only a timer: the baseline of memory, whose size depends on the machine and the version of Node. */
export async function bareNode(t: TestContext): Promise<Process> {
  const bare = new Process([process.execPath, '--eval', "setInterval(() => {}, 1e6); console.log('ready');"], {
    timeoutMs: 600_000,
  });
  t.after(() => bare.end());
  await bare.output(/ready/);
  return bare;
}

/** The growth of a quantity for each sample: the median slope of all pairs, which is robust against outliers. */
export function slopeOf(samples: readonly number[]): number {
  const slopes = samples.flatMap((later, index) =>
    samples.slice(0, index).map((earlier, before) => (later - earlier) / (index - before)),
  );
  return slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? 0;
}
