import { SIDES } from '../lab/lab.ts';
import { residentBytes } from '../lab/process-table.ts';
import { measureFlow } from '../load/flow.ts';
import type { Measurement } from '../measurement.ts';

const BYTES_PER_MEBIBYTE = 1024 * 1024;

/** The resident memory of both ends, before and after a flow. */
export const MEMORY: Measurement = {
  name: 'memory',
  title: 'Resident memory of both ends together',
  metrics: [
    { key: 'memoryIdle', title: 'after the start', unit: 'MiB', isHigherBetter: false },
    { key: 'memoryLoaded', title: 'after a flow each way', unit: 'MiB', isHigherBetter: false },
  ],
  isCold: true,
  expectedSeconds: ({ seconds }) => seconds + 0.5,
  run: async (bench) => {
    const resident = (): number =>
      SIDES.reduce((sum, side) => sum + residentBytes(bench.processes[side]), 0) / BYTES_PER_MEBIBYTE;
    const memoryIdle = resident();
    await measureFlow(bench, { seconds: bench.seconds, direction: 'both' });
    return { memoryIdle, memoryLoaded: resident() };
  },
};
