import { hash } from 'node:crypto';

/** The base64 alphabet of crypt(3): six bits a character, the lowest bits first. */
const CHARACTERS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The indexes of the octets of the last digest that four characters encode, most significant first. */
const TRIPLES = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;
const ROUNDS = 1000;

/**
 * Apache's variant of MD5-crypt, `$apr1$`: Poul-Henning Kamp's algorithm with another magic text.
 * @param text a hash or a setting: `$apr1$SALT...`; only the first 8 characters of the salt are used
 * @returns the 22 characters of the hash, without the salt
 */
export function md5Crypt(password: Uint8Array, text: string): string {
  const salt = Buffer.from(/^\$apr1\$([^$]{0,8})/.exec(text)?.[1] ?? '');
  const md5 = (...parts: Uint8Array[]): Buffer => hash('md5', Buffer.concat(parts), 'buffer');
  const alternate = md5(password, salt, password);
  const parts: Uint8Array[] = [password, Buffer.from('$apr1$'), salt];
  for (let left = password.length; left > 0; left -= 16) parts.push(alternate.subarray(0, left));
  for (let bits = password.length; bits > 0; bits >>= 1) {
    parts.push((bits & 1) === 1 ? Buffer.alloc(1) : password.subarray(0, 1));
  }
  let digest = md5(...parts);
  for (let round = 0; round < ROUNDS; round++) {
    digest = md5(
      round % 2 === 1 ? password : digest,
      round % 3 === 0 ? Buffer.alloc(0) : salt,
      round % 7 === 0 ? Buffer.alloc(0) : password,
      round % 2 === 1 ? digest : password,
    );
  }
  const octet = (index: number): number => digest[index] ?? 0;
  const triples = TRIPLES.map(([a, b, c]) => characters((octet(a) << 16) | (octet(b) << 8) | octet(c), 4));
  return triples.join('') + characters(octet(11), 2);
}

function characters(value: number, count: number): string {
  return Array.from({ length: count }, (_, index) => CHARACTERS[(value >> (6 * index)) & 63]).join('');
}
