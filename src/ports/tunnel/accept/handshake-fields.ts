import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../../net/caller.ts';
import {
  formatResumeField,
  parseResumeField,
  RESUME_HEADER,
  type ResumeField,
} from '../../../wire/tunnel/resume-header.ts';
import { SWITCH_HEADER } from '../../../wire/tunnel/switch-header.ts';
import { WIRE_HEADER, WIRE_VERSION } from '../../../wire/tunnel/tunnel-message.ts';
import type { Wire } from '../../stream/packing.ts';

/** What the client says of coming back; undefined: nothing, or nothing that can be read. */
export function resumeFieldOf({ headers }: IncomingMessage): ResumeField | undefined {
  const field = headers[RESUME_HEADER.toLowerCase()];
  return typeof field === 'string' ? parseResumeField(field) : undefined;
}

/** The lines of our own fields in the answer 101. @param answer of the switch, where the client asked */
export function fieldsOf(wire: Wire, token: string | undefined, answer: string | undefined): string[] {
  const fields = answer === undefined ? [] : [`${SWITCH_HEADER}: ${answer}`];
  if (wire === 'batched') fields.push(`${WIRE_HEADER}: ${WIRE_VERSION}`);
  if (token !== undefined) fields.push(`${RESUME_HEADER}: ${formatResumeField(token)}`);
  return fields;
}

/** The path of the request's target, without its query. */
export function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/** `192.0.2.1:5000` or `[2001:db8::1]:5000`; an IPv4 peer of a dual-stack listener is shown as what it is. */
export function describePeer({ address: from, tcpPort }: Caller): string {
  const address = (from === '' ? 'unknown' : from).replace(/^::ffff:(?=[\d.]+$)/, '');
  if (tcpPort === undefined) return address;
  return `${address.includes(':') ? `[${address}]` : address}:${tcpPort}`;
}

/** The other end of the request's socket. */
export function otherEndOf({ socket }: IncomingMessage): Caller {
  return { address: socket.remoteAddress ?? '', tcpPort: socket.remotePort ?? 0 };
}
