import { readCaCerts } from '../../auth/certificate-file.ts';
import { EtherwsError } from '../../errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { ClientPort, type ClientPortOptions } from './client-port.ts';
import { isLastingFailure } from './dial-errors.ts';
import type { WireChoice } from './packing.ts';
import { parseTunnelUrl } from './tunnel-url.ts';
import { type ConnectTunnelOptions, connectTunnel } from './ws-client.ts';
import type { WebSocketPort } from './ws-port.ts';

/** How a client port dials, as the control API has it; paths are of this host, times in seconds. */
export interface ClientOptions {
  readonly user?: string | undefined;
  readonly passwd?: string | undefined;
  /** The path of a PEM file with the CAs to trust, instead of the system's. */
  readonly cacerts?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly wire?: WireChoice | undefined;
  /** Further URLs, tried in order when the first cannot be had. */
  readonly alternatives?: readonly string[] | undefined;
  /** false: do not wait for the first tunnel. */
  readonly wait?: boolean | undefined;
  /** false: a tunnel that ended is not dialled again. */
  readonly reconnect?: boolean | undefined;
  readonly reconnectMin?: number | undefined;
  readonly reconnectMax?: number | undefined;
}

export interface ClientContext {
  readonly logger: Logger;
  readonly watchNetwork?: ClientPortOptions['watchNetwork'];
}

/**
 * Makes a client port, with its tunnel unless it was told not to wait.
 * @throws EtherwsError ARGUMENT_INVALID and what the files are not; and unless
 *   it was told not to wait, whatever the dialling failed with
 */
export async function openClient(target: string, options: ClientOptions, context: ClientContext): Promise<ClientPort> {
  const { logger, watchNetwork } = context;
  const urls = [target, ...(options.alternatives ?? [])];
  const [first] = urls.map(parseTunnelUrl);
  await readFiles(options); // what cannot be is told now, and not in the log of a port that never comes up
  const portOptions: ClientPortOptions = {
    target: first?.shown ?? target,
    connect: (signal) => connectAny(urls, options, logger, signal),
    reconnection: {
      ...(options.reconnect === undefined ? {} : { isEnabled: options.reconnect }),
      ...(options.reconnectMin === undefined ? {} : { minMs: options.reconnectMin * 1000 }),
      ...(options.reconnectMax === undefined ? {} : { maxMs: options.reconnectMax * 1000 }),
    },
    ...(watchNetwork === undefined ? {} : { watchNetwork }),
    logger,
  };
  return options.wait === false ? new ClientPort(portOptions) : ClientPort.connected(portOptions);
}

/** Dials the URLs one after the other; the first that can be had is taken. */
async function connectAny(
  urls: readonly string[],
  options: ClientOptions,
  logger: Logger,
  signal: AbortSignal,
): Promise<WebSocketPort> {
  const common = { ...(await readFiles(options)), logger, signal };
  const failures: unknown[] = [];
  for (const url of urls) {
    try {
      return await connectTunnel({ ...common, url });
    } catch (error) {
      if (signal.aborted) throw error;
      failures.push(error);
    }
  }
  throw joined(failures);
}

/** Files are read for every dialling, so that a renewed certificate counts from the next one on. */
async function readFiles(options: ClientOptions): Promise<Omit<ConnectTunnelOptions, 'url'>> {
  const { user, passwd, cacerts, insecure, wire } = options;
  return {
    ...(wire === undefined ? {} : { wire }),
    ...(user === undefined ? {} : { user }),
    ...(passwd === undefined ? {} : { passwd }),
    ...(cacerts === undefined ? {} : { cacerts: await readCaCerts(cacerts) }),
    ...(insecure === undefined ? {} : { isInsecure: insecure }),
  };
}

/** One failure of several: of those that may pass by themselves, where there is one, since it is worth waiting for. */
function joined(failures: readonly unknown[]): unknown {
  const [first] = failures;
  const main = failures.find((failure) => !isLastingFailure(failure)) ?? first;
  if (failures.length === 1 || !(main instanceof EtherwsError)) return main;
  const message = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join('; ');
  const hint = main.hint === undefined ? {} : { hint: main.hint };
  return new EtherwsError(main.code, message, { cause: main, ...hint });
}
