import { type ErrorCode, EtherwsError } from '../errors.ts';
import { type ControlAddress, controlFailure } from './control-address.ts';

/** What a switch answered to a call that failed there: the JSON-RPC `code`, its fixed `message`, and what failed in `data`. */
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

/** An answer of a control API, as far as it is one. */
interface Answer {
  readonly id: unknown;
  readonly result: unknown;
  readonly error: ControlError | undefined;
}

/**
 * The result in the body of a 200.
 * @throws ControlError as the switch says
 * @throws EtherwsError CONTROL_FAILED when it is no answer to call `id`
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

/** `CODE: message. hint`, as a switch writes what failed. */
const SAID = /^[A-Z_]+: (.*?)(?:\. (.*))?$/s;

/** Why a request was turned away by HTTP: in the switch's own words where it gave some. */
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

/** The members that are looked at, each of any type or missing. */
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
