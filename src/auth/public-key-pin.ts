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
 * Destroys a dialled connection with CERTIFICATE_PIN_MISMATCH when the far end
 * proves to have another key. To be called when the socket is made: the check
 * then runs as the handshake ends, before anything that was written is sent.
 *
 * A pin says more than any authority, so the certificate need not be trusted
 * (`rejectUnauthorized: false`) where no authorities were named.
 *
 * @param host the name or address that was dialled, for the message
 */
export function enforcePins(socket: TLSSocket, pins: readonly string[], host: string): void {
  socket.prependOnceListener('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate();
    const problem = pinProblem(certificate, pins, host);
    if (problem !== undefined) socket.destroy(problem);
  });
}

/** @returns undefined when the key is one of those pinned */
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
