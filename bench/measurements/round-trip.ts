import { setTimeout as delay } from 'node:timers/promises';
import { startFlow } from '../load/flow.ts';
import { type RoundTrip, sampleRoundTrip } from '../load/round-trip.ts';
import type { Bench, Measurement, Metric, Values } from '../measurement.ts';

/** Time for the flow to fill the tunnel before the first sample. */
const FILL_MS = 500;

function metrics(prefix: string): Metric[] {
  const metric = (suffix: string, title: string): Metric => ({
    key: `${prefix}${suffix}`,
    title,
    unit: 'µs',
    isHigherBetter: false,
  });
  return [
    metric('Median', 'UDP median'),
    metric('P99', 'UDP p99'),
    metric('PingMedian', 'ping median'),
    metric('PingP99', 'ping p99'),
  ];
}

function values(prefix: string, trip: RoundTrip): Values {
  return {
    [`${prefix}Median`]: trip.medianUs,
    [`${prefix}P99`]: trip.p99Us,
    [`${prefix}PingMedian`]: trip.pingMedianUs,
    [`${prefix}PingP99`]: trip.pingP99Us,
  };
}

export const IDLE_ROUND_TRIP: Measurement = {
  name: 'rtt-idle',
  title: 'Round trip, nothing else on the way',
  metrics: metrics('rttIdle'),
  expectedSeconds: ({ seconds }) => seconds + 0.5,
  run: async (bench) => values('rttIdle', await sampleRoundTrip(bench, bench.seconds)),
};

export const LOADED_ROUND_TRIP: Measurement = {
  name: 'rtt-load',
  title: 'Round trip while one TCP flow fills the tunnel',
  metrics: metrics('rttLoad'),
  expectedSeconds: ({ seconds }) => seconds + 1.5,
  run: async (bench) => values('rttLoad', await sampleUnderLoad(bench)),
};

export const SHAPED_ROUND_TRIP: Measurement = {
  name: 'rtt-bottleneck',
  title: 'Round trip while one TCP flow fills the tunnel over a path of 100 Mbit/s with a queue of 20 ms',
  metrics: [...metrics('rttShaped'), { key: 'shapedFlow', title: 'flow', unit: 'Mbit/s', isHigherBetter: true }],
  expectedSeconds: ({ seconds }) => seconds + 1.5,
  run: async (bench) => {
    await bench.lab.setBottleneck(true);
    try {
      let shapedFlow = 0;
      const trip = await sampleUnderLoad(bench, (megabits) => {
        shapedFlow = megabits;
      });
      return { ...values('rttShaped', trip), shapedFlow };
    } finally {
      await bench.lab.setBottleneck(false);
    }
  },
};

async function sampleUnderLoad(bench: Bench, reportFlow?: (megabits: number) => void): Promise<RoundTrip> {
  const flow = await startFlow(bench, { seconds: bench.seconds + 1, direction: 'up' });
  await delay(FILL_MS);
  const trip = await sampleRoundTrip(bench, bench.seconds);
  const { megabitsPerSecond } = await flow.finish();
  reportFlow?.(megabitsPerSecond);
  return trip;
}
