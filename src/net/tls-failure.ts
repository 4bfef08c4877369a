/** The prefix of the codes of Node's TLS errors; OpenSSL's reason follows. */
const PREFIX = 'ERR_SSL_';
/** `SSLV3_ALERT_`, `TLSV1_ALERT_`, `SSL/TLS_ALERT_`: prefixes of OpenSSL, by version, for an alert that the peer sent. */
const ALERT = /^[A-Z0-9/]+_ALERT_/;

/** The alert (RFC 8446, 6.2) for each of OpenSSL's reasons to refuse a record. */
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

/** The alert, such as `bad_record_mac`, for OpenSSL's reason to refuse a record; undefined for other reasons. */
export function alertOfReason(reason: string): string | undefined {
  return ALERT_OF[reason];
}

/**
 * Describes a failure of Node's TLS after the handshake in the same words as our own record layer does.
 * @param code the code of Node's error
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
