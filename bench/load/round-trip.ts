import type { Bench } from '../measurement.ts';
import { quantile } from '../report/statistics.ts';

const PORT = '9998';
const SAMPLE_INTERVAL_US = 5_000;
const PING_INTERVAL_S = 0.02;
const SLACK_MS = 10_000;
const US_PER_MS = 1000;

/** All in microseconds. */
export interface RoundTrip {
  readonly medianUs: number;
  readonly p99Us: number;
  /** The same measured by the system's `ping`. */
  readonly pingMedianUs: number;
  readonly pingP99Us: number;
}

/**
 * Samples the round trip from the client side: UDP echoes every 5 ms by the program
 * packets.c, and at the same time the system's ping every 20 ms.
 */
export async function sampleRoundTrip(bench: Bench, seconds: number): Promise<RoundTrip> {
  const { lab, programs, tunnel } = bench;
  const target = tunnel.addresses.server;
  const timeoutMs = seconds * 1000 + SLACK_MS;
  const echo = lab.start('server', [programs.packets, 'echo', PORT]);
  await echo.printed('ready');
  const sampler = lab.run(
    'client',
    [programs.packets, 'rtt', target, PORT, String(seconds), String(SAMPLE_INTERVAL_US)],
    timeoutMs,
  );
  const deadline = ['-w', String(Math.max(1, Math.round(seconds)))];
  const ping = lab.run('client', ['ping', '-n', '-i', String(PING_INTERVAL_S), ...deadline, target], timeoutMs);
  const [samples, replies] = await Promise.all([sampler, ping]);
  await echo.finish(SLACK_MS);
  const { medianUs, p99Us } = JSON.parse(samples) as { medianUs: number; p99Us: number };
  const times = [...replies.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1]) * US_PER_MS);
  return { medianUs, p99Us, pingMedianUs: quantile(times, 0.5), pingP99Us: quantile(times, 0.99) };
}
