import { randomBytes } from 'node:crypto';

/** First octet of a binary message (RFC 6455, 5.2). */
const BINARY = 0x82;

/**
 * Random octets without the beginning of a message. Native code holds such a beginning back until the rest has come; of
 * plain random octets the last one is a beginning once in 256 times.
 */
export function plainOctets(length: number): Buffer {
  const octets = randomBytes(length);
  for (let at = octets.indexOf(BINARY); at !== -1; at = octets.indexOf(BINARY, at)) octets[at] = 0;
  return octets;
}
