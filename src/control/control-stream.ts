import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { type RawData, WebSocket } from '../net/web-socket-library.ts';
import { explainCallFailure } from './call-failure.ts';
import { type ControlAddress, controlFailure } from './control-address.ts';
import { rejectionOf, resultOf } from './control-answer.ts';
import { METHOD_PREFIX } from './entries.ts';

export interface ControlStreamOptions {
  readonly address: ControlAddress;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ConnectionOptions;
  /** Time limit of the opening handshake, and again of the response to the first call. */
  readonly timeoutMs: number;
  /** A connection to the address on which HTTP may begin; default: one is made. It belongs to the stream. */
  readonly connection?: Socket | undefined;
  /** Called with the header of the answer 101, before a call is sent. @throws what `open` then rejects with */
  readonly accepted?: ((headers: IncomingHttpHeaders) => void) | undefined;
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
/** Time from one ping to the next. */
const PING_INTERVAL_MS = 10_000;
/** A switch that sends nothing for so many pings is taken for gone. */
const MOST_SILENT_PINGS = 2;

/** A WebSocket to a control API after its first call. Loaded only for events and captures. */
export class ControlStream {
  /** The result of the first call. */
  readonly result: unknown;
  readonly #webSocket: WebSocket;
  readonly #liveness: Liveness;
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
    const { address, timeoutMs } = options;
    const webSocket = openWebSocket(options);
    const liveness = new Liveness(webSocket);
    let answerTimer: NodeJS.Timeout | undefined;
    let state: 'opening' | 'open' | 'ended' = 'opening';
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        const former = state;
        state = 'ended';
        if (former === 'ended') return;
        clearTimeout(answerTimer);
        liveness.close();
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
      webSocket.once('upgrade', ({ headers, socket }: IncomingMessage) => {
        liveness.bytesRead = () => socket.bytesRead;
        try {
          options.accepted?.(headers);
        } catch (error) {
          fail(error instanceof Error ? error : new Error(String(error)));
        }
      });
      webSocket.once('open', () => {
        if (state !== 'opening') return;
        webSocket.send(callText(FIRST_ID, method, params));
        const silent = `did not answer ${method} within ${timeoutMs / 1000} s`;
        answerTimer = setTimeout(() => fail(controlFailure(address, silent, 'Its log may say why')), timeoutMs);
      });
      webSocket.on('message', (data: RawData, isBinary: boolean) => {
        if (state === 'ended') return;
        try {
          if (isBinary) listener.octets?.(data as Buffer);
          else if (state === 'open') hear(String(data), listener);
          else {
            const result = resultOf(String(data), FIRST_ID, address);
            clearTimeout(answerTimer);
            const end = (): void => {
              state = 'ended';
              liveness.close();
              webSocket.close();
            };
            state = 'open';
            liveness.watch((silentMs) => {
              fail(
                controlFailure(
                  address,
                  `has been silent for ${silentMs / 1000} s`,
                  'Is it still running, and reached?',
                ),
              );
            });
            resolve(new ControlStream(webSocket, liveness, result, end));
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

  private constructor(webSocket: WebSocket, liveness: Liveness, result: unknown, end: () => void) {
    this.#webSocket = webSocket;
    this.#liveness = liveness;
    this.result = result;
    this.#end = end;
  }

  /** Calls a method. Its response is ignored; the notifications that it causes go to the listener. */
  call(method: string, params: object = {}): void {
    this.#webSocket.send(callText(++this.#calls, method, params), () => undefined);
  }

  /** Stops reading until `resume`, so that TCP holds the switch back. */
  pause(): void {
    this.#liveness.isPaused = true;
    this.#webSocket.pause();
  }

  resume(): void {
    this.#liveness.isPaused = false;
    this.#webSocket.resume();
  }

  /** Ends the connection. The listener is not called any more. */
  end(): void {
    this.#end();
  }
}

/** Pings, and finds that the peer is silent: a path that breaks without a word is seen by nothing else. */
class Liveness {
  readonly #webSocket: WebSocket;
  #timer: NodeJS.Timeout | undefined;
  #silentPings = 0;
  #readBytes = 0;
  /** Of the connection: each octet is a sign of life, also in the midst of a long message. */
  bytesRead: () => number = () => 0;
  /** The caller does not read: nothing can be heard, and each look begins anew. */
  isPaused = false;

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
  }

  /** @param gone called when the peer was silent for too long, with that time */
  watch(gone: (silentMs: number) => void): void {
    this.#timer = setInterval(() => {
      const bytes = this.bytesRead();
      if (this.isPaused || bytes !== this.#readBytes) this.#silentPings = 0;
      this.#readBytes = bytes;
      if (this.isPaused) return;
      if (this.#silentPings >= MOST_SILENT_PINGS) return gone(MOST_SILENT_PINGS * PING_INTERVAL_MS);
      this.#silentPings++;
      this.#webSocket.ping();
    }, PING_INTERVAL_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function callText(id: number, method: string, params: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: `${METHOD_PREFIX}${method}`, params });
}

function hear(text: string, listener: StreamListener): void {
  const { method, params } = JSON.parse(text) as { readonly method?: unknown; readonly params?: unknown };
  if (typeof method === 'string') listener.notified(method.slice(METHOD_PREFIX.length), params);
}

function openWebSocket({ address, headers, tls, timeoutMs, connection }: ControlStreamOptions): WebSocket {
  const { isTls, host, port, path, socketPath } = address;
  const name = host.includes(':') ? `[${host.replace(/%.*$/, '')}]` : host;
  const common = { headers, handshakeTimeout: timeoutMs, maxPayload: MOST_MESSAGE_BYTES, perMessageDeflate: false };
  if (connection !== undefined) {
    return new WebSocket(`ws://${name}:${port}${path}`, { ...common, createConnection: () => connection });
  }
  return new WebSocket(`${isTls ? 'wss' : 'ws'}://${name}:${port}${path}`, {
    ...tls,
    ...common,
    // ws drops the zone of a link-local address, and cannot name a Unix socket whose path has a colon.
    ...(isTls && socketPath === undefined && !host.includes('%')
      ? {}
      : { createConnection: () => connect(socketPath === undefined ? { host, port } : { path: socketPath }) }),
  });
}
