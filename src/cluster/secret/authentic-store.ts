import { randomBytes } from 'node:crypto';
import { codeOf } from '../../errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { closeAll } from '../../runtime/close-all.ts';
import type { ClusterKeys } from '../cluster-key.ts';
import { type ClusterStore, type ClusterTable, TABLE_NAMES, type TableName } from '../cluster-store.ts';
import { ReplayWindow } from '../replay-window.ts';
import { POLICY_KEY } from '../shared-value.ts';
import { type Answer, answerOf, resultOf } from '../store-errors.ts';
import { AuthenticTable, type AuthenticTableOptions } from './authentic-table.ts';
import { KnownStarts } from './known-starts.ts';
import { type Sealed, type SealKind, seal, unseal } from './seal.ts';
import { unproven } from './unproven.ts';

export interface AuthenticStoreOptions {
  readonly inner: ClusterStore;
  /** the name of this node */
  readonly node: string;
  readonly keys: () => ClusterKeys;
  readonly logger: Logger;
}

const START_BYTES = 12;
const NONCE_BYTES = 16;
const HELLO_MS = 1000;
/** Challenges that are answered in a second: as many as nodes may start at once. Any program may send more. */
const MOST_HELLOS = 1000;
const MOST_HELLO_BYTES = 4096;
/** A start that is asked tells the number of its newest message that is older than this: that one, and those before, are not taken. */
const RECENT_MS = 5000;
/** The numbers of this time count as one. */
const RECENT_STEP_MS = 100;
/** A refused message is logged at most once in this time. */
const LOG_MS = 10_000;

type Opened = Sealed & { readonly message: unknown };

/**
 * A store whose messages, requests, answers and values are believed only with the code of the cluster's secret (HMAC-SHA-256), so
 * that a program that can read and write in the store, and has no secret, can say nothing in the name of a node. It can still
 * read all of it, and suppress it.
 *
 * - The code covers the kind, the subject, the sender, its start, a number and the text.
 * - A message is taken once, and only of a start that has answered a challenge (`KnownStarts`): what was recorded of a node that
 *   has ended is worthless. No clock is needed.
 * - An answer has the code of its request in its own.
 * - Values: `AuthenticTable`.
 */
