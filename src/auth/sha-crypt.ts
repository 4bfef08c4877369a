import { createHash, hash as hashOnce } from 'node:crypto';

/**
 * SHA-crypt, `$5$` and `$6$`, after Ulrich Drepper's "Unix crypt using SHA-256
 * and SHA-512" (version 0.6); the numbers below are those of its steps. The package
 * unixcrypt is not used: its result is wrong for passwords of exactly 32 or 64 octets,
 * which are common lengths of generated passwords.
 *
 * @param text a hash or a setting: `$5$SALT...` or `$6$rounds=N$SALT...`
 * @returns the 43 or 86 characters of the hash, without the salt
 */
export function shaCrypt(password: Uint8Array, text: string): string {
  const setting = /^\$([56])\$(?:rounds=(\d+)\$)?([^$]{0,16})/.exec(text);
  if (setting === null) throw new RangeError('Not a SHA-crypt setting');
  const algorithm = setting[1] === '5' ? 'sha256' : 'sha512';
  const salt = Buffer.from(setting[3] ?? '');
  const rounds = Number(setting[2] ?? 5000);
  return encode(stretch(algorithm, password, salt, rounds));
}

type Algorithm = 'sha256' | 'sha512';

function stretch(algorithm: Algorithm, password: Uint8Array, salt: Buffer, rounds: number): Buffer {
  const digest = (...parts: Uint8Array[]): Buffer => {
    const context = createHash(algorithm);
    for (const part of parts) context.update(part);
    return context.digest();
  };
  // 4 to 8
  const b = digest(password, salt, password);
  // 1 to 3, 9 to 12
  const context = createHash(algorithm).update(password).update(salt).update(repeat(b, password.length));
  for (let bits = password.length; bits > 0; bits >>= 1) context.update((bits & 1) === 1 ? b : password);
  let a = context.digest();
  // 13 to 16
  const p = repeat(digest(...Array<Uint8Array>(password.length).fill(password)), password.length);
  // 17 to 20
  const s = repeat(digest(...Array<Uint8Array>(16 + (a[0] ?? 0)).fill(salt)), salt.length);
  // 21
  const input = Buffer.alloc(a.length + s.length + 2 * p.length);
  for (let round = 0; round < rounds; round++) {
    let length = 0;
    const append = (part: Uint8Array): void => {
      input.set(part, length);
      length += part.length;
    };
    append(round % 2 === 1 ? p : a);
    if (round % 3 !== 0) append(s);
    if (round % 7 !== 0) append(p);
    append(round % 2 === 1 ? a : p);
    a = hashOnce(algorithm, input.subarray(0, length), 'buffer');
  }
  return a;
}

/** `pattern`, repeated and cut off at `length` octets. */
function repeat(pattern: Buffer, length: number): Buffer {
  const result = Buffer.alloc(length);
  for (let offset = 0; offset < length; offset += pattern.length) pattern.copy(result, offset);
  return result;
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * 22: each group of four characters encodes one octet of each third of the digest. The
 * order of the thirds rotates by one for each group: to the right for SHA-256,
 * to the left for SHA-512. The remaining octets come last.
 */
function encode(digest: Buffer): string {
  const third = Math.floor(digest.length / 3);
  const turn = digest.length === 32 ? 2 : 1;
  const octet = (index: number): number => digest[index] ?? 0;
  let text = '';
  for (let index = 0; index < third; index++) {
    const thirds = [0, 1, 2].map((place) => octet(index + third * ((place + turn * index) % 3)));
    text += sextets(((thirds[0] ?? 0) << 16) | ((thirds[1] ?? 0) << 8) | (thirds[2] ?? 0), 4);
  }
  return text + (digest.length === 32 ? sextets((octet(31) << 8) | octet(30), 3) : sextets(octet(63), 2));
}

/** `count` characters of six bits each, the lowest bits first. */
function sextets(value: number, count: number): string {
  let text = '';
  for (let index = 0; index < count; index++) text += ALPHABET.charAt((value >> (6 * index)) & 63);
  return text;
}
