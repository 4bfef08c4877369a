import { EtherwsError } from '../errors.ts';

/**
 * JSON-RPC 2.0 by the bytes: one body in, one body out. It knows no method and
 * no transport. The codes are those of etherws 1.x: whatever an operation fails
 * for is -32602, and `data` is always there and always a text.
 */

export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
/** Bad parameters, and every failure of an operation. */
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;

/** More calls in one batch are refused: each may cost as much as a request of its own. */
export const MOST_CALLS = 100;
/** A batch whose answers are longer than this gets no further ones: a short request must not ask for gigabytes. */
const MOST_ANSWER_CHARACTERS = 16 * 1024 * 1024;

/** @returns what goes out as `result`. An EtherwsError tells the caller what failed, any other error nothing. */
export type Method = (params: unknown) => unknown;

/** Methods by their full names. Must have no prototype, or `constructor` would be a method. */
export type MethodMap = Readonly<Record<string, Method>>;

export interface JsonRpcError {
  readonly code: number;
  readonly message: string;
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

  constructor(code: number, message: string, data: string) {
    super(message);
    this.error = { code, message, data };
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
    return errorBody({ code: PARSE_ERROR, message: 'The body is not JSON', data: messageOf(error) });
  }
  if (!Array.isArray(request)) return answerCall(request, methods, report);
  if (request.length === 0 || request.length > MOST_CALLS) {
    const data = `A batch has 1 to ${MOST_CALLS} calls, this one has ${request.length}`;
    return errorBody({ code: INVALID_REQUEST, message: 'The size of the batch is wrong', data });
  }
  return answerBatch(request, methods, report);
}

/** The whole body of an answer to no call in particular. */
export function errorBody(error: JsonRpcError, id: Id = null): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error });
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
    throw new Refusal(INVALID_PARAMS, 'The answers to this batch are too long', 'This call was not run; send fewer');
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
      throw new Refusal(METHOD_NOT_FOUND, 'There is no such method', `${shorten(name)}; ${suggestion(methods)}`);
    }
    const result = await method(fields.params);
    return isNotification ? undefined : JSON.stringify({ jsonrpc: '2.0', id, result: result ?? null });
  } catch (error) {
    if (!(error instanceof Refusal) && !(error instanceof EtherwsError)) report(error, name);
    return isNotification ? undefined : errorBody(errorOf(error), id);
  }
}

function callFields(call: unknown): Call {
  if (typeof call === 'object' && call !== null && !Array.isArray(call)) return call;
  throw new Refusal(INVALID_REQUEST, 'A call must be an object', 'Send {"jsonrpc": "2.0", "id": …, "method": …}');
}

/** An id goes back as it came, so a number that JavaScript cannot hold exactly is refused. */
function idOf(fields: Call): Id {
  const { id = null } = fields;
  if (id === null || typeof id === 'string') return id;
  if (typeof id === 'number' && Number.isFinite(id) && Math.abs(id) <= Number.MAX_SAFE_INTEGER) return id;
  throw new Refusal(INVALID_REQUEST, 'The id is of no use', 'It must be a text, null, or a number below 2^53');
}

function methodName(fields: Call): string {
  if (fields.jsonrpc !== '2.0') {
    throw new Refusal(INVALID_REQUEST, 'The call is not JSON-RPC 2.0', 'Its member jsonrpc must be "2.0"');
  }
  if (typeof fields.method === 'string') return fields.method;
  throw new Refusal(INVALID_REQUEST, 'The call has no method', 'Its member method must be a text');
}

function errorOf(error: unknown): JsonRpcError {
  if (error instanceof Refusal) return error.error;
  if (error instanceof EtherwsError) {
    const detail = error.hint ?? systemMessage(error.cause);
    const data = detail === undefined ? error.code : `${error.code}: ${detail}`;
    return { code: INVALID_PARAMS, message: error.message, data };
  }
  return { code: INTERNAL_ERROR, message: 'The switch failed unexpectedly', data: 'Its log says more' };
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
