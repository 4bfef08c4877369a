import type { Command } from '../lab/command.ts';
import type { Bench } from '../measurement.ts';

/** The time beyond the flow, for connecting and for the exchange of results. */
const SLACK_MS = 15_000;
const BITS_PER_MEGABIT = 1e6;

export interface FlowOptions {
  readonly seconds: number;
  readonly flows?: number;
  /** The limit of the sender; default: unlimited. */
  readonly megabitsPerSecond?: number;
  /** `up` is from the client side to the server side. */
  readonly direction: 'up' | 'down' | 'both';
}

export interface FlowResult {
  /** The received rate; the sum of both directions for `both`. */
  readonly megabitsPerSecond: number;
  readonly receivedBytes: number;
}

/** The part of iperf3's report that is read here. */
interface IperfReport {
  readonly error?: string;
  readonly end?: { readonly sum_received?: IperfSum; readonly sum_received_bidir_reverse?: IperfSum };
}

interface IperfSum {
  readonly bytes: number;
  readonly bits_per_second: number;
}

/** Bulk TCP through the tunnel by iperf3. @throws Error with iperf3's message if it fails */
export async function measureFlow(bench: Bench, options: FlowOptions): Promise<FlowResult> {
  const flow = await startFlow(bench, options);
  return flow.finish();
}

/** The same in the background: `finish` waits for its end. */
export async function startFlow(bench: Bench, options: FlowOptions): Promise<{ finish(): Promise<FlowResult> }> {
  const server = bench.lab.start('server', ['iperf3', '--server', '--one-off', '--forceflush']);
  await server.printed('listening');
  const direction = { up: [], down: ['--reverse'], both: ['--bidir'] }[options.direction];
  const bound =
    options.megabitsPerSecond === undefined ? [] : ['--bitrate', `${Math.round(options.megabitsPerSecond)}M`];
  const client = bench.lab.start('client', [
    ...['iperf3', '--client', bench.tunnel.addresses.server, '--json', '--connect-timeout', '3000'],
    ...['--time', String(options.seconds), '--parallel', String(options.flows ?? 1), ...direction, ...bound],
  ]);
  return { finish: () => collect(client, server, options.seconds * 1000 + SLACK_MS) };
}

async function collect(client: Command, server: Command, timeoutMs: number): Promise<FlowResult> {
  const report = JSON.parse(await client.finish(timeoutMs)) as IperfReport;
  await server.finish(timeoutMs);
  const sums = [report.end?.sum_received, report.end?.sum_received_bidir_reverse].filter((sum) => sum !== undefined);
  if (report.error !== undefined || sums.length === 0) throw new Error(`iperf3: ${report.error ?? 'no result'}`);
  return {
    megabitsPerSecond: sums.reduce((total, sum) => total + sum.bits_per_second, 0) / BITS_PER_MEGABIT,
    receivedBytes: sums.reduce((total, sum) => total + sum.bytes, 0),
  };
}
