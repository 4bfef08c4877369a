import { createHmac } from 'node:crypto';
import { EtherwsError } from '../../errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { FollowedFile } from '../../runtime/followed-file.ts';
import type { ClusterKeys } from '../cluster-key.ts';

const KEY_BYTES = 32;
const BASE64_KEY = /^[A-Za-z0-9+/_-]{43}=?$/;
/** The one that signs, and those that are accepted while it is changed. */
const MOST_KEYS = 4;
const MAX_FILE_BYTES = 64 * 1024;
const LOOK_INTERVAL_MS = 1000;

/**
 * The secret of a cluster in the file of `--cluster-secret`: what proves a node to the others, and is never in the store. The
 * file is looked at each second, so that the secret is changed without a restart. Keys for different purposes, and of different
 * clusters, are derived (HMAC-SHA-256), so that nothing that was signed for one is good for another.
 */
export class ClusterSecret {
  readonly #file: FollowedFile<ClusterKeys>;
  readonly #cluster: string;
  #read: ClusterKeys;
  #mesh: ClusterKeys;
  #store: ClusterKeys;
  readonly #timer: NodeJS.Timeout;
  /** Called when there are other keys. */
  onChange: () => void = () => undefined;

  /** @throws EtherwsError FILE_UNREADABLE, CLUSTER_SECRET_INVALID */
  static async open(path: string, cluster: string, logger: Logger): Promise<ClusterSecret> {
    const options = { logger, recheckMs: 0, maxBytes: MAX_FILE_BYTES };
    const file = await FollowedFile.open(path, (text) => parseSecret(path, text), options);
    return new ClusterSecret(file, cluster, await file.current());
  }

  private constructor(file: FollowedFile<ClusterKeys>, cluster: string, keys: ClusterKeys) {
    this.#file = file;
    this.#cluster = cluster;
    this.#read = keys;
    this.#mesh = this.#derived('mesh');
    this.#store = this.#derived('store');
    this.#timer = setInterval(() => void this.refresh(), LOOK_INTERVAL_MS).unref();
  }

  /** for the proofs of mesh tunnels */
  get mesh(): ClusterKeys {
    return this.#mesh;
  }

  /** for messages and values of the store */
  get store(): ClusterKeys {
    return this.#store;
  }

  /** Takes what the file has now, if it is valid. Never rejects. */
  async refresh(): Promise<void> {
    const keys = await this.#file.current();
    if (keys === this.#read) return;
    this.#read = keys;
    this.#mesh = this.#derived('mesh');
    this.#store = this.#derived('store');
    this.onChange();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #derived(purpose: string): ClusterKeys {
    return this.#read.map((key) =>
      createHmac('sha256', key)
        .update(JSON.stringify(['etherws', this.#cluster, purpose]))
        .digest(),
    );
  }
}

/**
 * Reads the keys of a file: one a line, 32 random octets in base64 each. Empty lines and those that begin with `#` are passed over.
 * @throws EtherwsError CLUSTER_SECRET_INVALID; no message repeats a key
 */
export function parseSecret(path: string, text: string): ClusterKeys {
  const keys: Buffer[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const word = line.trim();
    if (word === '' || word.startsWith('#')) continue;
    const key = Buffer.from(word, 'base64');
    if (!BASE64_KEY.test(word) || key.length !== KEY_BYTES) {
      throw invalid(`${path}:${index + 1} is no key of ${KEY_BYTES} octets in base64`);
    }
    keys.push(key);
  }
  if (keys.length === 0) throw invalid(`${path} has no key`);
  if (keys.length > MOST_KEYS) throw invalid(`${path} has ${keys.length} keys, more than ${MOST_KEYS}`);
  return keys;
}

function invalid(message: string): EtherwsError {
  return new EtherwsError('CLUSTER_SECRET_INVALID', message, { hint: 'Make one: openssl rand -base64 32' });
}
