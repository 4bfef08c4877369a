import { createHash, type X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { EtherwsError } from '../errors.ts';

/**
 * The pin of a certificate's public key: `sha256//` and the base64 of the
 * SHA-256 of its SubjectPublicKeyInfo (RFC 7469, 2.4), as curl writes it. A
 * renewed certificate with the same key has the same pin.
 */
export function publicKeyPin(certificate: X509Certificate): string {
  const info = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256//${createHash('sha256').update(info).digest('base64')}`;
}

/**
 * Destroys a dialled connection with CERTIFICATE_PIN_MISMATCH if the server's key
 * is not pinned. To be called when the socket is created: the check
 * then runs at the end of the handshake, before written data is sent.
 *
 * A pin identifies the server by itself, so no authority needs to be trusted
 * (`rejectUnauthorized: false`).
 *
 * @param host the dialled name or address, for the message
 */
export function enforcePins(socket: TLSSocket, pins: readonly string[], host: string): void {
  socket.prependOnceListener('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate();
    const problem = pinProblem(certificate, pins, host);
    if (problem !== undefined) socket.destroy(problem);
  });
}

/** @returns undefined if the certificate's key is pinned */
export function pinProblem(
  certificate: X509Certificate | undefined,
  pins: readonly string[],
  host: string,
): EtherwsError | undefined {
  if (certificate === undefined) {
    return new EtherwsError('CERTIFICATE_PIN_MISMATCH', `${host} showed no certificate`, { hint: HINT });
  }
  const pin = publicKeyPin(certificate);
  if (pins.includes(pin)) return undefined;
  const message = `${host} has another key than the one that was pinned: ${pin}`;
  return new EtherwsError('CERTIFICATE_PIN_MISMATCH', message, { hint: HINT });
}

const HINT =
  'If it got a new key, let its operator tell you the pin by another way and give that one; else another host answers in its place';
