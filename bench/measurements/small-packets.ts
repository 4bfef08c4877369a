import { findKnee, type Trial } from '../load/knee.ts';
import { offerPackets } from '../load/packets.ts';
import type { Bench, Measurement } from '../measurement.ts';

const ALLOWED_LOSS = 0.005;
const FIXED_RATE = 100_000;

/** What the search for the knee takes as a rule, and what a trial takes beside its packets. */
const USUAL_TRIALS = 12;
const TRIAL_OVERHEAD_SECONDS = 0.3;

/** 64-byte frames: where loss begins, and how much is lost of 100 000 a second. */
export const SMALL_PACKETS: Measurement = {
  name: 'small-packets',
  title: '64-byte packets (a packet later than 100 ms counts as lost)',
  metrics: [
    { key: 'packetRate', title: 'delivered at < 0.5 % loss', unit: 'packets/s', isHigherBetter: true },
    { key: 'fixedRateOffered', title: 'offered for 100 000/s', unit: 'packets/s', isHigherBetter: true },
    { key: 'fixedRateLoss', title: 'lost of these', unit: '%', isHigherBetter: false },
  ],
  expectedSeconds: ({ trialSeconds }) => USUAL_TRIALS * (trialSeconds + TRIAL_OVERHEAD_SECONDS),
  run: async (bench) => {
    const fixed = await offerPackets(bench, FIXED_RATE, 2 * bench.trialSeconds);
    return {
      packetRate: await findKnee((rate) => tryRate(bench, rate)),
      fixedRateOffered: fixed.offeredPerSecond,
      fixedRateLoss: fixed.loss * 100,
    };
  },
};

/** A rate fails when it fails twice: one hiccup of the machine is not the contestant's. */
async function tryRate(bench: Bench, packetsPerSecond: number): Promise<Trial> {
  let offered = 0;
  for (let attempt = 0; attempt < 2; attempt++) {
    const result = await offerPackets(bench, packetsPerSecond, bench.trialSeconds);
    offered = result.offeredPerSecond;
    if (result.loss < ALLOWED_LOSS) return { offered, delivered: result.deliveredPerSecond };
  }
  return { offered, delivered: 0 };
}
