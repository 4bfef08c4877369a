import { connect } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import WebSocket, { type RawData } from 'ws';
import { linkLocalFault } from '../net/link-local.ts';
import { explainCallFailure } from './call-failure.ts';
import { type ControlAddress, controlFailure } from './control-address.ts';
import { rejectionOf, resultOf } from './control-answer.ts';
import { METHOD_PREFIX } from './entries.ts';
import type { ParamsOf } from './schema.ts';

/** An event of a switch, or `lost`, which says how many were left out in front of the next one. */
export interface WatchedEvent {
  readonly event: string;
  readonly sequence: number;
  readonly time: string;
  readonly [fact: string]: unknown;
}

export interface EventStreamOptions {
  readonly address: ControlAddress;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ConnectionOptions;
  /** How long the subscription may take to stand. */
  readonly timeoutMs: number;
  readonly params: ParamsOf<'subscribe'>;
  readonly onEvent: (event: WatchedEvent) => void;
  readonly onEnd: (error: Error) => void;
}

/** The longest message that is read: one event is far below. */
const MOST_MESSAGE_BYTES = 1024 * 1024;
/** Bound of what is read of a refusal. */
const MOST_REFUSAL_BYTES = 64 * 1024;
const SUBSCRIPTION_ID = 1;

/**
 * Opens a WebSocket to a control API and subscribes there. Loaded only where events are watched.
 * @returns ends it
 * @throws ControlError, EtherwsError as `ControlClient.call`
 */
export async function openEventStream(options: EventStreamOptions): Promise<() => void> {
  const { address, params, onEvent, onEnd } = options;
  const fault = linkLocalFault(address.host);
  if (fault !== undefined) throw explainCallFailure(fault, address);
  const webSocket = openWebSocket(options);
  let hasEnded = false;
  let isSubscribed = false;
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      if (hasEnded) return;
      hasEnded = true;
      webSocket.terminate();
      if (isSubscribed) onEnd(error);
      else reject(error);
    };
    webSocket.once('unexpected-response', (_request, response) => {
      const pieces: Uint8Array[] = [];
      let bytes = 0;
      response.on('data', (piece: Uint8Array) => {
        bytes += piece.byteLength;
        if (bytes <= MOST_REFUSAL_BYTES) pieces.push(piece);
      });
      response.once('close', () => {
        fail(rejectionOf(response.statusCode ?? 0, Buffer.concat(pieces).toString('utf8'), address));
      });
    });
    webSocket.on('error', (error) => fail(explainCallFailure(error, address)));
    webSocket.once('open', () => {
      const call = { jsonrpc: '2.0', id: SUBSCRIPTION_ID, method: `${METHOD_PREFIX}subscribe`, params };
      webSocket.send(JSON.stringify(call));
    });
    webSocket.on('message', (data: RawData) => {
      const text = String(data);
      try {
        const event = isSubscribed ? eventIn(text) : undefined;
        if (event !== undefined) onEvent(event);
        if (isSubscribed) return;
        resultOf(text, SUBSCRIPTION_ID, address);
        isSubscribed = true;
        resolve();
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
    webSocket.once('close', (_code, reason) => {
      const why = reason.length === 0 ? '' : `: ${reason.toString('utf8')}`;
      fail(controlFailure(address, `has ended the connection${why}`, 'Is the switch still running?'));
    });
  });
  return () => {
    hasEnded = true;
    webSocket.close();
  };
}

function openWebSocket({ address, headers, tls, timeoutMs }: EventStreamOptions): WebSocket {
  const { isTls, host, port, path, socketPath } = address;
  const name = host.includes(':') ? `[${host.replace(/%.*$/, '')}]` : host;
  return new WebSocket(`${isTls ? 'wss' : 'ws'}://${name}:${port}${path}`, {
    ...tls,
    headers,
    handshakeTimeout: timeoutMs,
    maxPayload: MOST_MESSAGE_BYTES,
    perMessageDeflate: false,
    // ws drops the zone of a link-local address, and cannot name a Unix socket whose path has a colon.
    ...(isTls && socketPath === undefined && !host.includes('%')
      ? {}
      : { createConnection: () => connect(socketPath === undefined ? { host, port } : { path: socketPath }) }),
  });
}

/** The event that a notification carries; undefined for any other message. */
function eventIn(text: string): WatchedEvent | undefined {
  const { method, params } = JSON.parse(text) as { readonly method?: unknown; readonly params?: unknown };
  return method === `${METHOD_PREFIX}event` ? (params as WatchedEvent) : undefined;
}
