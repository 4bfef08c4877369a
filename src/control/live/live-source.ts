import type { Logger } from '../../observability/logger.ts';
import type { AllowedNetworks } from '../method-reach.ts';
import type { SwitchControl } from '../schema.ts';
import { LIVE_CLOCK, type LiveClock, Slices } from './live-clock.ts';
import type { LiveReaderOptions } from './live-reader.ts';
import type { TableName } from './table-keys.ts';
import { TableSource, type TableSourceOptions } from './table-source.ts';

/** The tables of a switch for all that observe them. It does nothing while no table is observed. */
export class LiveSource {
  readonly #parts: Omit<TableSourceOptions, 'table' | 'allowed' | 'ended'>;
  /** Those at work: one for each table, and one more for each set of networks that a policy limits readers to. */
  readonly #sources = new Map<string, TableSource>();

  constructor(service: SwitchControl, logger: Logger, clock: LiveClock = LIVE_CLOCK) {
    const failed = (error: unknown, table: TableName): void =>
      logger.error({ err: error, table }, 'a table of observe failed unexpectedly');
    this.#parts = { service, clock, slices: new Slices(clock), failed };
  }

  /**
   * Sends a snapshot of a table and then its differences.
   * @param allowed only what is in these networks; default: all
   * @returns the function that ends that
   */
  observe(table: TableName, reader: LiveReaderOptions, allowed?: AllowedNetworks): () => void {
    const key = JSON.stringify([table, allowed?.toSorted()]);
    let source = this.#sources.get(key);
    if (source === undefined) {
      source = new TableSource({ ...this.#parts, table, allowed, ended: () => this.#sources.delete(key) });
      this.#sources.set(key, source);
    }
    return source.add(reader);
  }
}
