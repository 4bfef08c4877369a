import type { LoginConfig } from '../config/service-config.ts';
import type { SwConfig } from '../config/sw-config.ts';
import type { LimitEntry, ProcessStatus } from '../control/status-entries.ts';
import { BUFFERS } from '../ports/stream/buffer-budget.ts';
import { DEFAULT_LIMITS } from '../ports/stream/limits.ts';
import { Descriptors } from '../runtime/descriptors.ts';
import { readVersion } from '../runtime/version.ts';
import type { Service, Services } from './services.ts';

/** The default of PendingConnections. */
const DEFAULT_UNPROVEN = 1024;
const MIB = 1024 * 1024;

/** The parts of a daemon that `getStatus` reads. */
export interface StatusSources {
  readonly config: SwConfig;
  /** the current limits */
  readonly limits: () => SwConfig['limits'];
  readonly services: Services;
  /** the number of tunnels, handshakes, and ports that wait for their clients */
  readonly tunnels: () => number;
  readonly eventLoop: () => ProcessStatus['eventLoop'] | undefined;
  /** default: no node of a cluster */
  readonly cluster?: () => ProcessStatus['cluster'];
  /** default: no file */
  readonly configuration?: () => ProcessStatus['configuration'];
}

/** Makes the function that returns the facts of the process; the uptime begins with this call. */
export function processStatus(sources: StatusSources): () => ProcessStatus {
  const version = readVersion();
  const startMs = performance.now();
  const descriptors = new Descriptors();
  return () => {
    const { heapUsed, rss } = process.memoryUsage();
    return {
      version,
      pid: process.pid,
      uptimeSeconds: Math.floor((performance.now() - startMs) / 1000),
      services: placesOf(sources),
      memory: { residentBytes: rss, heapBytes: heapUsed, bufferBytes: BUFFERS.heldBytes },
      eventLoop: sources.eventLoop() ?? { meanMs: 0, p99Ms: 0, maxMs: 0 },
      limits: limitsOf(sources, descriptors),
      ...(sources.cluster === undefined ? {} : { cluster: sources.cluster() }),
      configuration: sources.configuration?.() ?? { file: null, deviations: [] },
    };
  };
}

function placesOf({ config, services }: StatusSources): ProcessStatus['services'] {
  const { socketPath } = config.local;
  return [
    ...placeOf('tunnels', 'ws', services.tunnels),
    ...placeOf('control', 'http', services.control),
    ...(socketPath === undefined
      ? []
      : [{ service: 'control' as const, url: `unix:${socketPath}`, credentials: [], pin: null }]),
  ];
}

function placeOf(
  service: 'tunnels' | 'control',
  scheme: 'ws' | 'http',
  { config, identity, listener }: Service,
): ProcessStatus['services'] {
  if (listener === undefined) return [];
  const { address, port } = listener.address;
  const host = address.includes(':') ? `[${address}]` : address;
  const url = `${scheme}${config.tls === undefined ? '' : 's'}://${host}:${port}${config.path}`;
  return [{ service, url, credentials: credentialsOf(config.login), pin: identity?.pin ?? null }];
}

function credentialsOf({
  htpasswd,
  tokens,
  clientCaFile,
}: LoginConfig): ProcessStatus['services'][number]['credentials'] {
  return [
    ...(htpasswd === undefined ? [] : ['password' as const]),
    ...(tokens === undefined ? [] : ['token' as const]),
    ...(clientCaFile === undefined ? [] : ['certificate' as const]),
  ];
}

function limitsOf({ limits, services, tunnels }: StatusSources, descriptors: Descriptors): LimitEntry[] {
  const { maxTunnels, maxUnproven } = limits();
  const unproven = [services.tunnels.listener, services.control.listener].map((listener) => listener?.pending ?? 0);
  return [
    { limit: '--max-tunnels', used: tunnels(), most: maxTunnels ?? DEFAULT_LIMITS.maxConnections },
    { limit: '--max-unproven', used: Math.max(...unproven), most: maxUnproven ?? DEFAULT_UNPROVEN },
    { limit: '--max-buffers', used: Math.ceil(BUFFERS.heldBytes / MIB), most: Math.round(BUFFERS.limitBytes / MIB) },
    // Without a limit (RLIM_INFINITY) there is no entry.
    ...(Number.isFinite(descriptors.limit)
      ? [{ limit: 'descriptors', used: descriptors.used, most: descriptors.limit }]
      : []),
  ];
}
