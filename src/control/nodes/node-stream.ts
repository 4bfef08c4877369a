import { createHash } from 'node:crypto';
import { ERROR_CODES, type ErrorCode, EtherwsError } from '../../errors.ts';
import { ControlError } from '../control-answer.ts';
import type { StreamListener } from '../control-stream.ts';

/**
 * Streams of the control API from one node of a cluster to another, or between the processes of a service: a WebSocket of
 * their own beside the mesh tunnels, so that neither frames nor events go through the store.
 */

/** The methods that a node calls at another one by a stream. */
export const STREAM_METHODS = ['capture', 'endCapture', 'subscribe', 'observe', 'unobserve'] as const;

/** The caller for which a node asks another one, with what the asking node has found that the caller may do. */
export interface StreamCaller {
  /** null where no credentials are required */
  readonly user: string | null;
  /** the networks that it may reach; null: all, and the switch itself */
  readonly networks: readonly string[] | null;
}

/** An open stream; `ControlStream` is one. */
export interface NodeStream {
  /** of the first call */
  readonly result: unknown;
  call(method: string, params?: object): void;
  /** Stops reading until `resume`, so that TCP holds the other node back. */
  pause(): void;
  resume(): void;
  /** Hands on at once what waits, for a process that stops. */
  flush?(): void;
  /** Ends the stream. The listener is not called any more. */
  end(): void;
}

/**
 * Opens a stream to another node and makes its first call.
 * @throws EtherwsError that of the call, or why the node cannot be reached
 */
export type OpenNodeStream = (
  node: string,
  caller: StreamCaller,
  method: (typeof STREAM_METHODS)[number],
  params: object,
  listener: StreamListener,
) => Promise<NodeStream>;

/** The header field with the caller, as JSON in base64url. */
export const CALLER_FIELD = 'Etherws-Caller';
const MOST_CHARACTERS = 8192;

/** @throws EtherwsError REQUEST_REFUSED for a caller with more networks than a header field takes */
export function fieldOfCaller({ user, networks }: StreamCaller): string {
  const field = Buffer.from(JSON.stringify([user, networks])).toString('base64url');
  if (field.length <= MOST_CHARACTERS) return field;
  throw new EtherwsError('REQUEST_REFUSED', 'The policy names more networks of this user than another node is told', {
    hint: 'Ask the nodes themselves, with --ctlurl',
  });
}

/** @returns undefined for what no node writes */
export function callerOfField(field: unknown): StreamCaller | undefined {
  if (typeof field !== 'string' || field.length > MOST_CHARACTERS) return undefined;
  try {
    const [user, networks] = JSON.parse(Buffer.from(field, 'base64url').toString()) as readonly unknown[];
    const isText = (value: unknown): value is string => typeof value === 'string';
    if (user !== null && !isText(user)) return undefined;
    if (networks === null) return { user, networks };
    return Array.isArray(networks) && networks.every(isText) ? { user, networks } : undefined;
  } catch {
    return undefined;
  }
}

/** What the proof of the asking node says: it is good for this caller only. No network has this name. */
export function streamClaim(field: string): string {
  return `stream for ${createHash('sha256').update(field).digest('base64url')}`;
}

/** `CODE: message. hint`, as `ControlError.data` has it. */
const SAID = /^([A-Z_]+): (.*?)(?:\. (.*))?$/s;

/** An error of another node as one of this node. */
export function errorOfNode(error: unknown): unknown {
  if (!(error instanceof ControlError)) return error;
  const [, code = 'REQUEST_REFUSED', message = error.data, hint] = SAID.exec(error.data) ?? [];
  const isKnown = (ERROR_CODES as readonly string[]).includes(code);
  return new EtherwsError(isKnown ? (code as ErrorCode) : 'REQUEST_REFUSED', message, {
    ...(hint === undefined ? {} : { hint }),
  });
}
