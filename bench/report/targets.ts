import { medianOf, type Results, ratioOf } from './results.ts';

/** A target of etherws, as a ratio within one run or as a value. */
export interface Target {
  readonly what: string;
  readonly must: string;
  readonly aim: string;
  /** The contestant and the metric. */
  readonly of: string;
  readonly metric: string;
  measured(results: Results): number | undefined;
  readonly unit: '×' | 'KiB' | '%' | 's/GB';
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

interface ValueTarget extends Pick<RatioTarget, 'what' | 'must' | 'aim' | 'of' | 'metric'> {
  readonly unit: Target['unit'];
}

function ratio(target: RatioTarget): Target {
  const { what, must, aim, of, metric, against, againstMetric } = target;
  return {
    what,
    must,
    aim,
    of,
    metric,
    unit: '×',
    measured: (results) => ratioOf(results, of, metric, against, againstMetric),
  };
}

function value({ what, must, aim, unit, of, metric }: ValueTarget): Target {
  return { what, must, aim, of, metric, unit, measured: (results) => medianOf(results, of, metric) };
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
  value({
    ...{ what: 'raw ws://, loss of 100 000 64-byte packets a second', must: '< 0.5', aim: '0', unit: '%' },
    ...{ of: 'etherws-raw', metric: 'smallLoss100000' },
  }),
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
  value({
    ...{ what: 'memory an idle tunnel', must: '≤ 24', aim: '12', unit: 'KiB' },
    ...{ of: 'etherws', metric: 'memoryPerTunnel' },
  }),
  ratio({
    ...{ what: 'batched wss://, CPU a gigabyte / SoftEther with TLS', must: '≤ 0.35', aim: '0.2' },
    ...{ of: 'etherws-tls', metric: 'cpuPerGigabyte', against: 'softether' },
  }),
  value({
    ...{ what: 'batched ws://, 64-byte packets lost at half of the knee', must: '0.0', aim: '0', unit: '%' },
    ...{ of: 'etherws', metric: 'packetLossBelow' },
  }),
  value({
    ...{ what: 'batched ws://, 1400-octet datagrams lost at half of the knee', must: '0.0', aim: '0', unit: '%' },
    ...{ of: 'etherws', metric: 'largeLossBelow' },
  }),
  ratio({
    ...{ what: 'a policy, one flow up / without', must: '≥ 0.97', aim: '1.0' },
    ...{ of: 'etherws-policy', metric: 'oneFlowUp', against: 'etherws' },
  }),
  ratio({
    ...{ what: 'a policy, 64-byte packets / without', must: '≥ 0.97', aim: '1.0' },
    ...{ of: 'etherws-policy', metric: 'packetRate', against: 'etherws' },
  }),
  ratio({
    ...{ what: 'a policy, idle round trip, median / without', must: '≤ 1.1', aim: '1.0' },
    ...{ of: 'etherws-policy', metric: 'rttIdleMedian', against: 'etherws' },
  }),
  ratio({
    ...{ what: 'managed, one flow up / without', must: '≥ 0.97', aim: '1.0' },
    ...{ of: 'etherws-managed', metric: 'oneFlowUp', against: 'etherws' },
  }),
  ratio({
    ...{ what: 'managed, 64-byte packets / without', must: '≥ 0.97', aim: '1.0' },
    ...{ of: 'etherws-managed', metric: 'packetRate', against: 'etherws' },
  }),
  ratio({
    ...{ what: 'managed, idle round trip, median / without', must: '≤ 1.03', aim: '1.0' },
    ...{ of: 'etherws-managed', metric: 'rttIdleMedian', against: 'etherws' },
  }),
  value({
    ...{ what: 'relay, wss://, CPU a gigabyte of TCP', must: '≤ 0.6', aim: '0.5', unit: 's/GB' },
    ...{ of: 'etherws-relay', metric: 'relayFlowCost' },
  }),
  value({
    ...{ what: 'relay, wss://, CPU a gigabyte of 1400-octet datagrams', must: '≤ 1.1', aim: '0.9', unit: 's/GB' },
    ...{ of: 'etherws-relay', metric: 'relayDatagramsCost' },
  }),
  value({
    ...{ what: 'relay, wss://, lost of these', must: '< 0.5', aim: '0', unit: '%' },
    ...{ of: 'etherws-relay', metric: 'relayDatagramsLoss' },
  }),
];
