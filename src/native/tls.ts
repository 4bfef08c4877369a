declare const brand: unique symbol;

/** One direction of a TLS connection, under one key, which is forgotten by `endTlsRecords` or when it is collected. */
export type TlsRecords = object & { readonly [brand]: 'TlsRecords' };

/** TLS records behind the handshake (RFC 8446, 5): there where Node exports the ciphers of its OpenSSL. */
export interface TlsDoor {
  /**
   * Says whether AES-GCM of keys that start from now on may be that of a library which is faster than OpenSSL.
   * @returns the version of ipsec-mb where that is so
   */
  chooseAes?(mayUseLibrary: boolean): string | null;
  /**
   * One direction of a connection under one key. Key and IV are copied: the caller may overwrite them at once. The copy
   * is wiped by `endTlsRecords`, or when the object is collected; a tunnel that uses the object keeps it (sealTunnel).
   * @param suite an index into SUITES (tls/key-schedule.ts)
   * @param sequence the number of the next record under the key
   * @throws RangeError: an unknown suite, or a key, an IV (12 octets) or a sequence that do not fit it; Error: OpenSSL does
   *   not give the cipher
   */
  startTlsRecords?(suite: number, key: Uint8Array, iv: Uint8Array, sequence: number, isSealing: boolean): TlsRecords;
  /** The number of the next record under the key. */
  countTlsRecords?(records: TlsRecords): number;
  /** Forgets the key. Idempotent. */
  endTlsRecords?(records: TlsRecords): void;
}
