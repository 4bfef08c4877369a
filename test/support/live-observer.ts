import type { TestContext } from 'node:test';
import WebSocket, { type ClientOptions } from 'ws';
import { type Observed, ObservedTable } from '../../src/control/live/observed-table.ts';
import type { TableName } from '../../src/control/live/table-keys.ts';
import { once, until } from './waits.ts';

interface Message {
  readonly id?: number;
  readonly result?: { readonly entries: readonly object[] };
  readonly error?: { readonly data: string };
  readonly params?: Observed;
}

/** A WebSocket to a control API, with the tables that it observes. */
export class LiveObserver {
  readonly webSocket: WebSocket;
  readonly pieces: Observed[] = [];
  readonly #tables = new Map<TableName, ObservedTable>();
  readonly #answers = new Map<number, Message>();
  #calls = 0;

  private constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    webSocket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.id !== undefined) this.#answers.set(message.id, message);
      if (message.params?.table === undefined) return;
      this.pieces.push(message.params);
      this.table(message.params.table).apply(message.params);
    });
  }

  /** @param url `ws://…` */
  static async dial(t: TestContext, url: string, options: ClientOptions = {}): Promise<LiveObserver> {
    const webSocket = new WebSocket(url, options);
    t.after(() => webSocket.terminate());
    const observer = new LiveObserver(webSocket);
    await once(webSocket, 'open');
    return observer;
  }

  table(name: TableName): ObservedTable {
    const table = this.#tables.get(name) ?? new ObservedTable(name);
    this.#tables.set(name, table);
    return table;
  }

  /** @returns the entries of the result, or the text of the error */
  async call(method: string, params: object = {}): Promise<readonly object[] | string> {
    const id = ++this.#calls;
    this.webSocket.send(JSON.stringify({ jsonrpc: '2.0', id, method: `etherws.control.${method}`, params }));
    await until(() => this.#answers.has(id));
    const { result, error } = this.#answers.get(id) as Message;
    return result?.entries ?? error?.data ?? '';
  }
}
