import { readCaCerts } from '../auth/certificate-file.ts';
import type { Port } from '../bridge/port.ts';
import type { Logger } from '../observability/logger.ts';
import { NetdevPort } from './netdev-port.ts';
import { TapPort } from './tap-port.ts';
import type { WireChoice } from './websocket/packing.ts';
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
  readonly wire?: WireChoice | undefined;
}

export interface PortContext {
  readonly logger: Logger;
  /** What client ports speak that do not say it themselves; default `auto`. */
  readonly wire?: WireChoice;
}

/**
 * Makes a port of any kind, ready to be attached.
 * @throws EtherwsError when it cannot be had; nothing is left behind then
 */
export async function createPort(request: PortRequest, context: PortContext): Promise<Port> {
  const { logger, wire: defaultWire } = context;
  switch (request.type) {
    case 'tap':
      return TapPort.open(request.target, { logger });
    case 'netdev':
      return NetdevPort.open(request.target, { logger });
    case 'client': {
      const { user, passwd, cacerts, insecure, wire = defaultWire } = request.options ?? {};
      return connectTunnel({
        url: request.target,
        logger,
        ...(wire === undefined ? {} : { wire }),
        ...(user === undefined ? {} : { user }),
        ...(passwd === undefined ? {} : { passwd }),
        ...(cacerts === undefined ? {} : { cacerts: await readCaCerts(cacerts) }),
        ...(insecure === undefined ? {} : { isInsecure: insecure }),
      });
    }
  }
}
