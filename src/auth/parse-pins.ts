import { EtherwsError } from '../errors.ts';

/**
 * Parses one or more pins `sha256//BASE64`, separated by semicolons. Several pins
 * allow a change of the server's key: the present one and the next one.
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
