/**
 * The codes of all operational errors. docs/reference/errors.md says what to do for each.
 * Programs branch on the code, never on the text. A test keeps this list and that page
 * equal.
 */
export const ERROR_CODES = [
  'ADDON_MISSING',
  'ADDRESS_INVALID',
  'ADDRESS_UNKNOWN',
  'ARGUMENT_INVALID',
  'AUTH_BUSY',
  'AUTH_FAILED',
  'CERTIFICATE_INVALID',
  'CERTIFICATE_NAME_MISMATCH',
  'CERTIFICATE_PIN_MISMATCH',
  'CERTIFICATE_UNTRUSTED',
  'CLUSTER_CONFLICT',
  'CLUSTER_NODE_TAKEN',
  'CLUSTER_NODE_UNPROVEN',
  'CLUSTER_SECRET_INVALID',
  'CLUSTER_STORE_UNUSABLE',
  'CLUSTER_TIMEOUT',
  'CLUSTER_UNAVAILABLE',
  'CONFIG_INVALID',
  'CONNECTION_REFUSED',
  'CONSOLE_UNAVAILABLE',
  'CONTROL_FAILED',
  'DAEMON_FAILED',
  'DESCRIPTORS_USED_UP',
  'DEVICE_BUSY',
  'DEVICE_FAILED',
  'DEVICE_NOT_FOUND',
  'FDB_FULL',
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
  'NETWORK_EXISTS',
  'NETWORK_IN_USE',
  'NETWORK_NOT_FOUND',
  'NOT_WEBSOCKET',
  'PACKAGE_MISSING',
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
  'STATE_INVALID',
  'TLS_FAILED',
  'TOKEN_KEYS_INVALID',
  'TUNNEL_FORBIDDEN',
  'TUNNEL_TO_SELF',
  'UNIT_UNUSABLE',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorDetails {
  /** The error that caused this one, for the debug log. */
  cause?: unknown;
  /** What to try, as a sentence without its full stop. */
  hint?: string;
}

/**
 * An operational error: its cause is outside of the program, such as a file, a peer or an argument.
 * `message` says what failed, which one, and what was got; `hint` says what to try.
 * Programming errors are `TypeError` and `RangeError` instead.
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

/** The message and the hint on one line, without a stack trace. */
export function describeError(error: unknown): string {
  if (error instanceof EtherwsError && error.hint !== undefined) return `${error.message}. ${error.hint}`;
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of an error of Node or OpenSSL; empty for an error without one. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
