import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ClusterKeys } from '../cluster-key.ts';

/** What a seal is for: one of a kind is no seal of another. */
export type SealKind = 'message' | 'request' | 'answer' | 'hello' | 'value';

/** A message or a value with its code, as it is in the store. Plain JSON. */
export interface Sealed {
  /** the name of the node, for logs */
  readonly from: string;
  /** the start of the node's store, random: the code is of one start */
  readonly start: string;
  /** of a message: counts those of the start. Of a value: its version */
  readonly number: number;
  /** JSON, or empty for nothing */
  readonly text: string;
  /** HMAC-SHA-256 in base64url over kind, subject and all above */
  readonly mac: string;
}

/** Whether a value of the store looks like a sealed one, whatever its code is. */
export function isSealed(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'mac' in value && 'start' in value;
}

/** @param subject where it belongs: the code is right there only. @param message JSON; undefined: nothing */
export function seal(
  kind: SealKind,
  subject: string,
  { from, start, number }: Pick<Sealed, 'from' | 'start' | 'number'>,
  message: unknown,
  key: Buffer,
): Sealed {
  const text = message === undefined ? '' : JSON.stringify(message);
  const parts = { from, start, number, text };
  return { ...parts, mac: macOf(kind, subject, parts, key).toString('base64url') };
}

/** @returns what was sealed for this kind and subject with one of the keys; undefined for all else */
export function unseal(
  kind: SealKind,
  subject: string,
  value: unknown,
  keys: ClusterKeys,
): (Sealed & { readonly message: unknown }) | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { from, start, number, text, mac } = value as Partial<Sealed>;
  if (![from, start, text, mac].every((part) => typeof part === 'string')) return undefined;
  if (!Number.isSafeInteger(number)) return undefined;
  const sealed = { from, start, number, text, mac } as Sealed;
  const said = Buffer.from(sealed.mac, 'base64url');
  const isRight = (key: Buffer): boolean => {
    const right = macOf(kind, subject, sealed, key);
    return said.length === right.length && timingSafeEqual(said, right);
  };
  if (!keys.some(isRight)) return undefined;
  return { ...sealed, message: sealed.text === '' ? undefined : JSON.parse(sealed.text) };
}

/** JSON has no line end outside of strings, and escapes those within, so no two different inputs give the same octets. */
function macOf(
  kind: SealKind,
  subject: string,
  { from, start, number, text }: Omit<Sealed, 'mac'>,
  key: Buffer,
): Buffer {
  const head = JSON.stringify([kind, subject, from, start, number]);
  return createHmac('sha256', key).update(`${head}\n${text}`).digest();
}
