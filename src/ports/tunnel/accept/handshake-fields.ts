import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../../net/caller.ts';
import {
  formatResumeField,
  parseResumeField,
  RESUME_HEADER,
  type ResumeField,
} from '../../../wire/tunnel/resume-header.ts';
import { REDIRECT_HEADER, ROAMING_HEADER } from '../../../wire/tunnel/roaming-headers.ts';
import { SWITCH_HEADER } from '../../../wire/tunnel/switch-header.ts';
import { WIRE_HEADER, WIRE_VERSION } from '../../../wire/tunnel/tunnel-message.ts';
import type { Wire } from '../../stream/packing.ts';

/** The client's resumption field; undefined when it is absent or malformed. */
export function resumeFieldOf({ headers }: IncomingMessage): ResumeField | undefined {
  const field = headers[RESUME_HEADER.toLowerCase()];
  return typeof field === 'string' ? parseResumeField(field) : undefined;
}

/** Whether the client follows a redirect to another node. Browsers and earlier versions do not. */
export function followsRedirects({ headers }: IncomingMessage): boolean {
  return headers[REDIRECT_HEADER.toLowerCase()] === '1';
}

/**
 * The etherws header lines of the answer 101.
 * @param answer value of Etherws-Switch, if the client sent that field
 * @param isRoaming whether the token is good at the other nodes of a cluster, too
 */
export function fieldsOf(
  wire: Wire,
  token: string | undefined,
  answer: string | undefined,
  isRoaming: boolean = false,
): string[] {
  const fields = answer === undefined ? [] : [`${SWITCH_HEADER}: ${answer}`];
  if (wire === 'batched') fields.push(`${WIRE_HEADER}: ${WIRE_VERSION}`);
  if (token !== undefined) fields.push(`${RESUME_HEADER}: ${formatResumeField(token)}`);
  if (token !== undefined && isRoaming) fields.push(`${ROAMING_HEADER}: 1`);
  return fields;
}

/** The path of the request's target, without its query. */
export function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/** The segment of a path behind that of the service: `lab` in `/x/lab` for `/x` or `/x/`; undefined for another path. */
export function segmentBehind(own: string, path: string): string | undefined {
  const base = own.endsWith('/') ? own : `${own}/`;
  const segment = path.startsWith(base) ? path.slice(base.length) : '';
  return segment === '' || segment.includes('/') ? undefined : segment;
}

/** `192.0.2.1:5000` or `[2001:db8::1]:5000`; an IPv4-mapped address is shown as IPv4. */
export function describePeer({ address: from, tcpPort }: Caller): string {
  const address = (from === '' ? 'unknown' : from).replace(/^::ffff:(?=[\d.]+$)/, '');
  if (tcpPort === undefined) return address;
  return `${address.includes(':') ? `[${address}]` : address}:${tcpPort}`;
}

/** The other end of the request's socket. */
export function otherEndOf({ socket }: IncomingMessage): Caller {
  return { address: socket.remoteAddress ?? '', tcpPort: socket.remotePort ?? 0 };
}
