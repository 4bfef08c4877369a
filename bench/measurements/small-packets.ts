import { offerPackets } from '../load/packets.ts';
import type { Bench, Measurement } from '../measurement.ts';

const ALLOWED_LOSS = 0.005;
const FIXED_RATE = 100_000;
const FIRST_RATE = 50_000;
const LOWEST_RATE = 1_000;
/** The search ends when it knows the knee to this part. */
const PRECISION = 0.05;
/** The generator could not offer what was asked: the knee lies beyond what this machine can show. */
const GENERATOR_SHORTFALL = 0.9;
const MAX_TRIALS = 16;

const TRIAL_SECONDS = { long: 1, short: 0.5 };

/** 64-byte frames: where loss begins, and how much is lost of 100 000 a second. */
export const SMALL_PACKETS: Measurement = {
  name: 'small-packets',
  title: '64-byte packets (a packet later than 100 ms counts as lost)',
  metrics: [
    { key: 'packetRate', title: 'delivered at < 0.5 % loss', unit: 'packets/s', isHigherBetter: true },
    { key: 'fixedRateLoss', title: 'lost of 100 000/s', unit: '%', isHigherBetter: false },
  ],
  expectedSeconds: (_seconds, isShort) => 14 * (trialSeconds(isShort) + 0.3),
  run: async (bench) => {
    const fixed = await offerPackets(bench, FIXED_RATE, 2 * trialSeconds(bench.isShort));
    return { packetRate: await findKnee(bench), fixedRateLoss: fixed.loss * 100 };
  },
};

function trialSeconds(isShort: boolean): number {
  return isShort ? TRIAL_SECONDS.short : TRIAL_SECONDS.long;
}

/** The highest delivered rate with less than 0.5 % loss: doubled until it fails, then bisected. */
async function findKnee(bench: Bench): Promise<number> {
  let best = 0;
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let asked = FIRST_RATE;
  for (let trial = 0; trial < MAX_TRIALS && asked >= LOWEST_RATE; trial++) {
    const { offered, delivered } = await tryRate(bench, asked);
    best = Math.max(best, delivered);
    if (delivered > 0) low = asked;
    else high = asked;
    const isGeneratorSpent = delivered > 0 && offered < asked * GENERATOR_SHORTFALL;
    if (isGeneratorSpent || (high < Number.POSITIVE_INFINITY && high - low <= PRECISION * high)) break;
    asked = high === Number.POSITIVE_INFINITY ? low * 2 : (low + high) / 2;
  }
  return best;
}

/** A rate fails when it fails twice: one hiccup of the machine is not the contestant's. @returns 0 delivered when it failed */
async function tryRate(bench: Bench, packetsPerSecond: number): Promise<{ offered: number; delivered: number }> {
  let offered = 0;
  for (let attempt = 0; attempt < 2; attempt++) {
    const result = await offerPackets(bench, packetsPerSecond, trialSeconds(bench.isShort));
    offered = result.offeredPerSecond;
    if (result.loss < ALLOWED_LOSS) return { offered, delivered: result.deliveredPerSecond };
  }
  return { offered, delivered: 0 };
}
