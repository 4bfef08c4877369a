import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import type { DialAttempt } from './dial-attempt.ts';

/**
 * How long one address of a name may keep the next one waiting. Node gives the
 * former up then, so RFC 8305's quarter of a second, which is meant for racing
 * them, would rule out hosts behind a satellite.
 */
const ADDRESS_TIMEOUT_MS = 1000;

export interface TcpOptions {
  /** The address of this host to connect from; its family is then the only one that is tried. */
  readonly bindAddress?: string | undefined;
  /** default: the system's */
  readonly lookup?: LookupFunction | undefined;
}

/** Connects to the first address of the host that answers (RFC 8305, without the race). @throws as net.connect does */
export async function connectTcp(
  host: string,
  listenPort: number,
  { bindAddress, lookup }: TcpOptions,
  attempt: DialAttempt,
): Promise<Socket> {
  const socket = attempt.hold(
    connect({
      host,
      port: listenPort,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
      ...(bindAddress === undefined ? {} : { localAddress: bindAddress, family: isIP(bindAddress) }),
      ...(lookup === undefined ? {} : { lookup }),
    }),
  );
  await attempt.reached(socket, 'connect');
  return socket;
}
