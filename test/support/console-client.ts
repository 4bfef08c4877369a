import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { type Answer, ask } from './http.ts';
import { onceAny } from './waits.ts';

/** What a browser does at the console, by plain requests. It keeps the cookie. */
export class ConsoleClient {
  readonly port: number;
  /** as in `Host` */
  readonly host: string;
  /** `NAME=VALUE` */
  cookie: string | undefined;

  constructor(port: number, { host, cookie }: { host?: string; cookie?: string | undefined } = {}) {
    this.port = port;
    this.host = host ?? `localhost:${port}`;
    this.cookie = cookie;
  }

  async login(document: object | string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const body = typeof document === 'string' ? document : JSON.stringify(document);
    const answer = await this.post('login', body, headers);
    this.cookie = cookieOf(answer)?.split(';', 1)[0] ?? this.cookie;
    return answer;
  }

  post(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const own = { Origin: `http://${this.host}`, 'Content-Type': 'application/json' };
    return this.#ask({ path, method: 'POST', headers: { ...own, ...headers } }, body);
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
    return this.#ask({ path, method, headers });
  }

  /** Opens `console/live`. @returns the WebSocket, or the status of the refusal */
  async live(headers: Readonly<Record<string, string>> = {}): Promise<WebSocket | number> {
    const own = { Host: this.host, Origin: `http://${this.host}`, ...this.#cookie, ...headers };
    const socket = new WebSocket(`ws://localhost:${this.port}/console/live`, { headers: own });
    socket.on('error', () => undefined);
    const [, refused] = (await onceAny(socket, ['open', 'unexpected-response'])) as [unknown?, IncomingMessage?];
    if (refused === undefined) return socket;
    socket.terminate();
    return refused.statusCode ?? 0;
  }

  get #cookie(): Record<string, string> {
    return this.cookie === undefined ? {} : { Cookie: this.cookie };
  }

  #ask(
    { path, method, headers }: { path: string; method: string; headers: Readonly<Record<string, string>> },
    body?: string,
  ): Promise<Answer> {
    const all = { Host: this.host, ...this.#cookie, ...headers };
    return ask({ host: 'localhost', port: this.port, path: `/console/${path}`, method, headers: all }, body);
  }
}

/** The `Set-Cookie` of a response. */
export function cookieOf({ headers }: Answer): string | undefined {
  return headers['set-cookie']?.[0];
}
