import type { JetStreamClient, StreamInfo } from '@nats-io/jetstream';
import { Bucket, type KV, type KvEntry, Kvm } from '@nats-io/kv';
import type { NatsConnection, QueuedIterator } from '@nats-io/transport-node';
import { EtherwsError } from '../../errors.ts';
import { TABLE_HISTORY, type TableChange, type TableEntry, type TableName } from '../cluster-store.ts';
import { CopiedTable } from '../copied-table.ts';
import { storeConflict, storeUnavailable } from '../store-errors.ts';
import { TableCopy } from '../table-copy.ts';
import { isBucketMissing, isConflict, isTooManyReplicas } from './nats-errors.ts';
import { bucketOf, textOf, wordOf } from './nats-names.ts';

const MOST_REPLICAS = 3;
/** A bucket that is read sends its entries one behind the other. */
const SILENCE_MS = 5000;
/** Removed keys leave a mark. After this time it is removed, too. */
const KEEP_MARKS_MS = 3_600_000;

/** A table as a key-value bucket of JetStream, with a copy in memory that a watch keeps. */
export class NatsTable extends CopiedTable {
  readonly #name: TableName;
  readonly #bucket: string;
  #kv: KV | undefined;
  #watch: QueuedIterator<unknown> | undefined;
  /** grows with each `load` and `suspend`: what was asked for before is not wanted any more */
  #turn = 0;
  /** when the stream of the copy was made; undefined: none was read yet */
  #created: string | undefined;
  /** the highest sequence of the stream that the copy has heard of */
  #heard = 0;
  /** that of the stream at the check before */
  #expected = 0;
  /** when this node removes the marks of removed keys */
  #marksDueMs = performance.now() + marksWaitMs();

  constructor(cluster: string, name: TableName) {
    super(new TableCopy());
    this.#name = name;
    this.#bucket = bucketOf(cluster, name);
  }

