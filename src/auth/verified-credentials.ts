import { createHmac, randomBytes } from 'node:crypto';
import type { PasswordHash } from './password-hash.ts';

export interface VerifiedCredentialsOptions {
  /** the oldest goes first */
  readonly maxEntries?: number;
  readonly lifetimeMs?: number;
}

/**
 * Remembers which credentials were verified lately, so that a thousand clients
 * that come back at once do not stand in line for a slow hash.
 *
 * Why this is safe: what is kept is an HMAC-SHA256 under a random key that never
 * leaves this process and dies with it, so what is kept is worth nothing
 * elsewhere. An attacker that can read the key reads the process's memory, and with it every
 * password that arrives. Only successes are kept, so a guess costs a full hash
 * as before. The hash of the file's entry is part of what is digested: when the
 * entry changes or goes, so does the memory of it.
 */
export class VerifiedCredentials {
  readonly #key: Buffer = randomBytes(32);
  /** digest → when it expires, oldest first */
  readonly #expiries = new Map<string, number>();
  readonly #maxEntries: number;
  readonly #lifetimeMs: number;

  constructor(options: VerifiedCredentialsOptions = {}) {
    this.#maxEntries = options.maxEntries ?? 4096;
    this.#lifetimeMs = options.lifetimeMs ?? 10 * 60_000;
  }

  /** A name for these credentials that only this process can compute. */
  digest(user: string, password: string, hash: PasswordHash): string {
    // JSON keeps the three apart, whatever they hold.
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
