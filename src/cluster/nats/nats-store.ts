import { jetstream } from '@nats-io/jetstream';
import {
  createInbox,
  headers,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
  type Subscription,
} from '@nats-io/transport-node';
import type { EtherwsError } from '../../errors.ts';
import { type Logger, SILENT } from '../../observability/logger.ts';
import { type ClusterStore, type ClusterTable, TABLE_NAMES, type TableName } from '../cluster-store.ts';
import { type Answer, answerOf, answerTooLong, noAnswer, resultOf, storeUnavailable } from '../store-errors.ts';
import { lastingFault } from './nats-errors.ts';
import { NatsLink } from './nats-link.ts';
import { SubjectSpace } from './nats-names.ts';
import { NatsTable } from './nats-table.ts';

export interface NatsStoreOptions {
  /** the cluster's name: letters, digits, `-` and `_` */
  readonly cluster: string;
  /** the servers and the credentials */
  readonly connection: NodeConnectionOptions;
  /** the servers without credentials, for messages */
  readonly shown: string;
  readonly logger?: Logger;
}

/**
 * An answer comes in parts of so many octets at most, since a server takes messages of 1 MiB by default; of half its limit where
 * that is less.
 */
const MOST_PART_BYTES = 512 * 1024;
/** An answer is kept until its last part, before anything of it can be checked. */
const MOST_ANSWER_BYTES = 64 * 1024 * 1024;
/** What a part costs beside its octets, so that empty ones are bounded, too. */
const PART_BYTES = 256;
const MORE_HEADER = 'Etherws-More';
const NO_RESPONDERS = 503;
const LOAD_RETRY_MS = 1000;
const CLOSE_MS = 1000;
/** How often the copies are compared with the buckets. */
const CHECK_MS = 3000;

interface Heard {
  readonly subject: string;
  readonly take: (message: Msg) => void;
  /** undefined without a connection */
  subscription: Subscription | undefined;
}

/** The store of a cluster at NATS servers with JetStream. It connects by itself, and again for ever. */
export class NatsStore implements ClusterStore {
  readonly #options: NatsStoreOptions;
  readonly #logger: Logger;
  readonly #messages: SubjectSpace;
  readonly #requests: SubjectSpace;
  readonly #link: NatsLink;
  readonly #tables = new Map<TableName, NatsTable>();
  readonly #heard = new Set<Heard>();
  readonly #listeners = new Set<(isConnected: boolean) => void>();
  readonly #waits = new Set<(error: EtherwsError) => void>();
  /** the connection that the subscriptions are of */
  #subscribed: NatsConnection | undefined;
  #loading: NodeJS.Timeout | undefined;
  /** settles when no table is being read */
  #reading: Promise<void> = Promise.resolve();
  #readings = 0;
  readonly #checking: NodeJS.Timeout;
  #fault: EtherwsError | undefined;
  #reason: string | undefined;
  #isClosed = false;

