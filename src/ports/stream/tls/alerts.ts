/** The alerts that we send or know (RFC 8446, 6). */
export const ALERTS = {
  closeNotify: 0,
  unexpectedMessage: 10,
  badRecordMac: 20,
  recordOverflow: 22,
  illegalParameter: 47,
  decodeError: 50,
  internalError: 80,
  userCanceled: 90,
} as const;

const NAMES: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  22: 'record_overflow',
  40: 'handshake_failure',
  47: 'illegal_parameter',
  50: 'decode_error',
  51: 'decrypt_error',
  80: 'internal_error',
  90: 'user_canceled',
};

const WARNING = 1;
const FATAL = 2;

/** The content of an alert's record. */
export function alertContent(description: number): Buffer {
  const isClosing = description === ALERTS.closeNotify || description === ALERTS.userCanceled;
  return Buffer.from([isClosing ? WARNING : FATAL, description]);
}

/** An error for a connection that an alert has ended. */
export function alertError(description: number, isOurs: boolean): Error {
  const name = NAMES[description] ?? `alert ${description}`;
  const message = isOurs ? `the peer broke TLS: ${name}` : `the peer ended TLS: ${name}`;
  return Object.assign(new Error(message), { code: 'TLS_ALERT' });
}
