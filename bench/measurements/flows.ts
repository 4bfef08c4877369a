import { SIDES } from '../lab/lab.ts';
import { cpuSeconds } from '../lab/process-table.ts';
import { measureFlow } from '../load/flow.ts';
import type { Bench, Measurement, Metric, Values } from '../measurement.ts';

const BYTES_PER_GIGABYTE = 1e9;
const FOUR = 4;

const megabits = (key: string, title: string): Metric => ({ key, title, unit: 'Mbit/s', isHigherBetter: true });
const cost = (key: string, title: string): Metric => ({ key, title, unit: 's/GB', isHigherBetter: false });

/** One flow in each direction, and the processor time of the one from client to server. */
export const ONE_FLOW: Measurement = {
  name: 'one-flow',
  title: 'One TCP flow',
  metrics: [
    megabits('oneFlowUp', 'up'),
    megabits('oneFlowDown', 'down'),
    cost('cpuPerGigabyte', 'CPU, both ends'),
    cost('cpuPerGigabyteClient', 'CPU, sender'),
    cost('cpuPerGigabyteServer', 'CPU, receiver'),
  ],
  turns: 3,
  expectedSeconds: ({ seconds }) => 2 * seconds + 0.5,
  run: async (bench) => ({ ...(await flowWithCost(bench)), oneFlowDown: await rate(bench, 1, 'down') }),
};

export const FOUR_FLOWS: Measurement = {
  name: 'four-flows',
  title: 'Four TCP flows',
  metrics: [megabits('fourFlowsUp', 'up'), megabits('fourFlowsDown', 'down')],
  expectedSeconds: ({ seconds }) => 2 * seconds + 0.5,
  run: async (bench) => ({
    fourFlowsUp: await rate(bench, FOUR, 'up'),
    fourFlowsDown: await rate(bench, FOUR, 'down'),
  }),
};

export const BOTH_WAYS: Measurement = {
  name: 'both-ways',
  title: 'One TCP flow each way at once, the sum',
  metrics: [megabits('bothWays', 'up + down')],
  expectedSeconds: ({ seconds }) => seconds + 0.5,
  run: async (bench) => ({ bothWays: await rate(bench, 1, 'both') }),
};

async function rate(bench: Bench, flows: number, direction: 'up' | 'down' | 'both'): Promise<number> {
  return (await measureFlow(bench, { seconds: bench.seconds, flows, direction })).megabitsPerSecond;
}

async function flowWithCost(bench: Bench): Promise<Values> {
  const before = SIDES.map((side) => cpuSeconds(bench.processes[side]));
  const flow = await measureFlow(bench, { seconds: bench.seconds, direction: 'up' });
  const [client = 0, server = 0] = SIDES.map((side, i) => cpuSeconds(bench.processes[side]) - (before[i] ?? 0));
  const gigabytes = flow.receivedBytes / BYTES_PER_GIGABYTE;
  const oneFlowUp = flow.megabitsPerSecond;
  // Without a tunnel there is no process to measure.
  if (bench.processes.client.length === 0) return { oneFlowUp };
  return {
    oneFlowUp,
    cpuPerGigabyte: (client + server) / gigabytes,
    cpuPerGigabyteClient: client / gigabytes,
    cpuPerGigabyteServer: server / gigabytes,
  };
}