  constructor(options: NatsStoreOptions) {
    this.#options = options;
    this.#logger = options.logger ?? SILENT;
    this.#messages = new SubjectSpace(options.cluster, 'message');
    this.#requests = new SubjectSpace(options.cluster, 'request');
    for (const name of TABLE_NAMES) this.#tables.set(name, new NatsTable(options.cluster, name));
    this.#link = new NatsLink(options.connection, options.shown, {
      connected: (connection) => this.#connected(connection),
      lost: (reason) => this.#lost(reason),
      fault: (error) => this.#setFault(error),
    });
    this.#checking = setInterval(() => void this.#check(), CHECK_MS);
  }

  get isConnected(): boolean {
    return this.#link.isConnected;
  }

  /** What an operator must change before the store can be used. */
  get fault(): EtherwsError | undefined {
    return this.#fault;
  }

  get shown(): string {
    return this.#options.shown;
  }

  /** Why there is no connection, in one line; undefined while there is one. */
  get reason(): string | undefined {
    return this.isConnected ? undefined : this.#reason;
  }

  onConnection(listener: (isConnected: boolean) => void): () => void {
    const own = (isConnected: boolean): void => listener(isConnected);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  publish(subject: string, message: unknown): void {
    this.#attempt(subject, () => this.#link.current?.publish(this.#messages.toNats(subject), JSON.stringify(message)));
  }

  flush(): Promise<void> {
    return this.#link.flush();
  }

  subscribe(subject: string, listener: (message: unknown, subject: string) => void): () => void {
    return this.#hear(this.#messages.toNats(subject), (message) => {
      const value = jsonOf(message);
      const actual = this.#messages.fromNats(message.subject);
      if (value !== undefined && actual !== undefined) listener(value, actual);
    });
  }

  async request(
    subject: string,
    message: unknown,
    timeoutMs: number,
    mostBytes: number = MOST_ANSWER_BYTES,
  ): Promise<unknown> {
    const connection = this.#link.current;
    if (connection === undefined) throw storeUnavailable(`The request "${subject}" failed`);
    const inbox = createInbox();
    const answer = await new Promise<Answer>((resolve, reject) => {
      const parts: Uint8Array[] = [];
      let bytes = 0;
      const end = (): void => {
        clearTimeout(timer);
        this.#waits.delete(fail);
        subscription.unsubscribe();
      };
      const fail = (error: EtherwsError): void => {
        end();
        reject(error);
      };
      const take = (part: Msg): void => {
        if (part.headers?.code === NO_RESPONDERS) {
          fail(noAnswer(subject));
          return;
        }
        bytes += part.data.length + PART_BYTES;
        if (bytes > mostBytes) {
          fail(answerTooLong(subject, mostBytes));
          return;
        }
        // A copy: the octets are a part of what was read from the connection with them.
        parts.push(Buffer.from(part.data));
        if (part.headers?.has(MORE_HEADER) === true) return;
        end();
        try {
          resolve(JSON.parse(Buffer.concat(parts).toString()) as Answer);
        } catch (error) {
          reject(storeUnavailable(`The answer to "${subject}" is no JSON`, error));
        }
      };
      const timer = setTimeout(() => fail(noAnswer(subject, timeoutMs)), timeoutMs);
      const subscription = connection.subscribe(inbox, {
        callback: (error, part) => {
          if (error === null) take(part);
        },
      });
      this.#waits.add(fail);
      try {
        connection.publish(this.#requests.toNats(subject), JSON.stringify(message), { reply: inbox });
      } catch (error) {
        fail(storeUnavailable(`The request "${subject}" failed`, error));
      }
    });
    return resultOf(answer);
  }

  respond(subject: string, answer: (message: unknown) => Promise<unknown>): () => void {
    return this.#hear(this.#requests.toNats(subject), (message) => {
      void answerOf(() => answer(jsonOf(message))).then((given) =>
        this.#attempt(subject, () => this.#reply(message, given)),
      );
    });
  }

  /** The library throws when the connection was closed, and for more octets than the server takes; the message is lost then. */
  #attempt(subject: string, send: () => void): void {
    try {
      send();
    } catch (error) {
      this.#logger.debug({ subject, error }, 'a message of the cluster was not sent');
    }
  }

  #reply(message: Msg, answer: Answer): void {
    const octets = Buffer.from(JSON.stringify(answer));
    const limit = this.#link.current?.info?.max_payload ?? Number.POSITIVE_INFINITY;
    const partBytes = Math.max(1, Math.min(MOST_PART_BYTES, Math.floor(limit / 2)));
    for (let start = 0; start < octets.length; start += partBytes) {
      const isLast = start + partBytes >= octets.length;
      const more = headers();
      more.set(MORE_HEADER, '1');
      message.respond(octets.subarray(start, start + partBytes), isLast ? {} : { headers: more });
    }
  }

  table(name: TableName): ClusterTable {
    const table = this.#tables.get(name);
    if (table === undefined) throw new TypeError(`there is no table ${name}`);
    return table;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#loading);
    clearInterval(this.#checking);
    this.#listeners.clear();
    this.#endWaits();
    for (const heard of this.#heard) heard.subscription?.unsubscribe();
    this.#heard.clear();
    for (const table of this.#tables.values()) table.suspend();
    // A watch that is opened now is stopped while there is a connection: the library leaves a timer of one that fails half-way.
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([this.#reading, late]);
    clearTimeout(timer);
    await this.#link.close();
  }

  #hear(subject: string, take: (message: Msg) => void): () => void {
    const heard: Heard = { subject, take, subscription: undefined };
    this.#heard.add(heard);
    if (this.#subscribed !== undefined) this.#subscribe(heard, this.#subscribed);
    return () => {
      this.#heard.delete(heard);
      heard.subscription?.unsubscribe();
    };
  }

  #subscribe(heard: Heard, connection: NatsConnection): void {
    heard.subscription = connection.subscribe(heard.subject, {
      callback: (error, message) => {
        if (error === null && this.#heard.has(heard)) heard.take(message);
      },
    });
  }

  #connected(connection: NatsConnection): void {
    if (this.#subscribed !== connection) {
      this.#subscribed = connection;
      for (const heard of this.#heard) this.#subscribe(heard, connection);
    }
    this.#load(connection);
    for (const listener of [...this.#listeners]) listener(true);
  }

  #lost(reason: string): void {
    const wasConnected = this.#reason === undefined;
    this.#reason = reason;
    clearTimeout(this.#loading);
    for (const table of this.#tables.values()) table.suspend();
    this.#endWaits();
    if (wasConnected) for (const listener of [...this.#listeners]) listener(false);
  }

  #endWaits(): void {
    for (const fail of [...this.#waits]) fail(storeUnavailable('The request failed'));
  }

  #load(connection: NatsConnection): void {
    this.#reason = undefined;
    const jetStream = jetstream(connection);
    const reading = ++this.#readings;
    const isOver = (): boolean => this.#isClosed || this.#link.current !== connection || reading !== this.#readings;
    const attempt = async (): Promise<void> => {
      try {
        for (const table of this.#tables.values()) {
          if (isOver()) return;
          await table.load(connection, jetStream);
        }
        this.#setFault(undefined);
      } catch (error) {
        if (isOver()) return;
        this.#setFault(lastingFault(error, this.#options.shown));
        this.#logger.debug({ error }, 'the tables of the cluster could not be read');
        this.#loading = setTimeout(begin, LOAD_RETRY_MS);
      }
    };
    const begin = (): void => {
      this.#reading = attempt();
    };
    clearTimeout(this.#loading);
    begin();
  }

  /** Reads the tables again whose watch was lost with a server. */
  async #check(): Promise<void> {
    const connection = this.#link.current;
    if (connection === undefined) return;
    for (const table of this.#tables.values()) {
      // A bucket that does not answer has no leader now; the next check asks again.
      if (!(await table.isStale().catch(() => false))) continue;
      this.#logger.debug({}, 'a table of the cluster is read again: its watch was lost with a server');
      if (this.#link.current === connection) this.#load(connection);
      return;
    }
  }

  #setFault(error: EtherwsError | undefined): void {
    if (error?.message !== this.#fault?.message && error !== undefined) {
      this.#logger.error({ error }, 'the store of the cluster cannot be used');
    }
    this.#fault = error;
  }
}

function jsonOf(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}
