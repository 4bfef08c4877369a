import { setImmediate as turn } from 'node:timers/promises';
import { EtherwsError } from '../../errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { readUserFile } from '../user-file.ts';
import { PREFIX_BITS, readOuiLine } from './oui-line.ts';

/** Where Debian has tables of vendors: packages ieee-data, wireshark (libwireshark-data) and nmap (nmap-common). */
export const USUAL_TABLES = [
  '/usr/share/ieee-data/oui.txt',
  '/usr/share/wireshark/manuf',
  '/usr/share/nmap/nmap-mac-prefixes',
] as const;

/** What is told instead of a vendor for an address that its host or hypervisor has made (IEEE 802-2014, 8.4.2). */
export const LOCALLY_ADMINISTERED = 'locally administered';

/** oui.txt has 6 MB. */
const MOST_BYTES = 64 * 1024 * 1024;
/** So many lines take about a millisecond. */
const LINES_A_TURN = 2000;
const LOCAL_BIT = 0x200_0000_0000;
const ADDRESS_BITS = 48;

/**
 * The vendors of MAC addresses, by a table that is kept elsewhere. It is read when `load` is called first, in slices, so
 * that no turn of the loop is long, and kept until the process ends: some 5 MiB
 * (bench/programs/vendors-memory.ts).
 */
export class VendorTable {
  readonly #file: string | undefined;
  readonly #logger: Logger;
  /** By the bits of the prefix. */
  readonly #vendors = new Map<number, Map<number, string>>(PREFIX_BITS.map((bits) => [bits, new Map()]));
  #loading: Promise<void> | undefined;

  /** @param file undefined: the first of USUAL_TABLES that is there */
  constructor(file: string | undefined, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  /** Reads the table, once. It does not fail: without a table all vendors are unknown. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** @param mac the 48 bits of an address. @returns LOCALLY_ADMINISTERED for such an address; null: not known, or not loaded yet */
  vendorOf(mac: number): string | null {
    if (Math.floor(mac / LOCAL_BIT) % 2 === 1) return LOCALLY_ADMINISTERED;
    for (const [bits, vendors] of this.#vendors) {
      const vendor = vendors.get(Math.floor(mac / 2 ** (ADDRESS_BITS - bits)));
      if (vendor !== undefined) return vendor;
    }
    return null;
  }

  async #load(): Promise<void> {
    const isGiven = this.#file !== undefined;
    for (const path of this.#file === undefined ? USUAL_TABLES : [this.#file]) {
      try {
        const { text } = await readUserFile(path, MOST_BYTES);
        await this.#read(text);
        return;
      } catch (error) {
        if (isGiven) this.#logger.warn({ error: messageOf(error), file: path }, 'vendors of addresses stay unknown');
      }
    }
  }

  async #read(text: string): Promise<void> {
    let lines = 0;
    for (let from = 0; from < text.length; ) {
      const newline = text.indexOf('\n', from);
      const end = newline < 0 ? text.length : newline;
      const found = readOuiLine(text.slice(from, end).trimEnd());
      // A slice would keep the whole file in memory.
      if (found !== undefined) this.#vendors.get(found.bits)?.set(found.prefix, Buffer.from(found.vendor).toString());
      from = end + 1;
      if (++lines % LINES_A_TURN === 0) await turn();
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof EtherwsError ? error.message : String(error);
}
