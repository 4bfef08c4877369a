import { EtherwsError } from '../errors.ts';
import { closestWord } from '../schema/closest-word.ts';

/**
 * JSON-RPC 2.0 without a transport: the body of a request in, the body of a response
 * out. Codes and messages are those of etherws 1.x: every failure of an
 * operation is -32602 "Invalid params", and `data` says what failed. `data` is
 * always present and a text.
 */

export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
/** Bad parameters, and every failure of an operation. */
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;

type ErrorNumber =
  | typeof PARSE_ERROR
  | typeof INVALID_REQUEST
  | typeof METHOD_NOT_FOUND
  | typeof INVALID_PARAMS
  | typeof INTERNAL_ERROR;

/** The fixed message of each code (JSON-RPC 2.0, 5.1). Callers compare it. */
const MESSAGES: Readonly<Record<ErrorNumber, string>> = {
  [PARSE_ERROR]: 'Parse error',
  [INVALID_REQUEST]: 'Invalid Request',
  [METHOD_NOT_FOUND]: 'Method not found',
  [INVALID_PARAMS]: 'Invalid params',
  [INTERNAL_ERROR]: 'Internal error',
};

/** The most calls of a batch: each may take as much time as a single request. */
export const MOST_CALLS = 100;
/** After so many characters of results the rest of a batch is not run: a short request must not cause gigabytes. */
const MOST_ANSWER_CHARACTERS = 16 * 1024 * 1024;

/** @returns the `result`. The caller gets the message of an EtherwsError; of any other error it gets only INTERNAL_ERROR. */
export type Method = (params: unknown) => unknown;

/** Methods by their full names. It must have no prototype; otherwise `constructor` would be a method. */
export type MethodMap = Readonly<Record<string, Method>>;

interface JsonRpcError {
  readonly code: ErrorNumber;
  /** the error's code, what failed, and what to try */
  readonly data: string;
}

type Id = string | number | null;

/** The members of a call that are read; their types are not checked yet. */
interface Call {
  readonly jsonrpc?: unknown;
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

/** Thrown for a call that cannot be run. */
class Refusal extends Error {
  readonly error: JsonRpcError;

  constructor(code: ErrorNumber, data: string) {
    super(data);
    this.error = { code, data };
  }
}

/**
 * Runs the call or the batch in `body`, one call after the other. Never rejects.
 * @param report called with unexpected errors, whose messages the caller does not get
 * @returns the body of the response; undefined if all calls were notifications, which have none
 */
export async function answer(
  body: Uint8Array,
  methods: MethodMap,
  report: (error: unknown, method: string) => void,
): Promise<string | undefined> {
  let request: unknown;
  try {
    request = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    return errorBody(PARSE_ERROR, `The body is not JSON: ${messageOf(error)}`);
  }
  if (!Array.isArray(request)) return answerCall(request, methods, report);
  if (request.length === 0 || request.length > MOST_CALLS) {
    const data = `A batch has 1 to ${MOST_CALLS} calls, this one has ${request.length}`;
    return errorBody(INVALID_REQUEST, data);
  }
  return answerBatch(request, methods, report);
}

/**
 * The body of an error response.
 * @param id null for an error of the whole request
 */
export function errorBody(code: ErrorNumber, data: string, id: Id = null): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: MESSAGES[code], data } });
}

async function answerBatch(
  calls: readonly unknown[],
  methods: MethodMap,
  report: (error: unknown, method: string) => void,
): Promise<string | undefined> {
  const answers: string[] = [];
  let characters = 0;
  for (const call of calls) {
    const isFull = characters > MOST_ANSWER_CHARACTERS;
    const text = await answerCall(call, isFull ? REFUSE_ALL : methods, report);
    if (text === undefined) continue;
    answers.push(text);
    characters += text.length;
  }
  return answers.length === 0 ? undefined : `[${answers.join(',')}]`;
}

const REFUSE_ALL: MethodMap = new Proxy<Record<string, Method>>(Object.create(null), {
  get: () => () => {
    throw new Refusal(INVALID_PARAMS, 'The answers to this batch are too long. This call was not run; send fewer');
  },
});

async function answerCall(
  call: unknown,
  methods: MethodMap,
  report: (error: unknown, method: string) => void,
): Promise<string | undefined> {
  let id: Id = null;
  let isNotification = false;
  let name = '';
  try {
    const fields = callFields(call);
    id = idOf(fields);
    name = methodName(fields);
    isNotification = !Object.hasOwn(fields, 'id');
    const method = methods[name];
    if (method === undefined) {
      throw new Refusal(
        METHOD_NOT_FOUND,
        `There is no method ${shorten(name)}; ${suggestion(name, Object.keys(methods))}`,
      );
    }
    const result = await method(fields.params);
    return isNotification ? undefined : JSON.stringify({ jsonrpc: '2.0', id, result: result ?? null });
  } catch (error) {
    if (!(error instanceof Refusal) && !(error instanceof EtherwsError)) report(error, name);
    const { code, data } = errorOf(error);
    return isNotification ? undefined : errorBody(code, data, id);
  }
}

function callFields(call: unknown): Call {
  if (typeof call === 'object' && call !== null && !Array.isArray(call)) return call;
  throw new Refusal(INVALID_REQUEST, 'A call must be an object. Send {"jsonrpc": "2.0", "id": …, "method": …}');
}

/** The id is returned unchanged, so a number that JavaScript cannot represent exactly is refused. */
function idOf(fields: Call): Id {
  const { id = null } = fields;
  if (id === null || typeof id === 'string') return id;
  if (typeof id === 'number' && Number.isFinite(id) && Math.abs(id) <= Number.MAX_SAFE_INTEGER) return id;
  throw new Refusal(INVALID_REQUEST, 'The id must be a text, null, or a number below 2^53');
}

function methodName(fields: Call): string {
  if (fields.jsonrpc !== '2.0') {
    throw new Refusal(INVALID_REQUEST, 'The call is not JSON-RPC 2.0: its member jsonrpc must be "2.0"');
  }
  if (typeof fields.method === 'string') return fields.method;
  throw new Refusal(INVALID_REQUEST, 'The call has no method: its member method must be a text');
}

function errorOf(error: unknown): JsonRpcError {
  if (error instanceof Refusal) return error.error;
  if (error instanceof EtherwsError) {
    const detail = error.hint ?? systemMessage(error.cause);
    const sentences = detail === undefined ? error.message : `${error.message}. ${detail}`;
    return { code: INVALID_PARAMS, data: `${error.code}: ${sentences}` };
  }
  return { code: INTERNAL_ERROR, data: 'The switch failed unexpectedly. Its log says more' };
}

/** The message of a system error, such as `ENODEV: no such device`; undefined for other causes. */
function systemMessage(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.message : undefined;
}

/** The name that was probably meant; else all of them, with their common prefix once. */
function suggestion(name: string, known: readonly string[]): string {
  const meant = closestWord(name, known);
  if (meant !== undefined) return `did you mean ${meant}?`;
  const [first = ''] = known;
  const prefix = first.slice(0, first.lastIndexOf('.') + 1);
  if (prefix === '' || !known.every((one) => one.startsWith(prefix))) return `there are ${known.join(', ')}`;
  return `behind ${prefix} there are ${known.map((one) => one.slice(prefix.length)).join(', ')}`;
}

function shorten(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}...` : name);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
