import { constants } from 'node:crypto';
import { DEFAULT_CIPHERS, type SecureContextOptions } from 'node:tls';

/**
 * Suites of TLS 1.3, AES-128-GCM first: every implementation must have it (RFC 8446, 9.1), no attack on it is
 * practical, and a record takes 10 % less time than with AES-256-GCM.
 */
const SUITES_OF_TLS_13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/**
 * Suites of TLS 1.2 with forward secrecy and authenticated encryption (RFC 9325, 4.2). CBC suites are open to padding
 * attacks, and with RSA key exchange a stolen key decrypts all recorded traffic.
 */
const SUITES_OF_TLS_12 = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].flatMap((cipher) => [
  `ECDHE-ECDSA-${cipher}`,
  `ECDHE-RSA-${cipher}`,
]);

/**
 * The TLS parameters of servers and clients: version 1.2 or later, and only suites with authenticated encryption. A
 * server uses its own order of preference. If Node was given a list (`NODE_OPTIONS=--tls-cipher-list=...`), that one is
 * used unchanged.
 */
export const TLS_PARAMETERS: Required<Pick<SecureContextOptions, 'minVersion' | 'ciphers'>> = {
  minVersion: 'TLSv1.2',
  ciphers:
    DEFAULT_CIPHERS === constants.defaultCoreCipherList
      ? [...SUITES_OF_TLS_13, ...SUITES_OF_TLS_12].join(':')
      : DEFAULT_CIPHERS,
};
