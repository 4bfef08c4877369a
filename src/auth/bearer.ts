import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { type Logger, SILENT } from '../observability/logger.ts';
import { FollowedFile } from '../runtime/followed-file.ts';
import type { Authenticator, Credentials, Verdict } from './authenticator.ts';
import { holdsControlCharacters } from './control-characters.ts';
import { readTokenKeys, type TokenKey } from './token-keys.ts';

export interface BearerOptions {
  /** the realm in the challenge */
  readonly realm: string;
  /** required in `aud`, so that tokens for other services are refused */
  readonly audience: string;
  /** required in `iss`, if given */
  readonly issuer?: string;
  readonly logger?: Logger;
  /** The key file is checked for changes at most once in this time. */
  readonly recheckMs?: number;
  /** for tests */
  readonly now?: () => Date;
}

/** The tolerated difference between the issuer's clock and ours, in seconds. */
const CLOCK_TOLERANCE_S = 30;
/** Bounds the time for decoding. Node's limit for the whole head is 16 KiB. */
const MAX_TOKEN_CHARACTERS = 8192;
/** RFC 7515, 7.1. `jose` would also accept padding and other alphabets. */
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Limit of the names in a claim. */
const MOST_NETWORKS = 64;
const MISSING: Verdict = { isAllowed: false, reason: 'missing' };
const WRONG: Verdict = { isAllowed: false, reason: 'wrong' };

/**
 * Accepts bearer tokens (RFC 6750) that are signed JSON Web Tokens (RFC 7519), in the
 * `Authorization` header field or in the query. `exp`, `aud` and `sub` are required;
 * `nbf` and `iss` are checked if present. The user is `sub`, and the
 * verdict ends when the token expires.
 *
 * The algorithm follows from our key alone (RFC 8725, 3.1). So the algorithm `none` is
 * refused, and a public key cannot be used as an HMAC secret. Keys in a token, and
 * references to keys (`jwk`, `jku`, `x5u`), are ignored. Signatures are verified in
 * libuv's thread pool. The key file is read again when it changes.
 */
export class BearerAuthenticator implements Authenticator {
  readonly challenge: string;
  readonly #file: FollowedFile<readonly TokenKey[]>;
  readonly #options: BearerOptions;
  readonly #logger: Logger;
  #isClosed = false;

  /** @throws EtherwsError FILE_UNREADABLE, TOKEN_KEYS_INVALID */
  static async open(keyFile: string, options: BearerOptions): Promise<BearerAuthenticator> {
    const { recheckMs, logger = SILENT } = options;
    const followOptions = recheckMs === undefined ? { logger } : { logger, recheckMs };
    const file = await FollowedFile.open(keyFile, (text) => readTokenKeys(keyFile, text), followOptions);
    return new BearerAuthenticator(file, options);
  }

  private constructor(file: FollowedFile<readonly TokenKey[]>, options: BearerOptions) {
    this.challenge = `Bearer realm=${JSON.stringify(options.realm)}`;
    this.#file = file;
    this.#options = options;
    this.#logger = options.logger ?? SILENT;
  }

  async authenticate(credentials: Credentials): Promise<Verdict> {
    if (this.#isClosed) return { isAllowed: false, reason: 'busy' };
    const token = tokenOf(credentials);
    if (token === undefined) return MISSING;
    const { remoteAddress } = credentials;
    try {
      return { isAllowed: true, ...(await this.#bearerOf(token)) };
    } catch (error) {
      // The messages of `jose` contain names of claims, but never the token.
      this.#logger.info({ remoteAddress, reason: (error as Error).message }, 'bearer token refused');
      return WRONG;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  /** @throws an Error with the reason if the token is refused */
  async #bearerOf(token: string): Promise<{ user: string; untilMs: number; networks?: readonly string[] }> {
    if (token.length > MAX_TOKEN_CHARACTERS) throw new errors.JWTInvalid('the token is too long');
    if (!COMPACT_JWS.test(token)) throw new errors.JWTInvalid('the token is no signed JWT');
    const { alg, kid } = decodeProtectedHeader(token);
    const keys = (await this.#file.current()).filter((key) => mayHaveSigned(key, alg, kid));
    for (const { key, algorithm } of keys) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: algorithm === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [algorithm],
          audience: this.#options.audience,
          ...(this.#options.issuer === undefined ? {} : { issuer: this.#options.issuer }),
          requiredClaims: ['exp', 'sub'],
          clockTolerance: CLOCK_TOLERANCE_S,
          ...(this.#options.now === undefined ? {} : { currentDate: this.#options.now() }),
        });
        const { sub, exp = 0, net } = payload;
        const networks = net === undefined ? {} : { networks: requireNetworks(net) };
        return { user: requireUser(sub), untilMs: (exp + CLOCK_TOLERANCE_S) * 1000, ...networks };
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      }
    }
    throw new errors.JWTInvalid(keys.length === 0 ? 'no key fits its algorithm and key id' : 'the signature is wrong');
  }
}

/** @returns '', which is refused, for tokens in both places: RFC 6750, 2 forbids that */
function tokenOf({ authorization, accessToken }: Credentials): string | undefined {
  const inHeader = /^Bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1];
  if (inHeader !== undefined && accessToken !== undefined) return '';
  return inHeader ?? accessToken;
}

/** Whether a key fits a token's header. Without a `kid` in either of them the signature alone decides. */
function mayHaveSigned(key: TokenKey, alg: string | undefined, kid: string | undefined): boolean {
  const isForAlgorithm = alg === key.algorithm || (alg === 'Ed25519' && key.algorithm === 'EdDSA');
  return isForAlgorithm && (kid === undefined || key.id === undefined || kid === key.id);
}

/** The claim `net`: the name of a network, or a list of names. */
function requireNetworks(net: unknown): readonly string[] {
  const names: unknown[] = Array.isArray(net) ? net : [net];
  if (names.length <= MOST_NETWORKS && names.every((name) => typeof name === 'string')) return names;
  throw new errors.JWTInvalid('"net" is no name of a network, and no list of names');
}

/** Control characters are refused, since the name appears in logs and policies. */
function requireUser(subject: unknown): string {
  const isName = typeof subject === 'string' && subject !== '' && subject.length <= 255;
  if (isName && !holdsControlCharacters(subject)) return subject;
  throw new errors.JWTInvalid('"sub" is no name for a user');
}
