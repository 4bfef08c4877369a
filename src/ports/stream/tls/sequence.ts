import { createDecipheriv } from 'node:crypto';
import { RECORD_APPLICATION_DATA } from '../../../net/tls/record-follower.ts';
import type { Suite, TrafficKey } from './key-schedule.ts';

const HEADER_BYTES = 5;
const TAG_BYTES = 16;
/** A handshake, its tickets, a request and its answer are a handful of records. */
const MOST = 64;

/**
 * Finds a record's place among those under a key: the only number under which it can be opened (RFC 8446, 5.3).
 * @param record with its header
 * @returns undefined when it was made under another key, lies too far, or carries no application data: a record of the
 *   handshake may have changed what comes behind it
 */
export function sequenceOf(record: Buffer, suite: Suite, key: TrafficKey): number | undefined {
  if (record.length <= HEADER_BYTES + TAG_BYTES || record[0] !== RECORD_APPLICATION_DATA) return undefined;
  for (let sequence = 0; sequence <= MOST; sequence++) {
    const content = open(record, suite, key, sequence);
    if (content === undefined) continue;
    const type = content[content.findLastIndex((octet) => octet !== 0)];
    content.fill(0);
    return type === RECORD_APPLICATION_DATA ? sequence : undefined;
  }
  return undefined;
}

function open(record: Buffer, { cipher }: Suite, { key, iv }: TrafficKey, sequence: number): Buffer | undefined {
  // Outside of V8's heap, as the key is: a short buffer leaves a copy there whenever it is moved.
  const nonce = Buffer.from(new ArrayBuffer(iv.length));
  iv.copy(nonce);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ sequence) >>> 0, 8);
  // All three have tags of 16 octets; the types of Node know them one by one.
  const decipher = createDecipheriv(cipher as 'aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(record.subarray(0, HEADER_BYTES));
  decipher.setAuthTag(record.subarray(record.length - TAG_BYTES));
  const content = decipher.update(record.subarray(HEADER_BYTES, record.length - TAG_BYTES));
  try {
    decipher.final();
    return content;
  } catch {
    return undefined;
  } finally {
    nonce.fill(0);
  }
}
