import { createHmac, randomBytes } from 'node:crypto';
import type { PasswordHash } from './password-hash.ts';

export interface VerifiedCredentialsOptions {
  /** the oldest entry is dropped first; default 4096 */
  readonly maxEntries?: number;
  readonly lifetimeMs?: number;
}

/**
 * A cache of recently verified credentials, so that a thousand clients that
 * reconnect at once do not wait for a slow hash each.
 *
 * It is safe because it keeps only an HMAC-SHA256 under a random key that never
 * leaves the process. An attacker that can read the key can read the process's memory,
 * and with it every password that arrives. Only successes are kept, so a guess still
 * takes a full hash. The digest covers the hash in the file, so a changed or removed
 * entry is no longer found.
 */
export class VerifiedCredentials {
  readonly #key: Buffer = randomBytes(32);
  /** digest → expiry by performance.now(), oldest first */
  readonly #expiries = new Map<string, number>();
  readonly #maxEntries: number;
  readonly #lifetimeMs: number;

  constructor(options: VerifiedCredentialsOptions = {}) {
    this.#maxEntries = options.maxEntries ?? 4096;
    this.#lifetimeMs = options.lifetimeMs ?? 10 * 60_000;
  }

  /** The key of these credentials in the cache, which only this process can compute. */
  digest(user: string, password: string, hash: PasswordHash): string {
    // JSON is unambiguous, whatever characters the three contain.
    const text = JSON.stringify([user, password, hash.text]);
    return createHmac('sha256', this.#key).update(text).digest('base64');
  }

  has(digest: string): boolean {
    const expiryMs = this.#expiries.get(digest);
    if (expiryMs === undefined) return false;
    if (performance.now() < expiryMs) return true;
    this.#expiries.delete(digest);
    return false;
  }

  add(digest: string): void {
    this.#expiries.delete(digest);
    this.#expiries.set(digest, performance.now() + this.#lifetimeMs);
    if (this.#expiries.size <= this.#maxEntries) return;
    const oldest = this.#expiries.keys().next();
    if (oldest.done !== true) this.#expiries.delete(oldest.value);
  }

  forgetAll(): void {
    this.#expiries.clear();
  }
}
