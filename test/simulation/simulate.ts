import { parseArgs } from 'node:util';
import { planOf, play } from './run.ts';
import { shrink } from './shrink.ts';

/**
 * `npm run simulate -- --runs N`: whole sites of switches, tunnels and stations on a virtual clock. A failing run is made
 * smaller, and prints its seed. `--seed S` repeats one; `--from S`: the first seed, default: the time; `--minutes M`: no more
 * runs after that.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    seed: { type: 'string' },
    from: { type: 'string' },
    minutes: { type: 'string', default: '600' },
  },
});
const first = Number(values.seed ?? values.from ?? Date.now() % 1_000_000_000);
const runs = values.seed === undefined ? Number(values.runs) : 1;
const endMs = performance.now() + Number(values.minutes) * 60_000;
const sums = { runs: 0, failed: 0, deliveries: 0, duplicates: 0, mostCopies: 0, virtualMs: 0 };
for (let seed = first; seed < first + runs && performance.now() < endMs; seed++) {
  const result = await play(planOf(seed));
  sums.runs++;
  sums.deliveries += result.deliveries;
  sums.duplicates += result.duplicates;
  sums.mostCopies = Math.max(sums.mostCopies, result.mostCopies);
  sums.virtualMs += result.virtualMs;
  if (result.faults.length === 0) continue;
  sums.failed++;
  const small = await shrink(result);
  const { steps, ...site } = small.plan;
  console.log(`${JSON.stringify(site)}\n${steps.map((step) => `  ${JSON.stringify(step)}`).join('\n')}`);
  console.log(`${small.faults.join('\n')}\nrepeat with: npm run simulate -- --seed ${seed}\n`);
}
const { virtualMs, ...counts } = sums;
console.log(`${JSON.stringify(counts)}, ${(virtualMs / 3_600_000).toFixed(1)} hours of virtual time`);
process.exitCode = sums.failed === 0 ? 0 : 1;
