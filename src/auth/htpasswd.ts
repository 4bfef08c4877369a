import { createHash } from 'node:crypto';
import { EtherwsError } from '../errors.ts';
import { addressGroup } from '../net/address-group.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { FollowedFile } from '../runtime/followed-file.ts';
import type { Authenticator, Credentials, Verdict } from './authenticator.ts';
import { parseBasic } from './basic-credentials.ts';
import { type HashVerdict, HashVerifier, type PasswordVerifier } from './hash-verifier.ts';
import { parseHtpasswd } from './htpasswd-file.ts';
import type { PasswordHash } from './password-hash.ts';
import { VerifiedCredentials } from './verified-credentials.ts';

export interface HtpasswdOptions {
  /** the realm in the challenge */
  readonly realm: string;
  readonly logger?: Logger;
  /** May be shared; the caller closes it. Without one the authenticator creates and closes a verifier of its own. */
  readonly verifier?: PasswordVerifier;
  /** The file is checked for changes at most once in this time. */
  readonly recheckMs?: number;
}

/** Further problems are only counted: a file of another kind may have millions of lines. */
const MAX_LOGGED_PROBLEMS = 10;

const MISSING: Verdict = { isAllowed: false, reason: 'missing' };
const WRONG: Verdict = { isAllowed: false, reason: 'wrong' };
const BUSY: Verdict = { isAllowed: false, reason: 'busy' };

/** Accepts HTTP Basic credentials (RFC 7617) of an htpasswd file, which is read again when it changes. */
export class HtpasswdAuthenticator implements Authenticator {
  readonly challenge: string;
  readonly #file: FollowedFile<Users>;
  readonly #verifier: PasswordVerifier;
  readonly #ownsVerifier: boolean;
  readonly #verified = new VerifiedCredentials();
  /** The verifications in progress, by digest: equal ones share a result. Bounded by the verifier's queue. */
  readonly #pending = new Map<string, Promise<HashVerdict>>();
  #isClosed = false;

  /** @throws EtherwsError FILE_UNREADABLE; HTPASSWD_INVALID for a file without a valid line */
  static async open(path: string, options: HtpasswdOptions): Promise<HtpasswdAuthenticator> {
    const logger = options.logger ?? SILENT;
    const followOptions = options.recheckMs === undefined ? { logger } : { logger, recheckMs: options.recheckMs };
    const file = await FollowedFile.open(path, (text) => readUsers(path, text, logger), followOptions);
    return new HtpasswdAuthenticator(file, options);
  }

  private constructor(file: FollowedFile<Users>, options: HtpasswdOptions) {
    // 1.x sent the realm without quotes, so a realm that needs none is still sent without.
    this.challenge = `Basic realm=${/^[\w.-]+$/.test(options.realm) ? options.realm : JSON.stringify(options.realm)}`;
    this.#file = file;
    this.#ownsVerifier = options.verifier === undefined;
    this.#verifier =
      options.verifier ?? new HashVerifier(options.logger === undefined ? {} : { logger: options.logger });
  }

  authenticate(credentials: Credentials): Promise<Verdict> {
    return this.#authenticate(credentials, false);
  }

  /** It has a share of its own in the queue, so that logins from the same address cannot make it `busy`. */
  recheck(credentials: Credentials): Promise<Verdict> {
    return this.#authenticate(credentials, true);
  }

  async #authenticate({ authorization, remoteAddress }: Credentials, wasAccepted: boolean): Promise<Verdict> {
    if (authorization === undefined) return MISSING;
    const given = parseBasic(authorization);
    if (given === 'otherScheme') return MISSING;
    if (given === 'malformed') return WRONG;
    const users = await this.#file.current();
    const entry = users.entries.get(given.user);
    // The name of this user is known to be one.
    if (wasAccepted && entry === undefined) return WRONG;
    // For an unknown user another user's hash is computed, so that timing does not reveal which users exist.
    const hash = entry ?? standIn(users.hashes, given.user);
    const digest = this.#verified.digest(given.user, given.password, hash);
    if (entry !== undefined && !this.#isClosed && this.#verified.has(digest))
      return { isAllowed: true, user: given.user };
    const owner = `${wasAccepted ? 'again ' : ''}${addressGroup(remoteAddress)}`;
    const verdict = await this.#verify(digest, given.password, hash, owner);
    if (verdict === 'busy') return BUSY;
    if (verdict === 'mismatch' || entry === undefined) return WRONG;
    this.#verified.add(digest);
    return { isAllowed: true, user: given.user };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#verified.forgetAll();
    if (this.#ownsVerifier) await this.#verifier.close();
  }

  #verify(digest: string, password: string, hash: PasswordHash, owner: string): Promise<HashVerdict> {
    if (this.#isClosed) return Promise.resolve('busy');
    const pending = this.#pending.get(digest);
    if (pending !== undefined) return pending;
    const started = this.#verifier.verify(password, hash, owner).finally(() => this.#pending.delete(digest));
    this.#pending.set(digest, started);
    return started;
  }
}

interface Users {
  readonly entries: ReadonlyMap<string, PasswordHash>;
  /** the same hashes by index; at least one */
  readonly hashes: readonly PasswordHash[];
}

function readUsers(path: string, text: string, logger: Logger): Users {
  const { entries, problems } = parseHtpasswd(text);
  const lines = problems.map(({ line, message }) => `${path}:${line}: ${message}`);
  if (entries.size === 0) {
    throw new EtherwsError('HTPASSWD_INVALID', `${path} admits no user: ${lines[0] ?? 'it holds no entry'}`, {
      hint: `Add a user with: etherws passwd ${path} USER`,
    });
  }
  for (const line of lines.slice(0, MAX_LOGGED_PROBLEMS)) logger.warn({ path }, line);
  const more = lines.length - MAX_LOGGED_PROBLEMS;
  if (more > 0) logger.warn({ path }, `${path}: ${more} more lines admit no user`);
  return { entries, hashes: [...entries.values()] };
}

/**
 * The hash of another user, always the same one for a name, so that the time of
 * unknown users is distributed like that of known users. Whether the password
 * matches it is ignored.
 */
function standIn(hashes: readonly PasswordHash[], user: string): PasswordHash {
  const choice = createHash('sha256').update(user).digest().readUInt32BE() % hashes.length;
  const hash = hashes[choice];
  if (hash === undefined) throw new RangeError('An htpasswd file without entries is never in force');
  return hash;
}
