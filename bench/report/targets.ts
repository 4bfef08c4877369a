import { medianOf, type Results, ratioOf } from './results.ts';

/** What etherws wants to reach, as a ratio within one run or as a plain value. */
export interface Target {
  readonly what: string;
  readonly must: string;
  readonly aim: string;
  measured(results: Results): number | undefined;
  readonly unit: '×' | 'KiB' | '%' | 'packets/s';
}

interface RatioTarget {
  readonly what: string;
  readonly must: string;
  readonly aim: string;
  readonly of: string;
  readonly metric: string;
  readonly against: string;
  readonly againstMetric?: string;
}

function ratio(target: RatioTarget): Target {
  const { what, must, aim, of, metric, against, againstMetric } = target;
  return { what, must, aim, unit: '×', measured: (results) => ratioOf(results, of, metric, against, againstMetric) };
}

export const TARGETS: readonly Target[] = [
  ratio({
    ...{ what: 'batched ws://, one flow up / C floor', must: '≥ 0.85', aim: '1.0' },
    ...{ of: 'etherws', metric: 'oneFlowUp', against: 'floor' },
  }),
  ratio({
    ...{ what: 'batched ws://, one flow down / C floor', must: '≥ 0.80', aim: '1.0' },
    ...{ of: 'etherws', metric: 'oneFlowDown', against: 'floor' },
  }),
  ratio({
    ...{ what: 'batched ws://, four flows up / C floor', must: '≥ 0.80', aim: '1.0' },
    ...{ of: 'etherws', metric: 'fourFlowsUp', against: 'floor' },
  }),
  ratio({
    ...{ what: 'batched ws://, four flows down / C floor', must: '≥ 0.80', aim: '1.0' },
    ...{ of: 'etherws', metric: 'fourFlowsDown', against: 'floor' },
  }),
  ratio({
    ...{ what: 'batched wss://, one flow up / C floor', must: '≥ 0.50', aim: '0.80' },
    ...{ of: 'etherws-tls', metric: 'oneFlowUp', against: 'floor' },
  }),
  ratio({
    ...{ what: 'batched wss://, one flow up / SoftEther with TLS', must: '≥ 4', aim: '6' },
    ...{ of: 'etherws-tls', metric: 'oneFlowUp', against: 'softether' },
  }),
  ratio({
    ...{ what: 'batched wss://, one flow up / OpenVPN with TLS', must: '≥ 12', aim: '20' },
    ...{ of: 'etherws-tls', metric: 'oneFlowUp', against: 'openvpn' },
  }),
  ratio({
    ...{ what: 'raw ws://, one flow up / C floor, plain frames', must: '≥ 2.5', aim: '4' },
    ...{ of: 'etherws-raw', metric: 'oneFlowUp', against: 'floor-plain' },
  }),
  ratio({
    ...{ what: 'batched ws://, 64-byte packets / C floor', must: '≥ 1.0', aim: '1.5' },
    ...{ of: 'etherws', metric: 'packetRate', against: 'floor' },
  }),
  {
    ...{ what: 'raw ws://, loss of 100 000 64-byte packets a second', must: '< 0.5', aim: '0', unit: '%' },
    measured: (results) => medianOf(results, 'etherws-raw', 'fixedRateLoss'),
  },
  ratio({
    ...{ what: 'batched ws://, idle round trip, median / C floor', must: '≤ 1.25', aim: '1.0' },
    ...{ of: 'etherws', metric: 'rttIdleMedian', against: 'floor' },
  }),
  ratio({
    ...{ what: 'batched ws://, ping p99 under one flow / C floor', must: '≤ 1.5', aim: '0.7' },
    ...{ of: 'etherws', metric: 'rttLoadPingP99', against: 'floor' },
  }),
  ratio({
    ...{ what: 'batched ws://, one flow beside 5000 ports / 2 ports', must: '≥ 0.9', aim: '0.97' },
    ...{ of: 'etherws', metric: 'ports5000', against: 'etherws', againstMetric: 'ports2' },
  }),
  ratio({
    ...{ what: 'raw ws://, one flow beside 1000 ports / 2 ports', must: '≥ 0.9', aim: '0.97' },
    ...{ of: 'etherws-raw', metric: 'ports1000', against: 'etherws-raw', againstMetric: 'ports2' },
  }),
  {
    ...{ what: 'memory an idle tunnel', must: '≤ 24', aim: '12', unit: 'KiB' },
    measured: (results) =>
      medianOf(results, 'etherws', 'memoryPerTunnel') ?? medianOf(results, 'etherws-raw', 'memoryPerTunnel'),
  },
  ratio({
    ...{ what: 'batched wss://, CPU a gigabyte / SoftEther with TLS', must: '≤ 0.35', aim: '0.2' },
    ...{ of: 'etherws-tls', metric: 'cpuPerGigabyte', against: 'softether' },
  }),
];
