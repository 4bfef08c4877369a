import { type ErrorCode, EtherwsError } from '../errors.ts';
import { type ControlAddress, controlFailure } from './control-address.ts';

/** The JSON-RPC error of a call that failed at the switch: `code`, the fixed `message` of the code, and the reason in `data`. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly code: number;
  readonly data: string;

  constructor(code: number, message: string, data: string) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** A JSON-RPC response. */
interface Answer {
  readonly id: unknown;
  readonly result: unknown;
  readonly error: ControlError | undefined;
}

/**
 * The result in the body of a response with status 200.
 * @throws ControlError if it is a JSON-RPC error
 * @throws EtherwsError CONTROL_FAILED if it is no response to call `id`
 */
export function resultOf(body: string, id: number, address: ControlAddress): unknown {
  const answer = readAnswer(body);
  if (answer === undefined) {
    throw controlFailure(
      address,
      'did not answer in JSON-RPC',
      'Check the path of --ctlurl against --ctlpath of the switch',
    );
  }
  if (answer.error !== undefined) throw answer.error;
  if (answer.id !== id) throw controlFailure(address, 'answered another call', 'Does a proxy cache it?');
  return answer.result;
}

/** `CODE: message. hint`, the format of `data`. */
const SAID = /^[A-Z_]+: (.*?)(?:\. (.*))?$/s;

/** Explains a response with another status, by the switch's error if the body has one. */
export function rejectionOf(status: number, body: string, address: ControlAddress): EtherwsError {
  const said = readAnswer(body)?.error;
  const { code, message, hint } = reading(status, address);
  if (said === undefined) return new EtherwsError(code, message, { hint });
  const [, ownMessage = message, ownHint = hint] = SAID.exec(said.data) ?? [];
  return new EtherwsError(code, ownMessage, { hint: ownHint, cause: said });
}

function reading(status: number, address: ControlAddress): { code: ErrorCode; message: string; hint: string } {
  const { url } = address;
  if (status === 401) {
    const hint = 'Give them with --ctluser and --ctlpasswd';
    return { code: 'AUTH_FAILED', message: `${url} wants another user or password`, hint };
  }
  if (status === 404) {
    const hint = 'Check the path of --ctlurl against --ctlpath of the switch';
    return { code: 'CONTROL_FAILED', message: `There is no control API at ${url} (HTTP 404)`, hint };
  }
  if (status >= 300 && status < 400) {
    return { code: 'CONTROL_FAILED', message: `${url} leads elsewhere (HTTP ${status})`, hint: 'Check --ctlurl' };
  }
  if (status === 503) {
    return { code: 'AUTH_BUSY', message: `${url} is too busy (HTTP 503)`, hint: 'Try again in a moment' };
  }
  const hint = 'Check --ctlurl, and what a proxy in between allows';
  return { code: 'REQUEST_REFUSED', message: `${url} refused the request (HTTP ${status})`, hint };
}

function readAnswer(body: string): Answer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value.jsonrpc !== '2.0') return undefined;
  const { id, result, error } = value;
  if (!isObject(error)) return result === undefined ? undefined : { id, result, error: undefined };
  const { code, message, data } = error;
  if (typeof code !== 'number' || typeof message !== 'string') return undefined;
  return { id, result, error: new ControlError(code, message, typeof data === 'string' ? data : '') };
}

/** The members that are read; their types are not checked yet. */
interface Members {
  readonly jsonrpc?: unknown;
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly data?: unknown;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
