import { connect } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import WebSocket, { type RawData } from 'ws';
import { explainCallFailure } from './call-failure.ts';
import { type ControlAddress, controlFailure } from './control-address.ts';
import { rejectionOf, resultOf } from './control-answer.ts';
import { METHOD_PREFIX } from './entries.ts';

export interface ControlStreamOptions {
  readonly address: ControlAddress;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ConnectionOptions;
  /** Time limit of the opening handshake. */
  readonly timeoutMs: number;
}

/** Gets everything that follows the response to the first call. */
export interface StreamListener {
  /** @param method without prefix */
  notified(method: string, params: unknown): void;
  /** A binary message. */
  octets?(octets: Uint8Array): void;
  /** Called once, with the reason, when the connection ends without `end`. */
  ended(error: Error): void;
}

/** Limit of a message; those of a switch are far shorter. */
const MOST_MESSAGE_BYTES = 1024 * 1024;
/** Limit of the octets that are read of a refusal. */
const MOST_REFUSAL_BYTES = 64 * 1024;
const FIRST_ID = 1;

/** A WebSocket to a control API after its first call. Loaded only for events and captures. */
export class ControlStream {
  /** The result of the first call. */
  readonly result: unknown;
  readonly #webSocket: WebSocket;
  readonly #end: () => void;
  #calls = FIRST_ID;

  /**
   * @param method of the first call, without prefix
   * @throws ControlError, EtherwsError as `ControlClient.call`
   */
  static open(
    options: ControlStreamOptions,
    method: string,
    params: object,
    listener: StreamListener,
  ): Promise<ControlStream> {
    const { address } = options;
    const webSocket = openWebSocket(options);
    let state: 'opening' | 'open' | 'ended' = 'opening';
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        const former = state;
        state = 'ended';
        if (former === 'ended') return;
        webSocket.terminate();
        if (former === 'open') listener.ended(error);
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
      webSocket.once('open', () => webSocket.send(callText(FIRST_ID, method, params)));
      webSocket.on('message', (data: RawData, isBinary: boolean) => {
        if (state === 'ended') return;
        try {
          if (isBinary) listener.octets?.(data as Buffer);
          else if (state === 'open') hear(String(data), listener);
          else {
            const result = resultOf(String(data), FIRST_ID, address);
            const end = (): void => {
              state = 'ended';
              webSocket.close();
            };
            state = 'open';
            resolve(new ControlStream(webSocket, result, end));
          }
        } catch (error) {
          fail(error instanceof Error ? error : new Error(String(error)));
        }
      });
      webSocket.once('close', (_code, reason) => {
        const why = reason.length === 0 ? '' : `: ${reason.toString('utf8')}`;
        fail(controlFailure(address, `has ended the connection${why}`, 'Is the switch still running?'));
      });
    });
  }

  private constructor(webSocket: WebSocket, result: unknown, end: () => void) {
    this.#webSocket = webSocket;
    this.result = result;
    this.#end = end;
  }

  /** Calls a method. Its response is ignored; the notifications that it causes go to the listener. */
  call(method: string, params: object = {}): void {
    this.#webSocket.send(callText(++this.#calls, method, params), () => undefined);
  }

  /** Stops reading until `resume`, so that TCP holds the switch back. */
  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  /** Ends the connection. The listener is not called any more. */
  end(): void {
    this.#end();
  }
}

function callText(id: number, method: string, params: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: `${METHOD_PREFIX}${method}`, params });
}

function hear(text: string, listener: StreamListener): void {
  const { method, params } = JSON.parse(text) as { readonly method?: unknown; readonly params?: unknown };
  if (typeof method === 'string') listener.notified(method.slice(METHOD_PREFIX.length), params);
}

function openWebSocket({ address, headers, tls, timeoutMs }: ControlStreamOptions): WebSocket {
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
