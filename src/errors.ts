/**
 * Every way in which etherws can fail for a reason that a user can act on. Each
 * code stands in docs/reference/errors.md with what to do; branch on the code, never on
 * the text. A test keeps this list and that page equal.
 */
export const ERROR_CODES = [
  'ADDON_MISSING',
  'ADDRESS_INVALID',
  'ARGUMENT_INVALID',
  'AUTH_BUSY',
  'AUTH_FAILED',
  'CERTIFICATE_INVALID',
  'CERTIFICATE_NAME_MISMATCH',
  'CERTIFICATE_PIN_MISMATCH',
  'CERTIFICATE_UNTRUSTED',
  'CONNECTION_REFUSED',
  'CONTROL_FAILED',
  'DAEMON_FAILED',
  'DESCRIPTORS_USED_UP',
  'DEVICE_BUSY',
  'DEVICE_FAILED',
  'DEVICE_NOT_FOUND',
  'FILE_UNREADABLE',
  'FILE_UNWRITABLE',
  'HANDSHAKE_REJECTED',
  'HANDSHAKE_TIMEOUT',
  'HOST_UNREACHABLE',
  'HTPASSWD_INVALID',
  'INTERFACE_UNSUPPORTED',
  'LISTEN_FAILED',
  'METHOD_FORBIDDEN',
  'NAME_UNRESOLVED',
  'NETNS_NOT_FOUND',
  'NOT_WEBSOCKET',
  'PERMISSION_DENIED',
  'POLICY_INVALID',
  'PORT_CLOSED',
  'PORT_NAME_TAKEN',
  'PORT_NOT_FOUND',
  'PORT_TYPE_UNSUPPORTED',
  'PROXY_AUTH_FAILED',
  'PROXY_FAILED',
  'PROXY_REFUSED',
  'PROXY_UNREACHABLE',
  'REQUEST_REFUSED',
  'TLS_FAILED',
  'TOKEN_KEYS_INVALID',
  'TUNNEL_FORBIDDEN',
  'TUNNEL_TO_SELF',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorDetails {
  /** The error that caused this one, kept for the debug log. */
  cause?: unknown;
  /** What the user can try, as a sentence. */
  hint?: string;
}

/**
 * An operational error: something outside the program was not as it must be.
 * `message` says what, which one, and what was got; `hint` what to try.
 * Mistakes of a programmer are `TypeError` and `RangeError` instead.
 */
export class EtherwsError extends Error {
  override readonly name = 'EtherwsError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
  }
}

/** One line for a person: the message, and the hint behind it. Never a stack trace. */
export function describeError(error: unknown): string {
  if (error instanceof EtherwsError && error.hint !== undefined) return `${error.message}. ${error.hint}`;
  return error instanceof Error ? error.message : String(error);
}

/** The `code` that Node and OpenSSL give to system errors; empty for anything else. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
