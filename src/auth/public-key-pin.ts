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
 * Reads `sha256//BASE64`, or several with semicolons between them: the key of
 * today and the one that is to come.
 * @throws EtherwsError ARGUMENT_INVALID
 */
export function parsePins(text: string): readonly string[] {
  const pins = text.split(';').map((pin) => pin.trim());
  for (const pin of pins) {
    if (/^sha256\/\/[A-Za-z0-9+/]{43}=$/.test(pin)) continue;
    throw new EtherwsError('ARGUMENT_INVALID', `${JSON.stringify(pin)} is no pin of a public key`, {
      hint: HOW_TO_PIN,
    });
  }
  return pins;
}

const HOW_TO_PIN =
  'It looks like sha256//BASE64=; get it with: openssl x509 -in CERT -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64';

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
  'If it got a new key, let its operator tell you the pin by another way and give that one; else somebody stands in between';
