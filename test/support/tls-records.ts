import { createCipheriv, createDecipheriv } from 'node:crypto';
import { nextSecret, type Suite, trafficKey } from '../../src/ports/stream/tls/key-schedule.ts';

/** Content types (RFC 8446, B.1). */
export const [ALERT, HANDSHAKE, DATA] = [21, 22, 23] as const;
export const MAX_CONTENT_BYTES: number = 1 << 14;
const HEADER_BYTES = 5;
const TAG_BYTES = 16;

/** The type of GCM for all suites, since ChaCha20-Poly1305 has the same interface. */
type Gcm = 'aes-128-gcm';

/** A key with the number of its next record. */
export interface RecordKey {
  readonly cipher: Suite['cipher'];
  readonly key: Buffer;
  readonly iv: Buffer;
  sequence: number;
}

function nonceOf({ iv, sequence }: RecordKey): Buffer {
  const nonce = Buffer.from(iv);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ sequence) >>> 0, 8);
  return nonce;
}

/** Seals one record by Node's own ciphers. @param inner content, its type and padding (RFC 8446, 5.2) */
export function sealInner(key: RecordKey, inner: Buffer): Buffer {
  const length = inner.length + TAG_BYTES;
  const header = Buffer.from([DATA, 3, 3, length >> 8, length & 0xff]);
  const cipher = createCipheriv(key.cipher as Gcm, key.key, nonceOf(key), { authTagLength: TAG_BYTES });
  key.sequence++;
  cipher.setAAD(header);
  return Buffer.concat([header, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
}

/** Seals data of any length in records of the greatest length. */
export function sealData(key: RecordKey, content: Buffer): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < content.length; at += MAX_CONTENT_BYTES) {
    const piece = content.subarray(at, at + MAX_CONTENT_BYTES);
    records.push(sealInner(key, Buffer.concat([piece, Buffer.from([DATA])])));
  }
  return Buffer.concat(records);
}

function keyUnder(suite: Suite, secret: Buffer): RecordKey {
  return { cipher: suite.cipher, ...trafficKey(suite, secret), sequence: 0 };
}

/** The sealing half of the record layer at a tunnel's far end. */
export class RecordSealer {
  readonly #suite: Suite;
  #secret: Buffer;
  #key: RecordKey;

  constructor(suite: Suite, secret: Buffer) {
    this.#suite = suite;
    this.#secret = secret;
    this.#key = keyUnder(suite, secret);
  }

  record(type: number, content: Buffer | string, padding = 0): Buffer {
    return this.inner(Buffer.concat([Buffer.from(content), Buffer.from([type]), Buffer.alloc(padding)]));
  }

  inner(plaintext: Buffer): Buffer {
    return sealInner(this.#key, plaintext);
  }

  data(content: Buffer): Buffer {
    return sealData(this.#key, content);
  }

  /** Changes to the next key (RFC 8446, 7.2). */
  update(): void {
    this.#secret = nextSecret(this.#suite, this.#secret);
    this.#key = keyUnder(this.#suite, this.#secret);
  }
}

/** The opening half. A handshake record is taken for a KeyUpdate. */
export class RecordOpener {
  readonly #suite: Suite;
  #secret: Buffer;
  #key: RecordKey;
  #octets: Buffer = Buffer.alloc(0);
  /** The number of records under each key. */
  readonly counts: number[] = [0];
  readonly records: { type: number; content: Buffer }[] = [];

  constructor(suite: Suite, secret: Buffer) {
    this.#suite = suite;
    this.#secret = secret;
    this.#key = keyUnder(suite, secret);
  }

  /** Opens all complete records. @throws when a record cannot be authenticated */
  take(octets: Buffer): void {
    this.#octets = Buffer.concat([this.#octets, octets]);
    while (this.#octets.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#octets.readUInt16BE(3);
      if (this.#octets.length < end) return;
      this.#open(this.#octets.subarray(0, end));
      this.#octets = this.#octets.subarray(end);
    }
  }

  get data(): Buffer {
    return Buffer.concat(this.records.filter(({ type }) => type === DATA).map(({ content }) => content));
  }

  /** The contents of records of other types than data. */
  get others(): Buffer[] {
    return this.records.filter(({ type }) => type !== DATA).map(({ content }) => content);
  }

  #open(record: Buffer): void {
    const { cipher, key } = this.#key;
    const decipher = createDecipheriv(cipher as Gcm, key, nonceOf(this.#key), { authTagLength: TAG_BYTES });
    this.#key.sequence++;
    decipher.setAAD(record.subarray(0, HEADER_BYTES));
    decipher.setAuthTag(record.subarray(-TAG_BYTES));
    const inner = Buffer.concat([decipher.update(record.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
    const [type, content] = [inner.at(-1) as number, inner.subarray(0, -1)];
    this.records.push({ type, content });
    this.counts.push((this.counts.pop() as number) + 1);
    if (type !== HANDSHAKE) return;
    this.#secret = nextSecret(this.#suite, this.#secret);
    this.#key = keyUnder(this.#suite, this.#secret);
    this.counts.push(0);
  }
}