  async put(key: string, value: unknown, { expected }: TableChange = {}): Promise<number> {
    if (value === undefined) throw new TypeError('a value is JSON; remove() removes a key');
    const text = JSON.stringify(value);
    const word = wordOf(key);
    const revision = await this.#change(key, expected, (kv) => {
      if (expected === undefined) return kv.put(word, text);
      return expected === 0 ? kv.create(word, text) : kv.update(word, text, expected);
    });
    this.copy.apply({ key, value: JSON.parse(text), revision });
    return revision;
  }

  async remove(key: string, { expected }: TableChange = {}): Promise<void> {
    const word = wordOf(key);
    if (expected === 0) {
      if (this.get(key) !== undefined) throw storeConflict(key, expected, this.get(key)?.revision);
      return;
    }
    const removed = await this.#change(key, expected, async (kv) => {
      await kv.delete(word, expected === undefined ? {} : { previousSeq: expected });
      return kv.get(word);
    });
    if (removed !== null && removed.operation !== 'PUT') this.#apply(removed, key);
  }

  async #change<T>(key: string, expected: number | undefined, change: (kv: KV) => Promise<T>): Promise<T> {
    const what = `"${key}" cannot be changed`;
    if (this.#kv === undefined) throw storeUnavailable(what);
    try {
      return await change(this.#kv);
    } catch (error) {
      if (isConflict(error)) throw storeConflict(key, expected ?? 0);
      throw error instanceof EtherwsError ? error : storeUnavailable(what, error);
    }
  }

  async history(key: string): Promise<readonly TableEntry[]> {
    const what = `The history of "${key}" cannot be read`;
    if (this.#kv === undefined) throw storeUnavailable(what);
    const values: TableEntry[] = [];
    try {
      for await (const entry of await this.#kv.history({ key: wordOf(key) })) values.push(entryOf(entry, key));
    } catch (error) {
      throw storeUnavailable(what, error);
    }
    return values;
  }

  /** The connection is lost: changes are refused until `load`. */
  suspend(): void {
    this.#turn++;
    this.#kv = undefined;
    this.#watch?.stop();
    this.#watch = undefined;
  }

  /**
   * Makes the bucket if there is none, reads it as a whole, and follows it.
   * @throws errors of the NATS library; EtherwsError CLUSTER_UNAVAILABLE if `suspend` or `load` is called meanwhile
   */
  async load(connection: NatsConnection, jetStream: JetStreamClient): Promise<void> {
    const turn = ++this.#turn;
    const requireTurn = (): void => {
      if (turn !== this.#turn) throw storeUnavailable('The table cannot be read');
    };
    const kv = await this.#open(connection, jetStream);
    const heard = this.#heard;
    const { values, streamInfo } = await kv.status();
    requireTurn();
    const watch = await kv.watch({ include: '' });
    // One that is not stopped has a timer that keeps the process alive.
    if (turn !== this.#turn) watch.stop();
    requireTurn();
    this.#watch?.stop();
    this.#watch = watch;
    this.#kv = kv;
    const { last_seq: last } = streamInfo.state;
    if (this.#isAnother(streamInfo, heard)) {
      this.copy.beginAnew();
      this.#heard = last;
    }
    this.#created = streamInfo.created;
    // Marks that were removed keep their sequence, and no watch tells them.
    this.#heard = Math.max(this.#heard, last);
    this.#expected = 0;
    const seen = new Set<string>();
    const complete = (): void => {
      this.copy.removeOthers((key) => seen.has(key), last);
      this.copy.setLoaded();
    };
    await new Promise<void>((resolve, reject) => {
      let isComplete = values === 0;
      // The server that keeps the consumer of the watch may die before it has sent everything.
      const silence = setTimeout(() => {
        if (isComplete) return;
        watch.stop();
        reject(new Error(`nothing of the bucket came within ${SILENCE_MS / 1000} s`));
      }, SILENCE_MS);
      if (isComplete) {
        clearTimeout(silence);
        complete();
        resolve();
      }
      const follow = async (): Promise<void> => {
        for await (const entry of watch) {
          if (this.#watch !== watch) break;
          const key = textOf(entry.key);
          if (key !== undefined) this.#apply(entry, key);
          this.#heard = Math.max(this.#heard, entry.revision);
          if (isComplete) continue;
          silence.refresh();
          if (key !== undefined) seen.add(key);
          if (entry.delta !== 0 && !entry.isUpdate) continue;
          isComplete = true;
          clearTimeout(silence);
          complete();
          resolve();
        }
        clearTimeout(silence);
        if (this.#watch === watch) this.#watch = undefined;
        if (!isComplete) reject(new Error('the watch of the bucket ended'));
      };
      follow().catch(reject);
    });
  }

  /** Whether a stream is another one than that of the copy: one made anew, or restored from a backup that is older. */
  #isAnother({ created, state }: StreamInfo, heard: number): boolean {
    return this.#created !== undefined && (created !== this.#created || state.last_seq < heard);
  }

  /**
   * Whether the copy no longer follows the bucket: the consumer of the watch is kept by one server, and when that one dies,
   * the library may wait for it for ever while the connection to another server stands.
   * @throws errors of the NATS library
   */
  async isStale(): Promise<boolean> {
    if (this.#kv === undefined || !this.isLoaded) return false;
    if (this.#watch === undefined) return true;
    this.#removeMarks(this.#kv);
    const heard = this.#heard;
    let streamInfo: StreamInfo;
    try {
      ({ streamInfo } = await this.#kv.status());
    } catch (error) {
      if (isBucketMissing(error)) return true;
      throw error;
    }
    if (this.#isAnother(streamInfo, heard)) return true;
    const { last_seq: last } = streamInfo.state;
    // What came within the last interval may be on its way.
    const isStale = this.#heard < this.#expected;
    this.#expected = last;
    return isStale;
  }

  /**
   * Removes the marks of keys that were removed, about once an hour. That is a request for each mark, so the nodes do it at
   * different times: the first one leaves little to the others. A failure leaves the marks, which costs memory only.
   */
  #removeMarks(kv: KV): void {
    const nowMs = performance.now();
    if (this.#name !== 'sessions' || nowMs < this.#marksDueMs || !(kv instanceof Bucket)) return;
    this.#marksDueMs = nowMs + marksWaitMs();
    void kv.purgeDeletes(KEEP_MARKS_MS).catch(() => undefined);
  }

  async #open(connection: NatsConnection, jetStream: JetStreamClient): Promise<KV> {
    const kvm = new Kvm(jetStream);
    const history = TABLE_HISTORY[this.#name];
    const isClustered = connection.info?.cluster !== undefined;
    if (!isClustered) return kvm.create(this.#bucket, { history });
    try {
      const kv = await kvm.create(this.#bucket, { history, replicas: MOST_REPLICAS });
      await this.#raiseReplicas(kv, jetStream);
      return kv;
    } catch (error) {
      if (!isTooManyReplicas(error)) throw error;
      return kvm.create(this.#bucket, { history });
    }
  }

  /** A bucket that was made while servers were missing gets its replicas later. */
  async #raiseReplicas(kv: KV, jetStream: JetStreamClient): Promise<void> {
    const { streamInfo } = await kv.status();
    if (streamInfo.config.num_replicas >= MOST_REPLICAS) return;
    try {
      const manager = await jetStream.jetstreamManager();
      await manager.streams.update(streamInfo.config.name, { num_replicas: MOST_REPLICAS });
    } catch (error) {
      if (!isTooManyReplicas(error)) throw error;
    }
  }

  #apply(entry: KvEntry, key: string): void {
    this.copy.apply(entryOf(entry, key));
  }
}

function marksWaitMs(): number {
  return KEEP_MARKS_MS * (0.5 + Math.random());
}

function entryOf(entry: KvEntry, key: string): TableEntry {
  const value: unknown = entry.operation === 'PUT' ? parsed(entry) : undefined;
  return { key, value, revision: entry.revision };
}

/** A value that is no JSON was not written by a node; it counts as absent. */
function parsed(entry: KvEntry): unknown {
  try {
    return entry.json();
  } catch {
    return undefined;
  }
}
