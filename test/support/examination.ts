import { readdirSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Examined } from '../e2e/programs/examine.ts';
import type { EtherwsSwitch } from './etherws.ts';
import { Process } from './process.ts';

const EXAMINE = fileURLToPath(new URL('../e2e/programs/examine.js', import.meta.url));

/** What a running switch holds, seen from outside. */
export interface Holding extends Examined {
  readonly descriptors: number;
  readonly residentBytes: number;
}

/** Lets `examine` look into a switch. Its host's port 9229 is then taken. */
export async function openToExamination({ process }: EtherwsSwitch): Promise<void> {
  process.signal('SIGUSR1');
  await process.output(/Debugger listening/);
}

/** What a switch that is open to examination holds when its garbage has been collected. */
export async function examine(of: EtherwsSwitch): Promise<Holding> {
  const examined = JSON.parse(await of.host.check([process.execPath, EXAMINE])) as Examined;
  return { ...examined, descriptors: descriptorsOf(of.process), residentBytes: residentBytesOf(of.process) };
}

/** How many descriptors a program has open. */
export function descriptorsOf({ pid }: Process): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** What a program occupies of the machine's memory. */
export function residentBytesOf({ pid }: Process): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

/** A Node that runs nothing but a timer: what memory is judged beside, since its size is the machine's and the version's. */
export async function bareNode(t: TestContext): Promise<Process> {
  const bare = new Process([process.execPath, '--eval', "setInterval(() => {}, 1e6); console.log('ready');"], {
    timeoutMs: 600_000,
  });
  t.after(() => bare.end());
  await bare.output(/ready/);
  return bare;
}

/** By how much a quantity grows from one sample to the next: the median of all pairs, which a few outliers do not move. */
export function slopeOf(samples: readonly number[]): number {
  const slopes = samples.flatMap((later, index) =>
    samples.slice(0, index).map((earlier, before) => (later - earlier) / (index - before)),
  );
  return slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? 0;
}