export class AuthenticStore implements ClusterStore {
  readonly #options: AuthenticStoreOptions;
  readonly #start = randomBytes(START_BYTES).toString('base64url');
  readonly #starts = new KnownStarts((start) => this.#ask(start));
  readonly #tables = new Map<TableName, AuthenticTable>();
  readonly #stops: (() => void)[];
  #number = 0;
  /** the newest number of each step of the last `RECENT_MS`, the oldest first */
  readonly #recent: { number: number; readonly atMs: number }[] = [];
  /** the newest number before these */
  #floor = 0;
  #hellos = 0;
  #hellosSinceMs = Number.NEGATIVE_INFINITY;
  #refused = 0;
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(options: AuthenticStoreOptions) {
    this.#options = options;
    const { inner, node, keys } = options;
    const refused = (subject: string, why: string): void => this.#refuse(subject, why);
    for (const name of TABLE_NAMES) {
      const table = inner.table(name);
      const ask: AuthenticTableOptions['ask'] = (key, timeoutMs) => this.request(valueSubject(key), null, timeoutMs);
      this.#tables.set(name, new AuthenticTable({ name, inner: table, node, start: this.#start, keys, refused, ask }));
    }
    this.#stops = [
      inner.respond(helloSubject(this.#start), (asked) => this.#hello(asked)),
      inner.onConnection((isConnected) => isConnected && this.keysChanged()),
      this.#tellPolicy(),
    ];
    void inner
      .table('config')
      .whenLoaded()
      .then(() => this.keysChanged());
  }

  /** To be called when there are other keys. */
  keysChanged(): void {
    for (const table of this.#tables.values()) table.reseal();
  }

  /** How many messages and values were refused. */
  get refused(): number {
    return this.#refused;
  }

  get isConnected(): boolean {
    return this.#options.inner.isConnected;
  }

  onConnection(listener: (isConnected: boolean) => void): () => void {
    return this.#options.inner.onConnection(listener);
  }

  publish(subject: string, message: unknown): void {
    this.#options.inner.publish(subject, this.#seal('message', subject, message));
  }

  subscribe(subject: string, listener: (message: unknown, subject: string) => void): () => void {
    const window = new ReplayWindow();
    let isStopped = false;
    const stop = this.#options.inner.subscribe(subject, (value, actual) => {
      this.#open('message', actual, value, window, (opened) => {
        if (opened !== undefined && !isStopped) listener(opened.message, actual);
      });
    });
    return () => {
      isStopped = true;
      stop();
    };
  }

  async request(subject: string, message: unknown, timeoutMs: number): Promise<unknown> {
    const asked = this.#seal('request', subject, message);
    let value: unknown;
    try {
      value = await this.#options.inner.request(subject, asked, timeoutMs);
    } catch (error) {
      if (['CLUSTER_TIMEOUT', 'CLUSTER_UNAVAILABLE'].includes(codeOf(error))) throw error;
      throw unproven(`"${subject}" was answered with a failure that has no code of the secret`, error);
    }
    const opened = unseal('answer', asked.mac, value, this.#options.keys());
    if (opened === undefined) throw unproven(`The answer to "${subject}" has no code of the secret`);
    return resultOf(opened.message as Answer);
  }

  respond(subject: string, answer: (message: unknown) => Promise<unknown>): () => void {
    const window = new ReplayWindow();
    return this.#options.inner.respond(subject, async (value) => {
      const opened = await new Promise<Opened | undefined>((resolve) => {
        this.#open('request', subject, value, window, resolve);
      });
      if (opened === undefined) throw unproven(`The request "${subject}" has no code of the secret, or came before`);
      return this.#seal('answer', opened.mac, await answerOf(() => answer(opened.message)));
    });
  }

  table(name: TableName): ClusterTable {
    const table = this.#tables.get(name);
    if (table === undefined) throw new TypeError(`there is no table ${name}`);
    return table;
  }

  flush(): Promise<void> {
    return this.#options.inner.flush();
  }

  async close(): Promise<void> {
    const tables = [...this.#tables.values()];
    await closeAll([...this.#stops, ...tables.map((table) => () => table.close()), () => this.#options.inner.close()]);
  }

  /** A node answers once it knows the policy, so that the answer to one that asks is never its own. */
  #tellPolicy(): () => void {
    const config = this.#tables.get('config');
    let stop: (() => void) | undefined;
    const stopWatching = config?.watch(({ key }) => {
      if (key === POLICY_KEY) stop ??= this.respond(valueSubject(key), async () => config.sealedOf(key));
    });
    return () => {
      stopWatching?.();
      stop?.();
    };
  }

  /** Answers a challenge. One too many, or no one that a node sends, has no answer. */
  async #hello(asked: unknown): Promise<Sealed> {
    const { nonce } = (asked ?? {}) as { readonly nonce?: unknown };
    const nowMs = performance.now();
    if (nowMs - this.#hellosSinceMs >= 1000) {
      this.#hellosSinceMs = nowMs;
      this.#hellos = 0;
    }
    this.#hellos++;
    const isNonce = typeof nonce === 'string' && nonce.length <= 2 * NONCE_BYTES;
    if (!isNonce || this.#hellos > MOST_HELLOS) return new Promise(() => undefined);
    this.#forgetOld(nowMs);
    // The nonce makes it new: it needs no number, which would have to be remembered.
    return this.#seal('hello', `${this.#start} ${nonce}`, { floor: this.#floor }, 0);
  }

  #seal(kind: SealKind, subject: string, message: unknown, number: number = this.#next()): Sealed {
    const { node: from, keys } = this.#options;
    const [key] = keys();
    if (key === undefined) throw new TypeError('a secret has a key');
    return seal(kind, subject, { from, start: this.#start, number }, message, key);
  }

  #next(): number {
    const number = ++this.#number;
    const nowMs = performance.now();
    const latest = this.#recent.at(-1);
    if (latest !== undefined && nowMs - latest.atMs < RECENT_STEP_MS) latest.number = number;
    else this.#recent.push({ number, atMs: nowMs });
    this.#forgetOld(nowMs);
    return number;
  }

  /** At most `RECENT_MS / RECENT_STEP_MS` are remembered. */
  #forgetOld(nowMs: number): void {
    const sinceMs = nowMs - RECENT_MS;
    for (let [oldest] = this.#recent; oldest !== undefined && oldest.atMs < sinceMs; [oldest] = this.#recent) {
      this.#floor = oldest.number;
      this.#recent.shift();
    }
  }

  /** @param taken gets the message, or undefined for one that is refused; at once if its start is known */
  #open(
    kind: SealKind,
    subject: string,
    value: unknown,
    window: ReplayWindow,
    taken: (opened: Opened | undefined) => void,
  ): void {
    const opened = unseal(kind, subject, value, this.#options.keys());
    if (opened === undefined) {
      this.#refuse(subject, 'it has no code of the secret');
      taken(undefined);
      return;
    }
    const { start, number } = opened;
    const decided = (isFresh: boolean): void => {
      const isTaken = isFresh && window.take(start, number);
      if (!isTaken) this.#refuse(subject, 'it was recorded before, or its sender does not answer');
      taken(isTaken ? opened : undefined);
    };
    if (start === this.#start) decided(true);
    else this.#starts.check(start, number, decided);
  }

  /** @returns the number from which the messages of a start are new. @throws EtherwsError if it does not answer */
  async #ask(start: string): Promise<number> {
    const nonce = randomBytes(NONCE_BYTES).toString('base64url');
    const value = await this.#options.inner.request(helloSubject(start), { nonce }, HELLO_MS, MOST_HELLO_BYTES);
    const opened = unseal('hello', `${start} ${nonce}`, value, this.#options.keys());
    if (opened?.start !== start) throw unproven('An answer to a challenge has no code of the secret');
    const { floor } = opened.message as { readonly floor: number };
    return floor;
  }

  #refuse(subject: string, why: string): void {
    this.#refused++;
    const nowMs = performance.now();
    if (nowMs - this.#loggedMs < LOG_MS) return;
    this.#loggedMs = nowMs;
    const facts = { subject, why, refused: this.#refused };
    this.#options.logger.warn(facts, 'refused what came by the store: its sender may lack the secret of the cluster');
  }
}

const helloSubject = (start: string): string => `hello.${start}`;
/** where the nodes that know a key of `config` tell its value */
const valueSubject = (key: string): string => `value.${key}`;
