/** How the codes of Node's TLS errors begin; the rest is a reason of OpenSSL's. */
const PREFIX = 'ERR_SSL_';
/** `SSLV3_ALERT_`, `TLSV1_ALERT_`, `SSL/TLS_ALERT_`: a fatal alert of the peer's, as a version of OpenSSL names it. */
const ALERT = /^[A-Z0-9/]+_ALERT_/;

/** The alert of RFC 8446 (6.2) for what OpenSSL says of a broken record. */
const ALERT_OF: Readonly<Record<string, string>> = {
  BAD_DECRYPT: 'bad_record_mac',
  BAD_RECORD_TYPE: 'unexpected_message',
  BLOCK_CIPHER_PAD_IS_WRONG: 'bad_record_mac',
  CIPHER_OPERATION_FAILED: 'bad_record_mac',
  DATA_LENGTH_TOO_LONG: 'record_overflow',
  DECRYPTION_FAILED: 'bad_record_mac',
  DECRYPTION_FAILED_OR_BAD_RECORD_MAC: 'bad_record_mac',
  ENCRYPTED_LENGTH_TOO_LONG: 'record_overflow',
  UNEXPECTED_RECORD: 'unexpected_message',
};

/** The alert for a reason that OpenSSL gives for a broken record, such as `bad_record_mac`; undefined for other reasons. */
export function alertOfReason(reason: string): string | undefined {
  return ALERT_OF[reason];
}

/**
 * What a failure of Node's TLS behind the handshake means, in the words that our own record layer has for it.
 * @param code of Node's error
 * @returns one line; undefined for an error that is not of TLS
 */
export function describeTlsFailure(code: string): string | undefined {
  if (code === 'EPROTO') return 'the peer broke TLS';
  if (!code.startsWith(PREFIX)) return undefined;
  const reason = code.slice(PREFIX.length);
  const alert = ALERT.exec(reason);
  if (alert !== null) return `the peer ended TLS: ${reason.slice(alert[0].length).toLowerCase()}`;
  return `the peer broke TLS: ${ALERT_OF[reason] ?? reason.toLowerCase()}`;
}
