import { readCaCerts } from '../auth/certificate-file.ts';
import type { Port } from '../bridge/port.ts';
import type { Logger } from '../observability/logger.ts';
import { NetdevPort } from './netdev-port.ts';
import { TapPort } from './tap-port.ts';
import { connectTunnel } from './websocket/ws-client.ts';

/** A port that somebody asks for. */
export interface PortRequest {
  readonly type: 'tap' | 'netdev' | 'client';
  /** A device's name, or a ws:// or wss:// URL. */
  readonly target: string;
  readonly options?: ClientOptions | undefined;
}

export interface ClientOptions {
  readonly user?: string | undefined;
  readonly passwd?: string | undefined;
  /** The path of a PEM file with the CAs to trust, instead of the system's. */
  readonly cacerts?: string | undefined;
  readonly insecure?: boolean | undefined;
}

/**
 * Makes a port of any kind, ready to be attached.
 * @throws EtherwsError when it cannot be had; nothing is left behind then
 */
export async function createPort(request: PortRequest, context: { logger: Logger }): Promise<Port> {
  const { logger } = context;
  switch (request.type) {
    case 'tap':
      return TapPort.open(request.target, { logger });
    case 'netdev':
      return NetdevPort.open(request.target, { logger });
    case 'client': {
      const { user, passwd, cacerts, insecure } = request.options ?? {};
      return connectTunnel({
        url: request.target,
        logger,
        ...(user === undefined ? {} : { user }),
        ...(passwd === undefined ? {} : { passwd }),
        ...(cacerts === undefined ? {} : { cacerts: await readCaCerts(cacerts) }),
        ...(insecure === undefined ? {} : { isInsecure: insecure }),
      });
    }
  }
}
