import { type Signal, signal } from '@preact/signals';
import { CallFailure, failureOf, type RpcError } from './call-failure.ts';
import type { EtherwsNotification } from './notification.ts';

/*
 * The WebSocket to the switch: JSON-RPC calls of the control API, and notifications. It is opened again when it is lost, with
 * a growing pause, and says when.
 */

export type ConnectionState = 'connecting' | 'open' | 'lost';

/** An entry of a result, whose type the caller knows from src/control. */
export type Entry = Readonly<Record<string, unknown>>;

type Listener = (notification: EtherwsNotification) => void;

interface Waiting {
  readonly resolve: (entries: Entry[]) => void;
  readonly reject: (error: Error) => void;
}

interface Response {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Entry;
  readonly result?: { readonly entries?: Entry[] };
  readonly error?: RpcError;
}

export const METHOD_PREFIX = 'etherws.control.';
/** Pauses before another attempt, in ms; the last one is repeated. */
const PAUSES_MS = [500, 1000, 2000, 3000, 5000, 10_000];

export class Connection {
  readonly state: Signal<ConnectionState> = signal('connecting');
  /** the time of the next attempt, in ms of `Date.now()`; 0: none is planned */
  readonly retryAtMs: Signal<number> = signal(0);
  readonly #url: () => URL;
  readonly #mayRetry: () => Promise<boolean>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<Listener>();
  readonly #openers = new Set<() => void>();
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  #lastId = 0;

  /**
   * @param url where the WebSocket is
   * @param mayRetry asked before each further attempt: whether the session still holds. It may reject if the switch does not
   * answer.
   */
  constructor(url: () => URL, mayRetry: () => Promise<boolean> = () => Promise.resolve(true)) {
    this.#url = url;
    this.#mayRetry = mayRetry;
  }

  open(): void {
    if (this.#socket !== undefined) return;
    clearTimeout(this.#timer);
    this.retryAtMs.value = 0;
    if (this.state.value !== 'lost') this.state.value = 'connecting';
    const socket = new WebSocket(this.#url());
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#attempts = 0;
      this.state.value = 'open';
      for (const opener of this.#openers) opener();
    });
    socket.addEventListener('message', ({ data }) => this.#received(String(data)));
    socket.addEventListener('close', () => {
      if (this.#socket === socket) this.#lost();
    });
  }

  /** Ends the connection for good, until `open`. */
  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    clearTimeout(this.#timer);
    this.retryAtMs.value = 0;
    this.#attempts = 0;
    this.state.value = 'connecting';
    this.#failAll();
    socket?.close();
  }

  /** Tries at once instead of at `retryAtMs`. */
  retryNow(): void {
    if (this.state.value === 'lost' && this.#socket === undefined) void this.#retry();
  }

  /**
   * Calls a method, named without prefix.
   * @returns the entries of its result
   * @throws CallFailure if the switch refuses it, or the connection is lost before the answer
   */
  call<E = Entry>(method: string, params: object = {}): Promise<E[]> {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.reject(notConnected());
    const id = ++this.#lastId;
    return new Promise<E[]>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as unknown as Waiting['resolve'], reject });
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: METHOD_PREFIX + method, params }));
    });
  }

  /** Hands all notifications to `listener`. @returns ends that */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls `opener` each time the connection stands, and at once if it does. @returns ends that */
  whenOpen(opener: () => void): () => void {
    this.#openers.add(opener);
    if (this.state.value === 'open') opener();
    return () => void this.#openers.delete(opener);
  }

  #received(text: string): void {
    const message = JSON.parse(text) as Response;
    if (message.method !== undefined) {
      const notification = { method: message.method, params: message.params ?? {} };
      for (const listener of this.#listeners) listener(notification);
      return;
    }
    const waiting = this.#waiting.get(message.id ?? -1);
    this.#waiting.delete(message.id ?? -1);
    const { error } = message;
    if (error === undefined) waiting?.resolve(message.result?.entries ?? []);
    else waiting?.reject(failureOf(error));
  }

  #lost(): void {
    this.#socket = undefined;
    this.state.value = 'lost';
    this.#failAll();
    const pauseMs = PAUSES_MS[Math.min(this.#attempts++, PAUSES_MS.length - 1)] ?? 0;
    this.retryAtMs.value = Date.now() + pauseMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#retry(), pauseMs);
  }

  /** Without a session the page shows the login, and opens the connection again after it. */
  async #retry(): Promise<void> {
    clearTimeout(this.#timer);
    this.retryAtMs.value = 0;
    try {
      if (await this.#mayRetry()) this.open();
    } catch {
      this.#lost();
    }
  }

  #failAll(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(notConnected());
  }
}

function notConnected(): CallFailure {
  return new CallFailure('The connection to the switch is lost', 'NOT_CONNECTED', 'Try again when it stands');
}
