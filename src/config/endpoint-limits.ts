import { readSeconds, readWhole } from './option-values.ts';

/** Bounds before and after a client has shown credentials. The defaults stand where they are applied. */
export interface EndpointLimits {
  readonly maxTunnels?: number;
  /** of one address: tunnels with their handshakes, and on each listener connections without credentials */
  readonly maxPerAddress?: number;
  readonly maxPerUser?: number;
  /** connections without credentials, on each listener */
  readonly maxUnproven?: number;
  readonly handshakeTimeoutMs?: number;
  readonly loginFailures?: number;
  readonly maxMessageBytes?: number;
  readonly queueBytes?: number;
  /** what all queues and unfinished messages of the process may hold together */
  readonly buffersBytes?: number;
  /** how long a port waits for a client whose tunnel was lost; 0: not at all */
  readonly graceMs?: number;
}

/** The options as they were typed. */
export interface LimitOptions {
  maxTunnels?: string;
  maxPerAddress?: string;
  maxPerUser?: string;
  maxUnproven?: string;
  handshakeTimeout?: string;
  loginFailures?: string;
  maxMessage?: string;
  maxQueue?: string;
  maxBuffers?: string;
  grace?: string;
}

const MOST = 1_000_000;
/** A super-frame with its offload header has to pass. */
const LEAST_MESSAGE_BYTES = 66 * 1024;
const MOST_MESSAGE_BYTES = 1024 * 1024;
const MOST_QUEUE_BYTES = 256 * 1024 * 1024;
const MIB = 1024 * 1024;
const LEAST_BUFFERS_MIB = 16;
const MOST_BUFFERS_MIB = 1024 * 1024;
const MOST_GRACE_SECONDS = 3600;

/** @throws EtherwsError ARGUMENT_INVALID, naming the option */
export function readEndpointLimits(options: LimitOptions): EndpointLimits {
  const limits: { -readonly [Name in keyof EndpointLimits]: EndpointLimits[Name] } = {};
  const whole = (name: keyof EndpointLimits, option: string, text: string | undefined, min = 1, max = MOST): void => {
    if (text !== undefined) limits[name] = readWhole(option, text, min, max);
  };
  whole('maxTunnels', '--max-tunnels', options.maxTunnels);
  whole('maxPerAddress', '--max-per-address', options.maxPerAddress);
  whole('maxPerUser', '--max-per-user', options.maxPerUser);
  whole('maxUnproven', '--max-unproven', options.maxUnproven);
  whole('loginFailures', '--login-failures', options.loginFailures);
  whole('maxMessageBytes', '--max-message', options.maxMessage, LEAST_MESSAGE_BYTES, MOST_MESSAGE_BYTES);
  whole('queueBytes', '--max-queue', options.maxQueue, MOST_MESSAGE_BYTES / 8, MOST_QUEUE_BYTES);
  const { handshakeTimeout, grace, maxBuffers } = options;
  if (maxBuffers !== undefined) {
    limits.buffersBytes = readWhole('--max-buffers', maxBuffers, LEAST_BUFFERS_MIB, MOST_BUFFERS_MIB) * MIB;
  }
  if (grace !== undefined) limits.graceMs = readWhole('--grace', grace, 0, MOST_GRACE_SECONDS) * 1000;
  if (handshakeTimeout !== undefined) {
    limits.handshakeTimeoutMs = readSeconds('--handshake-timeout', handshakeTimeout) * 1000;
  }
  return limits;
}
