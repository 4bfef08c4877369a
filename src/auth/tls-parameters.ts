import { constants } from 'node:crypto';
import { DEFAULT_CIPHERS, type SecureContextOptions } from 'node:tls';

/**
 * What both ends of TLS speak here: version 1.2 or later, and of the suites of
 * Node's own list AES-128-GCM first. It is the one that TLS 1.3 demands of
 * everybody (RFC 8446, 9.1), nobody has come near to breaking it, and a record takes a
 * tenth less time than with AES-256-GCM. A server goes by its own order.
 * Who gives Node another list (`NODE_OPTIONS=--tls-cipher-list=...`) gets that one as it stands.
 */
export const TLS_PARAMETERS: Required<Pick<SecureContextOptions, 'minVersion' | 'ciphers'>> = {
  minVersion: 'TLSv1.2',
  ciphers: preferring('TLS_AES_128_GCM_SHA256'),
};

function preferring(suite: string): string {
  if (DEFAULT_CIPHERS !== constants.defaultCoreCipherList) return DEFAULT_CIPHERS;
  const others = DEFAULT_CIPHERS.split(':').filter((name) => name !== suite);
  return [suite, ...others].join(':');
}
