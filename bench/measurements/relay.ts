import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds } from '../lab/process-table.ts';
import { measureFlow, startFlow } from '../load/flow.ts';
import { findKnee } from '../load/knee.ts';
import { LARGE_OCTETS, offerPackets } from '../load/packets.ts';
import { sampleRoundTrip } from '../load/round-trip.ts';
import type { Bench, Measurement, Values } from '../measurement.ts';
import { megabitsPerSecond, tryRate } from './packets.ts';

const BYTES_PER_GIGABYTE = 1e9;
/** The cost of datagrams is measured at this share of the rate at the knee, where little is lost. */
const BELOW_THE_KNEE = 0.9;
const HALF = 0.5;
/** Time for the flow to fill the tunnels before the first sample. */
const FILL_MS = 500;
/** For the estimate: the usual number of trials in the search for the knee, and the overhead of each. */
const USUAL_TRIALS = 12;
const OVERHEAD_SECONDS = 0.3;

/** Throughput, cost and latency of a relay between two hosts that dial it. */
export const RELAY: Measurement = {
  name: 'relay',
  title: `A relay between two hosts that dial it: one TCP flow, datagrams of ${LARGE_OCTETS} octets, round trip beside a TCP flow at half of its rate`,
  metrics: [
    { key: 'relayFlow', title: 'TCP', unit: 'Mbit/s', isHigherBetter: true },
    { key: 'relayFlowCost', title: 'CPU of the relay, TCP', unit: 's/GB', isHigherBetter: false },
    { key: 'relayDatagrams', title: 'datagrams at < 0.5 % loss', unit: 'Mbit/s', isHigherBetter: true },
    {
      key: 'relayDatagramsCost',
      title: 'CPU of the relay, datagrams at 0.9 of that',
      unit: 's/GB',
      isHigherBetter: false,
    },
    { key: 'relayDatagramsLoss', title: 'lost of these', unit: '%', isHigherBetter: false },
    { key: 'relayHalfLoadMedian', title: 'round trip, UDP median', unit: 'µs', isHigherBetter: false },
    { key: 'relayHalfLoadP99', title: 'round trip, UDP p99', unit: 'µs', isHigherBetter: false },
  ],
  appliesTo: ({ isRelay }) => isRelay === true,
  expectedSeconds: ({ seconds, trialSeconds }) =>
    2 * seconds + 1.5 + USUAL_TRIALS * (trialSeconds + OVERHEAD_SECONDS) + 2 * trialSeconds,
  run: async (bench) => {
    const flow = await costOf(bench, () => measureFlow(bench, { seconds: bench.seconds, direction: 'up' }));
    const { megabitsPerSecond: relayFlow, receivedBytes } = flow.result;
    return {
      relayFlow,
      relayFlowCost: flow.seconds / (receivedBytes / BYTES_PER_GIGABYTE),
      ...(await datagrams(bench)),
      ...(await halfLoad(bench, relayFlow * HALF)),
    };
  },
};

async function datagrams(bench: Bench): Promise<Values> {
  const knee = await findKnee((rate) => tryRate(bench, rate, LARGE_OCTETS));
  if (knee === 0) return { relayDatagrams: 0 };
  const seconds = 2 * bench.trialSeconds;
  const offer = { packetsPerSecond: knee * BELOW_THE_KNEE, seconds, octets: LARGE_OCTETS };
  const { result, seconds: cpu } = await costOf(bench, () => offerPackets(bench, offer));
  return {
    relayDatagrams: megabitsPerSecond(knee),
    relayDatagramsCost: cpu / ((result.deliveredPerSecond * seconds * LARGE_OCTETS) / BYTES_PER_GIGABYTE),
    relayDatagramsLoss: result.loss * 100,
  };
}

async function halfLoad(bench: Bench, megabits: number): Promise<Values> {
  const flow = await startFlow(bench, { seconds: bench.seconds + 1, direction: 'up', megabitsPerSecond: megabits });
  await delay(FILL_MS);
  const trip = await sampleRoundTrip(bench, bench.seconds);
  await flow.finish();
  return { relayHalfLoadMedian: trip.medianUs, relayHalfLoadP99: trip.p99Us };
}

/** Runs a load. @returns its result, and the processor time of the relay's processes during it */
async function costOf<Result>(
  { processes }: Bench,
  load: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly seconds: number }> {
  const before = cpuSeconds(processes.relay);
  const result = await load();
  return { result, seconds: cpuSeconds(processes.relay) - before };
}
