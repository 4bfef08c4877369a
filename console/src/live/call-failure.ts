/** The switch has refused a call. `code` is one of docs/reference/errors.md. */
export class CallFailure extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(message: string, code: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** The error of a JSON-RPC response. */
export interface RpcError {
  readonly message: string;
  /** what failed, as the switch says it */
  readonly data?: unknown;
}

/** `CODE: what failed. what to try`, the format of `data`; the message of the error is always the same. */
const SAID = /^([A-Z][A-Z0-9_]*): (.*?)(?:\. (.*))?$/s;

export function failureOf({ message, data }: RpcError): CallFailure {
  const [, code = 'UNKNOWN', sentence, hint] = SAID.exec(typeof data === 'string' ? data : '') ?? [];
  return new CallFailure(sentence ?? (typeof data === 'string' && data !== '' ? data : message), code, hint);
}
