import { slopeOf } from '../test/support/examination.ts';
import type { Sample } from './site.ts';

/** A switch as far as leaks are concerned. */
export interface Sampled {
  readonly name: string;
  sample(): Sample;
}

const MIB = 1024 * 1024;
/** Fewer samples of one process say nothing of where it is going. */
const LEAST_SAMPLES = 8;
/** The first of them are of a process that is still warming up. */
const WARM_UP = 1 / 3;
/** Each is compared with each, which a week of samples would make too many. */
const MOST_COMPARED = 500;
/** What may come and go over a whole run. */
const MOST_GROWTH_BYTES = 32 * MIB;
/** Descriptors that may be on their way when they are counted. */
const FEW = 4;

/** What every switch held behind every fault, as long as it was the same process. */
export class Leaks {
  readonly #samples = new Map<Sampled, Sample[]>();

  sample(sites: readonly Sampled[]): void {
    for (const site of sites) {
      const sample = site.sample();
      const samples = this.#samples.get(site) ?? [];
      if (samples[0]?.pid !== sample.pid) samples.length = 0;
      samples.push(sample);
      this.#samples.set(site, samples);
    }
  }

  /** @returns a sentence for each thing that has grown, now that the world is as it was at the first sample */
  judge(): string[] {
    return [...this.#samples].flatMap(([{ name }, samples]) => [
      ...ofDescriptors(name, samples),
      ...ofMemory(name, samples),
    ]);
  }

  /** What each switch occupies, in MiB. */
  describe(): string {
    return [...this.#samples]
      .map(([{ name }, samples]) => `${name} ${Math.round((samples.at(-1)?.residentBytes ?? 0) / MIB)}`)
      .join(', ');
  }
}

function ofDescriptors(name: string, samples: readonly Sample[]): string[] {
  const [first, last] = [samples[0]?.descriptors ?? 0, samples.at(-1)?.descriptors ?? 0];
  return last > first + FEW ? [`${name} has ${last} descriptors, and had ${first}`] : [];
}

function ofMemory(name: string, samples: readonly Sample[]): string[] {
  const warm = samples.slice(Math.ceil(samples.length * WARM_UP));
  if (warm.length < LEAST_SAMPLES) return [];
  const step = Math.ceil(warm.length / MOST_COMPARED);
  const compared = warm.filter((_, index) => index % step === 0).map(({ residentBytes }) => residentBytes);
  const grown = slopeOf(compared) * compared.length;
  return grown > MOST_GROWTH_BYTES
    ? [`${name} grew by ${Math.round(grown / MIB)} MiB behind ${warm.length} faults`]
    : [];
}
