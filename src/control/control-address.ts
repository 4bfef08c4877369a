import { EtherwsError } from '../errors.ts';
import { putZoneIn, takeZoneOut, withZone } from '../net/url-zone.ts';
import { invalid, quote } from '../schema/check.ts';

export const DEFAULT_CONTROL_URL = 'http://127.0.0.1:7867/ctl';

/** The address of a control API, in the parts that `node:http` takes. */
export interface ControlAddress {
  readonly url: string;
  readonly isTls: boolean;
  /** without the brackets of an IPv6 address */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** the path of a Unix socket, which is used instead of host and port */
  readonly socketPath?: string;
}

/** `unix:` and the path of a Unix socket (`--ctlsocket`). */
const UNIX = /^unix:(?:\/\/(?=\/))?(.+)$/s;

/** @throws EtherwsError ARGUMENT_INVALID */
export function controlAddress(url: string = DEFAULT_CONTROL_URL): ControlAddress {
  const socketPath = UNIX.exec(url)?.[1];
  // On the Unix socket of a switch every path is that of the control API.
  if (socketPath !== undefined) return { url, isTls: false, host: 'localhost', port: 80, path: '/ctl', socketPath };
  const { url: bare, zone } = takeZoneOut(url);
  const parsed = /^https?:\/\//i.test(bare) && URL.canParse(bare) ? new URL(bare) : undefined;
  if (parsed === undefined) {
    throw invalid(
      `${quote(url)} is not the URL of a control API`,
      `Write it as ${DEFAULT_CONTROL_URL}, or unix:PATH for a Unix socket`,
    );
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw invalid('The URL of the control API holds a user', 'Give it with --ctluser, the password will be asked');
  }
  const isTls = parsed.protocol === 'https:';
  return {
    url: putZoneIn(parsed.href, zone),
    isTls,
    host: withZone(parsed.hostname.replace(/^\[|\]$/g, ''), zone),
    port: parsed.port === '' ? (isTls ? 443 : 80) : Number(parsed.port),
    path: parsed.pathname + parsed.search,
  };
}

/** Something answers at the address, but not as a control API does. */
export function controlFailure(address: ControlAddress, what: string, hint: string, cause?: unknown): EtherwsError {
  return new EtherwsError('CONTROL_FAILED', `${address.url} ${what}`, { hint, cause });
}
