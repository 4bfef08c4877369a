import { setTimeout as delay } from 'node:timers/promises';
import { lastLineAsJson } from '../lab/command.ts';
import { residentBytes } from '../lab/process-table.ts';
import type { Bench, Measurement, Values } from '../measurement.ts';
import { median } from '../report/statistics.ts';

const RUNS = 9;
const SHORT_RUNS = 3;
/** The duration of a run of either program, for the estimate. */
const SECONDS_A_RUN = 0.3;
const TIMEOUT_MS = 20_000;
const KIB_PER_MEBIBYTE = 1024;
const BYTES_PER_MEBIBYTE = KIB_PER_MEBIBYTE ** 2;
/** After this time a bare Node is idle. */
const IDLE_MS = 500;

interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly mostKib: number;
}

/** The time and memory of `etherws ctl`, and the memory of an idle switch, beside a Node that does nothing. */
export const CONTROL: Measurement = {
  name: 'control',
  title: '`etherws ctl listport`, and a switch with one tunnel, beside a Node that does nothing',
  metrics: [
    { key: 'ctlStart', title: 'ctl, from start to end', unit: 'ms', isHigherBetter: false },
    { key: 'ctlCpu', title: 'CPU of ctl', unit: 'ms', isHigherBetter: false },
    { key: 'ctlMemory', title: 'memory of ctl at most', unit: 'MiB', isHigherBetter: false },
    { key: 'nodeStart', title: 'bare Node, from start to end', unit: 'ms', isHigherBetter: false },
    { key: 'nodeCpu', title: 'CPU of bare Node', unit: 'ms', isHigherBetter: false },
    { key: 'nodeMemory', title: 'memory of bare Node at most', unit: 'MiB', isHigherBetter: false },
    { key: 'switchIdle', title: 'idle switch', unit: 'MiB', isHigherBetter: false },
    { key: 'nodeIdle', title: 'idle bare Node', unit: 'MiB', isHigherBetter: false },
  ],
  appliesTo: ({ controlCommand }) => controlCommand !== undefined,
  isCold: true,
  expectedSeconds: ({ isShort }) => 2 * (isShort ? SHORT_RUNS : RUNS) * SECONDS_A_RUN + IDLE_MS / 1000,
  run: async (bench) => {
    const switchIdle = residentBytes(bench.processes.server) / BYTES_PER_MEBIBYTE;
    const nodeIdle = await idleNode(bench);
    const command = (await bench.contestant.controlCommand?.()) ?? [];
    const own: Usage[] = [];
    const bare: Usage[] = [];
    // Alternating, since the machine's speed changes.
    for (let i = 0; i < (bench.isShort ? SHORT_RUNS : RUNS); i++) {
      bare.push(await usageOf(bench, [process.execPath, '-e', '0']));
      own.push(await usageOf(bench, command));
    }
    return { ...medians('ctl', own), ...medians('node', bare), switchIdle, nodeIdle };
  },
};

async function usageOf({ lab, programs }: Bench, command: readonly string[]): Promise<Usage> {
  return lastLineAsJson(await lab.run('server', [programs.usage, ...command], TIMEOUT_MS)) as Usage;
}

function medians(prefix: string, usages: readonly Usage[]): Values {
  return {
    [`${prefix}Start`]: median(usages.map(({ wallMs }) => wallMs)),
    [`${prefix}Cpu`]: median(usages.map(({ cpuMs }) => cpuMs)),
    [`${prefix}Memory`]: median(usages.map(({ mostKib }) => mostKib / KIB_PER_MEBIBYTE)),
  };
}

async function idleNode({ lab, processes }: Bench): Promise<number> {
  // The program ends with its standard input.
  const node = lab.start('server', [process.execPath, '-e', 'process.stdin.resume(); console.log("ready")']);
  await node.printed('ready');
  await delay(IDLE_MS);
  const bare = lab.processes('server').filter((pid) => !processes.server.includes(pid));
  const bytes = residentBytes(bare);
  await node.finish(TIMEOUT_MS);
  return bytes / BYTES_PER_MEBIBYTE;
}
