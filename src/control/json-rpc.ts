import { EtherwsError } from '../errors.ts';

/**
 * JSON-RPC 2.0 by the bytes: one body in, one body out. It knows no method and
 * no transport. Codes and messages are those of etherws 1.x: every failure of an
 * operation is -32602 "Invalid params", and what failed stands in `data`, which
 * is always there and always a text.
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

/** The only message of each code (JSON-RPC 2.0, 5.1). Callers compare it, so it never says more. */
const MESSAGES: Readonly<Record<ErrorNumber, string>> = {
  [PARSE_ERROR]: 'Parse error',
  [INVALID_REQUEST]: 'Invalid Request',
  [METHOD_NOT_FOUND]: 'Method not found',
  [INVALID_PARAMS]: 'Invalid params',
  [INTERNAL_ERROR]: 'Internal error',
};

/** More calls in one batch are refused: each may cost as much as a request of its own. */
export const MOST_CALLS = 100;
/** A batch whose answers are longer than this gets no further ones: a short request must not ask for gigabytes. */
const MOST_ANSWER_CHARACTERS = 16 * 1024 * 1024;

/** @returns what goes out as `result`. An EtherwsError tells the caller what failed, any other error nothing. */
export type Method = (params: unknown) => unknown;

/** Methods by their full names. Must have no prototype, or `constructor` would be a method. */
export type MethodMap = Readonly<Record<string, Method>>;

interface JsonRpcError {
  readonly code: ErrorNumber;
  /** what failed and what to try */
  readonly data: string;
}

type Id = string | number | null;

/** The members of a call that are looked at, each of any type or missing. */
interface Call {
  readonly jsonrpc?: unknown;
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

/** What a call that cannot be run says about itself. */
class Refusal extends Error {
  readonly error: JsonRpcError;

  constructor(code: ErrorNumber, data: string) {
    super(data);
    this.error = { code, data };
  }
}

/**
 * Runs the call or the batch in `body`, one call after the other. Never rejects.
 * @param report gets what failed unexpectedly; the caller is told only that it did
 * @returns the body of the answer; undefined when all were notifications, which get none
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
 * The whole body of an answer that is an error.
 * @param id null: to no call in particular
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
      throw new Refusal(METHOD_NOT_FOUND, `There is no method ${shorten(name)}; ${suggestion(methods)}`);
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

/** An id goes back as it came, so a number that JavaScript cannot hold exactly is refused. */
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

/** What the system said, such as `ENODEV: no such device`; other causes are our own affair. */
function systemMessage(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.message : undefined;
}

function suggestion(methods: MethodMap): string {
  return `there are ${Object.keys(methods).join(', ')}`;
}

function shorten(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}...` : name);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
