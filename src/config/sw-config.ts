import { domainToASCII } from 'node:url';
import { type Network, parseNetwork } from '../net/trusted-proxies.ts';
import type { LogFormat } from '../observability/logger.ts';
import type { AesChoice } from '../ports/stream/tls/aes.ts';
import { parseReservedSet, type ReservedSet } from '../wire/ethernet/reserved-address.ts';
import { type EndpointLimits, type LimitOptions, readEndpointLimits } from './endpoint-limits.ts';
import { type LocalControl, readLocalControl } from './local-control.ts';
import { invalidOption, readableFileIfGiven, readSeconds, readWhole } from './option-values.ts';
import { readOrigins } from './origins.ts';
import { checkShared, isOpen, readService, type ServiceConfig } from './service-config.ts';

/** The options of `etherws sw` as they were typed: commander's camel case, values still text. */
export interface SwOptions extends LimitOptions {
  debug?: boolean;
  foreground?: boolean;
  ageout: string;
  fdbSize: string;
  forwardReserved?: string;
  path: string;
  host?: string;
  port?: string;
  htpasswd?: string;
  tokenkeys?: string;
  tokenaudience?: string;
  clientCa?: string;
  origin?: string[];
  policy?: string;
  user?: string;
  group?: string;
  trustedProxy?: string[];
  sslkey?: string;
  sslcert?: string;
  ctlpath: string;
  ctlhost: string;
  ctlport: string;
  ctlhtpasswd?: string;
  ctltokenkeys?: string;
  ctltokenaudience?: string;
  ctlclientCa?: string;
  ctlsslkey?: string;
  ctlsslcert?: string;
  ctlname?: string[];
  ctlsocket?: string;
  ctlgroup?: string;
  ctlAnybody?: boolean;
  /** false for --no-ctl-tcp */
  ctlTcp?: boolean;
  wire: string;
  congestion: string;
  aes: string;
  logformat: string;
  logfile?: string;
  pidfile?: string;
}

export interface SwConfig {
  readonly isDebug: boolean;
  readonly isForeground: boolean;
  readonly ageingTimeMs: number;
  readonly fdbCapacity: number;
  /** The reserved group addresses that are relayed all the same. */
  readonly forwardReserved: ReservedSet;
  readonly tunnels: ServiceConfig;
  readonly control: ServiceConfig;
  /** Whether both services share one listener. */
  readonly isShared: boolean;
  /** Names under which the control API may be addressed beside addresses and `localhost`. */
  readonly controlNames: readonly string[];
  /** How users of this host reach the control API. */
  readonly local: LocalControl;
  /** Web origins whose pages may open tunnels, beside the own one. */
  readonly origins: readonly string[];
  readonly limits: EndpointLimits;
  /** the user that the process becomes once its sockets are open */
  readonly runAs: { readonly user: string; readonly group: string | undefined } | undefined;
  /** proxies whose X-Forwarded-For and PROXY headers are believed */
  readonly trustedProxies: readonly Network[];
  /** the file with the rights of users */
  readonly policyFile: string | undefined;
  /** What tunnels speak, accepted ones and dialled ones. */
  readonly wire: 'auto' | 'raw';
  /** How TCP answers congestion on tunnels: auto, system, or one of the kernel's algorithms. */
  readonly congestion: string;
  /** The library for AES-GCM of tunnels under TLS. */
  readonly aes: AesChoice;
  readonly logFormat: LogFormat;
  readonly logFile: string | undefined;
  readonly pidFile: string | undefined;
}

/**
 * Validates what was typed, before anything is opened.
 * @throws EtherwsError ARGUMENT_INVALID or FILE_UNREADABLE, naming the option
 */
export function readConfig(options: SwOptions): SwConfig {
  const tunnels = readService('', {
    path: options.path,
    host: options.host,
    port: options.port,
    sslkey: options.sslkey,
    sslcert: options.sslcert,
    htpasswd: options.htpasswd,
    tokenkeys: options.tokenkeys,
    tokenaudience: options.tokenaudience,
    clientCa: options.clientCa,
  });
  const control = readService('ctl', {
    path: options.ctlpath,
    host: options.ctlhost,
    port: options.ctlport,
    sslkey: options.ctlsslkey,
    sslcert: options.ctlsslcert,
    htpasswd: options.ctlhtpasswd,
    tokenkeys: options.ctltokenkeys,
    tokenaudience: options.ctltokenaudience,
    clientCa: options.ctlclientCa,
  });
  // Two times 0 are two ports, each of which the system chooses.
  const isSamePort = tunnels.listenPort === control.listenPort && control.listenPort !== 0;
  const isShared = tunnels.host === control.host && isSamePort;
  if (isShared) checkShared(tunnels, control);
  if (options.logformat !== 'text' && options.logformat !== 'json') {
    throw invalidOption(`--logformat must be text or json, got "${options.logformat}"`);
  }
  if (options.wire !== 'auto' && options.wire !== 'raw')
    throw invalidOption(`--wire must be auto or raw, got "${options.wire}"`);
  return {
    isDebug: options.debug === true,
    isForeground: options.foreground === true,
    ageingTimeMs: readSeconds('--ageout', options.ageout) * 1000,
    fdbCapacity: readWhole('--fdb-size', options.fdbSize, 1, 16_777_216),
    forwardReserved: options.forwardReserved === undefined ? 0 : readReserved(options.forwardReserved),
    tunnels,
    control,
    isShared,
    controlNames: (options.ctlname ?? []).map((name) => domainToASCII(name) || name.toLowerCase()),
    local: readLocalControl(options, isOpen(control.login)),
    origins: readOrigins(options.origin ?? []),
    limits: readEndpointLimits(options),
    runAs: readRunAs(options),
    trustedProxies: (options.trustedProxy ?? []).map(readNetwork),
    policyFile: readableFileIfGiven('--policy', options.policy),
    wire: options.wire,
    congestion: readCongestion(options.congestion),
    aes: readAes(options.aes),
    logFormat: options.logformat,
    logFile: options.logfile,
    pidFile: options.pidfile,
  };
}

/** Whether the kernel has an algorithm of that name shows when it is asked for one. */
function readCongestion(name: string): string {
  if (/^[a-z0-9_-]{1,15}$/.test(name)) return name;
  throw invalidOption(`--congestion must be auto, system, or an algorithm such as cubic, got "${name}"`);
}

function readReserved(text: string): ReservedSet {
  try {
    return parseReservedSet(text);
  } catch {
    throw invalidOption(
      `--forward-reserved must be last hexadecimal digits of 01-80-C2-00-00-0x, got "${text}"`,
      'Write them as 0,E, or all',
    );
  }
}

function readAes(choice: string): AesChoice {
  if (choice === 'auto' || choice === 'openssl') return choice;
  throw invalidOption(`--aes must be auto or openssl, got "${choice}"`);
}

function readNetwork(text: string): Network {
  const network = parseNetwork(text);
  if (network !== undefined) return network;
  throw invalidOption(
    `--trusted-proxy must be an address or a network, got "${text}"`,
    'Write it as 10.0.0.0/8 or ::1',
  );
}

function readRunAs({ user, group }: SwOptions): SwConfig['runAs'] {
  if (user !== undefined) return { user, group };
  if (group === undefined) return undefined;
  throw invalidOption('--group needs --user, too', 'Rights are dropped by becoming another user');
}
