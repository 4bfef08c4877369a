import { findKnee, type Trial } from '../load/knee.ts';
import { LARGE_OCTETS, LATE_MS, offerPackets, SMALL_OCTETS } from '../load/packets.ts';
import type { Bench, Measurement, Metric, Values } from '../measurement.ts';

/** A rate counts as carried if the share of lost packets is below this. */
export const ALLOWED_LOSS = 0.005;
/** For the estimate: the usual number of trials in the search for the knee, and the overhead of each. */
const USUAL_TRIALS = 12;
const TRIAL_OVERHEAD_SECONDS = 0.3;
/** The share of the rate at the knee at which loss below the knee is measured. */
const BELOW_THE_KNEE = 0.5;
const BITS_PER_OCTET = 8;
const BITS_PER_MEGABIT = 1e6;

/** The duration of each fixed rate, in trials. */
const FIXED_TRIALS = 2;

const SMALL_RATES = [100_000, 200_000, 300_000] as const;
const LARGE_RATES = [50_000, 100_000] as const;

/** 64-byte frames: the rate at which loss begins, and the loss at fixed rates. */
export const SMALL_PACKETS: Measurement = {
  name: 'small-packets',
  title: `64-byte packets (a packet later than ${LATE_MS} ms counts as lost)`,
  metrics: [
    { key: 'packetRate', title: 'delivered at < 0.5 % loss', unit: 'packets/s', isHigherBetter: true },
    { key: 'packetLossBelow', title: 'lost at half of that', unit: '%', isHigherBetter: false },
    { key: 'fixedRateOffered', title: 'offered for 100 000/s', unit: 'packets/s', isHigherBetter: true },
    ...SMALL_RATES.map((rate) => lossMetric(smallKey(rate), rate)),
  ],
  expectedSeconds: ({ trialSeconds }) => expected(trialSeconds, SMALL_RATES.length),
  run: async (bench) => {
    const fixed: [string, number][] = [];
    let fixedRateOffered = Number.NaN;
    for (const rate of SMALL_RATES) {
      const { loss, offeredPerSecond } = await offerFixed(bench, rate, SMALL_OCTETS);
      fixed.push([smallKey(rate), loss * 100]);
      if (rate === SMALL_RATES[0]) fixedRateOffered = offeredPerSecond;
    }
    const packetRate = await findKnee((rate) => tryRate(bench, rate, SMALL_OCTETS));
    const packetLossBelow = await lossBelow(bench, packetRate, SMALL_OCTETS);
    return { packetRate, packetLossBelow, fixedRateOffered, ...Object.fromEntries(fixed) };
  },
};

/** Datagrams that nearly fill a frame, and that no offload merges. */
export const LARGE_PACKETS: Measurement = {
  name: 'large-packets',
  title: `UDP datagrams of ${LARGE_OCTETS} octets (a packet later than ${LATE_MS} ms counts as lost)`,
  metrics: [
    { key: 'largeRate', title: 'delivered at < 0.5 % loss', unit: 'Mbit/s', isHigherBetter: true },
    { key: 'largeLossBelow', title: 'lost at half of that', unit: '%', isHigherBetter: false },
    ...LARGE_RATES.map((rate) => lossMetric(largeKey(rate), rate)),
  ],
  expectedSeconds: ({ trialSeconds }) => expected(trialSeconds, LARGE_RATES.length),
  run: async (bench) => {
    const losses: Record<string, number> = {};
    for (const rate of LARGE_RATES) {
      losses[largeKey(rate)] = (await offerFixed(bench, rate, LARGE_OCTETS)).loss * 100;
    }
    const knee = await findKnee((rate) => tryRate(bench, rate, LARGE_OCTETS));
    const values: Values = {
      largeRate: megabitsPerSecond(knee),
      largeLossBelow: await lossBelow(bench, knee, LARGE_OCTETS),
    };
    return { ...values, ...losses };
  },
};

/** The rate of payload of large packets. */
export function megabitsPerSecond(packetsPerSecond: number): number {
  return (packetsPerSecond * LARGE_OCTETS * BITS_PER_OCTET) / BITS_PER_MEGABIT;
}

function expected(trialSeconds: number, fixedRates: number): number {
  const fixed = (fixedRates + 1) * (FIXED_TRIALS * trialSeconds + TRIAL_OVERHEAD_SECONDS);
  return fixed + USUAL_TRIALS * (trialSeconds + TRIAL_OVERHEAD_SECONDS);
}

function smallKey(rate: number): string {
  return `smallLoss${rate}`;
}

function largeKey(rate: number): string {
  return `largeLoss${rate}`;
}

function lossMetric(key: string, rate: number): Metric {
  return { key, title: `lost of ${rate / 1000} 000/s`, unit: '%', isHigherBetter: false };
}

function offerFixed(bench: Bench, packetsPerSecond: number, octets: number): ReturnType<typeof offerPackets> {
  return offerPackets(bench, { packetsPerSecond, seconds: FIXED_TRIALS * bench.trialSeconds, octets });
}

async function lossBelow(bench: Bench, knee: number, octets: number): Promise<number> {
  return knee === 0 ? Number.NaN : (await offerFixed(bench, knee * BELOW_THE_KNEE, octets)).loss * 100;
}

/** A rate fails if it fails twice, since a single failure may be a disturbance of the machine. */
export async function tryRate(bench: Bench, packetsPerSecond: number, octets: number): Promise<Trial> {
  let offered = 0;
  for (let attempt = 0; attempt < 2; attempt++) {
    const result = await offerPackets(bench, { packetsPerSecond, seconds: bench.trialSeconds, octets });
    offered = result.offeredPerSecond;
    if (result.loss < ALLOWED_LOSS) return { offered, delivered: result.deliveredPerSecond };
  }
  return { offered, delivered: 0 };
}
