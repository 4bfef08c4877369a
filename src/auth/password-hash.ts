/** The kinds of password hash that Apache's htpasswd tool writes, except DES crypt and plain text. */
export type HashKind = 'sha1' | 'bcrypt' | 'apr1' | 'sha256-crypt' | 'sha512-crypt';

/** A hash whose syntax and cost were checked, so that the time of a verification is bounded. */
export interface PasswordHash {
  readonly kind: HashKind;
  /** as written in the file, `$2y$10$...` */
  readonly text: string;
}

/** bcrypt doubles the work with each step; 17 is the most that htpasswd writes. */
const MAX_BCRYPT_COST = 17;
/** For less, crypt(3) uses 1000 rounds and writes that into its result, which then differs from the text. */
const MIN_SHA_ROUNDS = 1000;
const MAX_SHA_ROUNDS = 5_000_000;

const SHA1 = /^\{SHA\}[A-Za-z0-9+/]{27}=$/;
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const APR1 = /^\$apr1\$[!-#%-~]{1,8}\$[./0-9A-Za-z]{22}$/;
const SHA256_CRYPT = /^\$5\$(?:rounds=(\d{1,10})\$)?[!-#%-~]{0,16}\$[./0-9A-Za-z]{43}$/;
const SHA512_CRYPT = /^\$6\$(?:rounds=(\d{1,10})\$)?[!-#%-~]{0,16}\$[./0-9A-Za-z]{86}$/;
const KNOWN_ELSEWHERE = /^\$(1|2|2x|3|7|y|gy|md5|sha1|argon2i|argon2d|argon2id|scrypt)\$/;

/**
 * Parses the second field of an htpasswd line.
 * @returns the hash; or in `problem` why it is refused, as the end of a sentence, which never contains the text, as that
 *   may be a password
 */
export function readPasswordHash(text: string): PasswordHash | { readonly problem: string } {
  if (SHA1.test(text)) return { kind: 'sha1', text };
  if (APR1.test(text)) return { kind: 'apr1', text };
  const bcrypt = BCRYPT.exec(text);
  if (bcrypt !== null) {
    const cost = Number(bcrypt[1]);
    if (cost >= 4 && cost <= MAX_BCRYPT_COST) return { kind: 'bcrypt', text };
    return { problem: `the bcrypt cost ${cost} is outside 4..${MAX_BCRYPT_COST}` };
  }
  const shaCrypt = SHA256_CRYPT.exec(text) ?? SHA512_CRYPT.exec(text);
  if (shaCrypt !== null) {
    const rounds = Number(shaCrypt[1] ?? 5000);
    if (rounds < MIN_SHA_ROUNDS || rounds > MAX_SHA_ROUNDS) {
      return { problem: `rounds=${rounds} is outside ${MIN_SHA_ROUNDS}..${MAX_SHA_ROUNDS}` };
    }
    return { kind: text.startsWith('$5$') ? 'sha256-crypt' : 'sha512-crypt', text };
  }
  return { problem: refusal(text) };
}

function refusal(text: string): string {
  if (text === '') return 'there is no hash behind the user name';
  const elsewhere = KNOWN_ELSEWHERE.exec(text);
  if (elsewhere !== null)
    return `hashes of the kind ${elsewhere[0]} are not supported; make a new one with etherws passwd, or htpasswd -B`;
  if (/^(\{SHA\}|\$2[aby]\$|\$apr1\$|\$5\$|\$6\$)/.test(text)) return 'the hash is cut off or holds foreign characters';
  return 'plain text and DES crypt are not accepted; make a hash with etherws passwd, or htpasswd -B';
}
