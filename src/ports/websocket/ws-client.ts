import { EtherwsError } from '../../errors.ts';
import { type Logger, SILENT } from '../../observability/logger.ts';
import { type DialOptions, dial } from './dial.ts';
import type { Heartbeat } from './heartbeat.ts';
import { type TunnelLimits, withDefaults } from './limits.ts';
import { openTransport } from './open-transport.ts';
import type { WireChoice } from './packing.ts';
import { parseTunnelUrl, type TunnelUrl } from './tunnel-url.ts';
import { WebSocketPort } from './ws-port.ts';

export interface ConnectTunnelOptions {
  /** `ws://` or `wss://`; credentials in it are used, and never shown */
  url: string;
  /** overrides the user of the URL */
  user?: string;
  /** needs a user; may contain colons */
  passwd?: string;
  /** certificates in PEM that the server's must lead to, instead of the default roots */
  cacerts?: string | Buffer;
  /** accept any certificate and any name in it: protects from nobody who sits on the path */
  isInsecure?: boolean;
  /** `auto` speaks the batched wire with a server that knows it, `raw` never; default `auto` */
  wire?: WireChoice;
  /** how long the opening handshake may take, from the look-up of the name on; default 10 s */
  handshakeTimeoutMs?: number;
  limits?: Partial<TunnelLimits>;
  /** default: the heartbeat that all tunnels of the process share */
  heartbeat?: Heartbeat;
  logger?: Logger;
  signal?: AbortSignal;
}

/**
 * Dials a WebSocket server and makes the connection a port.
 * @throws EtherwsError ARGUMENT_INVALID for a URL or credentials that cannot
 *   be, and whatever `dial` throws; nothing is left behind
 */
export async function connectTunnel(options: ConnectTunnelOptions): Promise<WebSocketPort> {
  const url = parseTunnelUrl(options.url);
  const credentials = credentialsOf(options, url);
  const logger = options.logger ?? SILENT;
  if (options.isInsecure === true && url.isSecure) {
    logger.warn({ target: url.shown }, 'the certificate of the server is not verified');
  }
  const { socket, head, wire } = await dial({
    url,
    offersBatchedWire: options.wire !== 'raw',
    timeoutMs: options.handshakeTimeoutMs ?? withDefaults(options.limits).handshakeTimeoutMs,
    ...(credentials === undefined ? {} : { credentials }),
    ...(options.cacerts === undefined ? {} : { cacerts: options.cacerts }),
    ...(options.isInsecure === undefined ? {} : { isInsecure: options.isInsecure }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  logger.debug({ target: url.shown, address: socket.remoteAddress, wire }, 'tunnel connected');
  return new WebSocketPort({
    type: 'client',
    target: url.shown,
    transport: openTransport(socket, head),
    wire,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
  });
}

function credentialsOf(options: ConnectTunnelOptions, url: TunnelUrl): DialOptions['credentials'] {
  const user = options.user ?? url.user;
  const passwd = options.passwd ?? (options.user === undefined ? url.passwd : undefined);
  if (user === undefined) {
    if (passwd === undefined) return undefined;
    throw new EtherwsError('ARGUMENT_INVALID', 'A password was given without a user', { hint: 'Give --user too' });
  }
  if (user.includes(':')) {
    throw new EtherwsError('ARGUMENT_INVALID', `The user ${user} contains a colon, which Basic auth cannot carry`, {
      hint: 'A password may contain colons, a user may not (RFC 7617)',
    });
  }
  return { user, passwd: passwd ?? '' };
}
