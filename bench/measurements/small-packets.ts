import { findKnee, type Trial } from '../load/knee.ts';
import { offerPackets } from '../load/packets.ts';
import type { Bench, Measurement } from '../measurement.ts';

const ALLOWED_LOSS = 0.005;
const FIXED_RATE = 100_000;

const TRIAL_SECONDS = { long: 1, short: 0.5 };

/** 64-byte frames: where loss begins, and how much is lost of 100 000 a second. */
export const SMALL_PACKETS: Measurement = {
  name: 'small-packets',
  title: '64-byte packets (a packet later than 100 ms counts as lost)',
  metrics: [
    { key: 'packetRate', title: 'delivered at < 0.5 % loss', unit: 'packets/s', isHigherBetter: true },
    { key: 'fixedRateOffered', title: 'offered for 100 000/s', unit: 'packets/s', isHigherBetter: true },
    { key: 'fixedRateLoss', title: 'lost of these', unit: '%', isHigherBetter: false },
  ],
  expectedSeconds: (_seconds, isShort) => 14 * (trialSeconds(isShort) + 0.3),
  run: async (bench) => {
    const fixed = await offerPackets(bench, FIXED_RATE, 2 * trialSeconds(bench.isShort));
    return {
      packetRate: await findKnee((rate) => tryRate(bench, rate)),
      fixedRateOffered: fixed.offeredPerSecond,
      fixedRateLoss: fixed.loss * 100,
    };
  },
};

function trialSeconds(isShort: boolean): number {
  return isShort ? TRIAL_SECONDS.short : TRIAL_SECONDS.long;
}

/** A rate fails when it fails twice: one hiccup of the machine is not the contestant's. */
async function tryRate(bench: Bench, packetsPerSecond: number): Promise<Trial> {
  let offered = 0;
  for (let attempt = 0; attempt < 2; attempt++) {
    const result = await offerPackets(bench, packetsPerSecond, trialSeconds(bench.isShort));
    offered = result.offeredPerSecond;
    if (result.loss < ALLOWED_LOSS) return { offered, delivered: result.deliveredPerSecond };
  }
  return { offered, delivered: 0 };
}
