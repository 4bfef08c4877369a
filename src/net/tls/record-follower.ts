/** The header of a record: type, two octets of version, two of length (RFC 8446, 5.1). */
const HEADER_BYTES = 5;
/** The longest record of any version, with its header. */
const MAX_RECORD_BYTES = HEADER_BYTES + (1 << 14) + 2048;
/** change_cipher_spec to heartbeat (RFC 8446, B.1) */
const FIRST_TYPE = 20;
const LAST_TYPE = 24;
const NOTHING: Buffer = Buffer.alloc(0);

export const RECORD_APPLICATION_DATA = 23;

/** Finds the boundaries of the TLS records in one direction of a connection. */
export class RecordFollower {
  #partial: Buffer = NOTHING;
  #last: Buffer | undefined;
  #isLost = false;

  /** The last complete record; undefined without one, or if the octets were not TLS records. */
  get last(): Buffer | undefined {
    return this.#isLost ? undefined : this.#last;
  }

  /** The octets of the incomplete record at the end. */
  get partial(): Buffer {
    return this.#partial;
  }

  /**
   * Takes the next octets of the stream.
   * @returns the complete records, incomplete ones of earlier calls included. If the octets are not TLS records, all octets.
   */
  follow(octets: Buffer): Buffer {
    if (this.#isLost) return octets;
    const bytes = this.#partial.length === 0 ? octets : Buffer.concat([this.#partial, octets]);
    let end = 0;
    let start = 0;
    while (end < bytes.length) {
      const type = bytes[end] ?? 0;
      if (type < FIRST_TYPE || type > LAST_TYPE) return this.#lose(bytes);
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

  /** Ends following: all further octets are returned as they come. @returns the incomplete record */
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
