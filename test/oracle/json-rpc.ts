import { connect, type Socket } from 'node:net';
import { once, within } from '../support/waits.ts';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Message {
  readonly id: number | string | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** JSON-RPC 1.0 on a stream, as the programs of Open vSwitch speak it: messages follow each other without a separator. */
export class JsonRpc {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #rest = '';
  /** Where the search for the end of the message goes on: position, depth of braces, whether it is in a string. */
  #at = 0;
  #depth = 0;
  #isInString = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    socket.on('error', () => undefined).on('close', () => this.#ended());
  }

  static async open(path: string): Promise<JsonRpc> {
    const socket = connect(path);
    await once(socket, 'connect');
    return new JsonRpc(socket);
  }

  call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#socket.write(JSON.stringify({ method, params, id }));
    return within(answer, () => `answer to ${method} ${JSON.stringify(params).slice(0, 300)}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#rest += text;
    for (; this.#at < this.#rest.length; this.#at++) {
      const character = this.#rest[this.#at];
      if (this.#isInString) {
        if (character === '\\') this.#at++;
        else if (character === '"') this.#isInString = false;
      } else if (character === '"') this.#isInString = true;
      else if (character === '{') this.#depth++;
      else if (character === '}' && --this.#depth === 0) {
        const message = JSON.parse(this.#rest.slice(0, this.#at + 1)) as Message;
        this.#rest = this.#rest.slice(this.#at + 1);
        this.#at = -1;
        this.#receive(message);
      }
    }
  }

  #receive({ id, method, params, result, error }: Message): void {
    if (method === 'echo') {
      this.#socket.write(JSON.stringify({ id, result: params, error: null }));
      return;
    }
    const waiting = this.#waiting.get(Number(id));
    this.#waiting.delete(Number(id));
    if (error === null || error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(typeof error === 'string' ? error : JSON.stringify(error)));
  }

  #ended(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the program has closed the connection'));
    this.#waiting.clear();
  }
}
