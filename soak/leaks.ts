import { slopeOf } from '../test/support/examination.ts';
import type { Sample } from './site.ts';

/** A switch whose descriptors and memory are sampled. */
export interface Sampled {
  readonly name: string;
  sample(): Sample;
}

const MIB = 1024 * 1024;
/** With fewer samples of one process its memory is not judged. */
const MIN_SAMPLES = 8;
/** The share of samples at the start that is ignored: the process is still warming up. */
const WARM_UP = 1 / 3;
/** The most samples for the slope, whose computation compares each with each. */
const MAX_COMPARED = 500;
/** The tolerated growth of memory over a whole run. */
const MAX_GROWTH_BYTES = 32 * MIB;
/** The tolerated growth of descriptors: some may be open only for a moment. */
const MAX_GROWTH_DESCRIPTORS = 4;

/** The samples of all switches after each fault; those of a process begin anew when it is restarted. */
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

  /** To be called in the same state of the network as at the first sample. @returns a sentence for each growth */
  judge(): string[] {
    return [...this.#samples].flatMap(([{ name }, samples]) => [
      ...ofDescriptors(name, samples),
      ...ofMemory(name, samples),
    ]);
  }

  /** The resident memory of each switch in MiB. */
  describe(): string {
    return [...this.#samples]
      .map(([{ name }, samples]) => `${name} ${Math.round((samples.at(-1)?.residentBytes ?? 0) / MIB)}`)
      .join(', ');
  }
}

function ofDescriptors(name: string, samples: readonly Sample[]): string[] {
  const [first, last] = [samples[0]?.descriptors ?? 0, samples.at(-1)?.descriptors ?? 0];
  return last > first + MAX_GROWTH_DESCRIPTORS ? [`${name} has ${last} descriptors, and had ${first}`] : [];
}

function ofMemory(name: string, samples: readonly Sample[]): string[] {
  const warm = samples.slice(Math.ceil(samples.length * WARM_UP));
  if (warm.length < MIN_SAMPLES) return [];
  const step = Math.ceil(warm.length / MAX_COMPARED);
  const compared = warm.filter((_, index) => index % step === 0).map(({ residentBytes }) => residentBytes);
  const grown = slopeOf(compared) * compared.length;
  return grown > MAX_GROWTH_BYTES
    ? [`${name} grew by ${Math.round(grown / MIB)} MiB behind ${warm.length} faults`]
    : [];
}
