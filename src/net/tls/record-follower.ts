/** The header of a record: type, two octets of version, two of length (RFC 8446, 5.1). */
const HEADER_BYTES = 5;
/** The longest record of any version, with its header. */
const MAX_RECORD_BYTES = HEADER_BYTES + (1 << 14) + 2048;
/** change_cipher_spec to heartbeat (RFC 8446, B.1) */
const LEAST_TYPE = 20;
const MOST_TYPE = 24;
const NOTHING: Buffer = Buffer.alloc(0);

export const RECORD_APPLICATION_DATA = 23;

/** Finds the boundaries of the TLS records in one direction of a connection. */
export class RecordFollower {
  #partial: Buffer = NOTHING;
  #last: Buffer | undefined;
  #isLost = false;

  /** The last whole record; undefined when there was none, or when this was no stream of records. */
  get last(): Buffer | undefined {
    return this.#isLost ? undefined : this.#last;
  }

  /** What was taken and not given: the beginning of a record. */
  get partial(): Buffer {
    return this.#partial;
  }

  /**
   * Takes the next octets.
   * @returns those that end whole records, with what came before of them. Of what is no stream of records, all.
   */
  follow(octets: Buffer): Buffer {
    if (this.#isLost) return octets;
    const bytes = this.#partial.length === 0 ? octets : Buffer.concat([this.#partial, octets]);
    let end = 0;
    let start = 0;
    while (end < bytes.length) {
      const type = bytes[end] ?? 0;
      if (type < LEAST_TYPE || type > MOST_TYPE) return this.#lose(bytes);
      if (bytes.length - end < HEADER_BYTES) break;
      const recordBytes = HEADER_BYTES + bytes.readUInt16BE(end + 3);
      if (recordBytes > MAX_RECORD_BYTES) return this.#lose(bytes);
      if (bytes.length - end < recordBytes) break;
      start = end;
      end += recordBytes;
    }
    if (end > start) this.#last = Buffer.from(bytes.subarray(start, end));
    this.#partial = end === bytes.length ? NOTHING : Buffer.from(bytes.subarray(end));
    return bytes.subarray(0, end);
  }

  /** Follows no longer. @returns what was not given */
  stop(): Buffer {
    return this.#lose(this.#partial);
  }

  #lose(bytes: Buffer): Buffer {
    this.#isLost = true;
    this.#partial = NOTHING;
    this.#last = undefined;
    return bytes;
  }
}
