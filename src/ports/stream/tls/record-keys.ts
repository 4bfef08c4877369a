import type { NativeAddon } from '../../../native/addon.ts';
import type { TlsRecords } from '../../../native/tls.ts';
import { nextSecret, type Suite, trafficKey } from './key-schedule.ts';

/** What native/datapath/tls_records.h offers, where it is there at all. */
export type RecordAddon = NativeAddon &
  Required<Pick<NativeAddon, 'startTlsRecords' | 'countTlsRecords' | 'endTlsRecords'>>;

export function hasRecords(addon: NativeAddon): addon is RecordAddon {
  return addon.startTlsRecords !== undefined;
}

/**
 * One direction's key, which the addon has, and the secret behind it. Only
 * the next traffic secret is kept: a leak exposes future records, never past ones.
 */
export class RecordKeys {
  readonly #addon: RecordAddon;
  readonly #suite: Suite;
  readonly #isSealing: boolean;
  #next: Buffer;
  #records: TlsRecords;

  /** @param secret the caller's again @param sequence the number of the next record */
  constructor(addon: RecordAddon, suite: Suite, secret: Buffer, sequence: number, isSealing: boolean) {
    this.#addon = addon;
    this.#suite = suite;
    this.#isSealing = isSealing;
    this.#records = this.#start(secret, sequence);
    this.#next = nextSecret(suite, secret);
  }

  get records(): TlsRecords {
    return this.#records;
  }

  /** How many records the key has sealed or opened, those before the handover among them. */
  get count(): number {
    return this.#addon.countTlsRecords(this.#records);
  }

  /** Goes on under the next key (RFC 8446, 7.2). */
  update(): void {
    const secret = this.#next;
    this.#addon.endTlsRecords(this.#records);
    this.#records = this.#start(secret, 0);
    this.#next = nextSecret(this.#suite, secret);
    secret.fill(0);
  }

  /** Forgets everything. */
  end(): void {
    this.#addon.endTlsRecords(this.#records);
    this.#next.fill(0);
  }

  #start(secret: Buffer, sequence: number): TlsRecords {
    const { key, iv } = trafficKey(this.#suite, secret);
    try {
      return this.#addon.startTlsRecords(this.#suite.index, key, iv, sequence, this.#isSealing);
    } finally {
      key.fill(0);
      iv.fill(0);
    }
  }
}
