/** A value of a table, as it was heard last. */
export interface TableEntry {
  readonly key: string;
  /** JSON; undefined: the key was removed */
  readonly value: unknown;
  /** Grows with each change of the table; for `TableChange.expected`. */
  readonly revision: number;
  /** No node has removed the key: the store was made anew, or restored, without it. */
  readonly isLost?: true;
}

export interface TableChange {
  /** The change is refused unless this is the key's revision; 0: unless the key is absent. Default: it is not. */
  readonly expected?: number;
}

/**
 * Values that all nodes of a cluster share, such as its networks. Reads answer from a copy in memory: they need no
 * connection, and without one they tell what was heard last.
 */
export interface ClusterTable {
  /** Absent and removed keys: undefined. */
  get(key: string): TableEntry | undefined;
  entries(): Iterable<TableEntry>;
  /** Whether the copy has been complete at least once. */
  readonly isLoaded: boolean;
  /** Resolves when the copy is complete; never, if the store is closed before. */
  whenLoaded(): Promise<void>;
  /** Calls `listener` for each entry that is there, and then for each change. @returns stops that */
  watch(listener: (entry: TableEntry) => void): () => void;
  /**
   * @param key any text
   * @returns the new revision; this node's copy has the value then
   * @throws EtherwsError CLUSTER_UNAVAILABLE: the change may come later nevertheless, unless `expected` prevents it;
   *   CLUSTER_CONFLICT if `expected` does not hold
   */
  put(key: string, value: unknown, change?: TableChange): Promise<number>;
  /** @throws as `put` */
  remove(key: string, change?: TableChange): Promise<void>;
  /** The values that the store still has, the oldest first, the present one last. @throws EtherwsError CLUSTER_UNAVAILABLE */
  history(key: string): Promise<readonly TableEntry[]>;
  /**
   * Whether the store has a value of the key that no node has written, so that `get` must not be taken for "absent". Only where
   * values have a code.
   */
  isRefused?(key: string): boolean;
  /**
   * Looks for the value of a key that is not known: at the nodes that live, then in the history. Only where values have a code.
   * @throws EtherwsError CLUSTER_NODE_UNPROVEN if there is one, and it could not be had within `timeoutMs`
   */
  seek?(key: string, timeoutMs: number): Promise<void>;
}

/** The tables of a cluster. `config` has a history; `sessions` are those of clients that may come back to any node. */
export const TABLE_NAMES = ['config', 'sessions'] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** How many values of a key the history of a table has, the present one included. */
export const TABLE_HISTORY: Readonly<Record<TableName, number>> = { config: 64, sessions: 1 };

/**
 * What the nodes of a cluster have in common: messages and tables. Frames never go through it, so a node that has lost it
 * forwards as before (fail static). Messages and values are JSON.
 *
 * Subjects are words joined by dots, below the cluster's own name. Nothing of it throws but what says so.
 */
export interface ClusterStore {
  /** Whether messages reach the others now. */
  readonly isConnected: boolean;
  /** its servers without credentials, for messages; undefined: it is in a process of this machine */
  readonly shown?: string;
  /** Why there is no connection, in one line; undefined: not known, or there is one. */
  readonly reason?: string | undefined;
  /** Called with each change of `isConnected`. @returns stops that */
  onConnection(listener: (isConnected: boolean) => void): () => void;
  /** Tells all subscribers, this node's own included, later and at most once. Without a connection the message is lost. */
  publish(subject: string, message: unknown): void;
  /** Resolves when what was published before has left this node: the store has it, or there is no connection, or a second has passed. */
  flush(): Promise<void>;
  /** @param listener gets each message with its subject; `*` in `subject` matches one word. @returns stops that */
  subscribe(subject: string, listener: (message: unknown, subject: string) => void): () => void;
  /**
   * Asks the node that answers `subject`.
   * @param mostBytes of the answer, where it comes in parts; default 64 MiB
   * @throws EtherwsError CLUSTER_UNAVAILABLE without a connection, and for a longer answer; CLUSTER_TIMEOUT without an answer, at once if no node
   *   answers this subject; or the error of the answering node
   */
  request(subject: string, message: unknown, timeoutMs: number, mostBytes?: number): Promise<unknown>;
  /** Answers requests. An EtherwsError that `answer` throws is thrown by `request`. @returns stops that */
  respond(subject: string, answer: (message: unknown) => Promise<unknown>): () => void;
  table(name: TableName): ClusterTable;
  close(): Promise<void>;
}
