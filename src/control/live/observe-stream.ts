import { isDeepStrictEqual } from 'node:util';
import { EtherwsError } from '../../errors.ts';
import type { Caller } from '../caller-check.ts';
import { type AllowedNetworks, METHOD_REACH } from '../method-reach.ts';
import type { AllRights } from '../methods.ts';
import type { ObservationEntry, ObserveParams } from '../observe-entries.ts';
import type { LiveSink } from './live-reader.ts';
import type { LiveSource } from './live-source.ts';
import { LIVE_TABLES } from './live-tables.ts';
import type { TableName } from './table-keys.ts';

export interface ObserveStreamOptions extends AllRights {
  readonly sink: LiveSink;
  readonly caller: Caller;
  readonly live: LiveSource;
}

/** What one WebSocket observes. */
export class ObserveStream {
  readonly #options: ObserveStreamOptions;
  readonly #sink: LiveSink;
  /** The observed tables; null until `begin`. */
  readonly #ends = new Map<TableName, (() => void) | null>();
  #intervalMs = 0;

  constructor(options: ObserveStreamOptions) {
    this.#options = options;
    this.#sink = options.sink;
  }

  get isRunning(): boolean {
    return this.#ends.size > 0;
  }

  /**
   * Observes these tables instead of the former ones, from `begin` on. Those that the user may not list are left out.
   * @throws EtherwsError METHOD_FORBIDDEN if it may list none of them; then nothing is changed
   */
  start({ tables: wanted, interval = 1 }: ObserveParams): ObservationEntry {
    const asked = [...new Set(wanted)];
    const tables = asked.filter((table) => this.#mayRead(table));
    if (tables.length === 0 && asked.length > 0) throw this.#forbidden(asked);
    this.end();
    this.#intervalMs = interval * 1000;
    for (const table of tables) this.#ends.set(table, null);
    return { tables, refused: asked.filter((table) => !tables.includes(table)), interval };
  }

  /** To be called after each response, so that the first snapshot comes behind that to `observe`. */
  begin(): void {
    for (const [table, end] of this.#ends) {
      if (end !== null) continue;
      const allowed = this.#allowed;
      // With other networks it is another table.
      const mayRead = (): boolean => this.#mayRead(table) && isDeepStrictEqual(this.#allowed, allowed);
      const reader = { sink: this.#sink, intervalMs: this.#intervalMs, mayRead };
      this.#ends.set(table, this.#options.live.observe(table, reader, allowed));
    }
  }

  /** @returns the tables that were observed */
  end(): TableName[] {
    const tables = [...this.#ends.keys()];
    for (const end of this.#ends.values()) end?.();
    this.#ends.clear();
    return tables;
  }

  #mayRead(table: TableName): boolean {
    const { mayCall, caller } = this.#options;
    const { method } = LIVE_TABLES[table];
    if (this.#allowed !== undefined && METHOD_REACH[method] === 'switch') return false;
    return mayCall?.(caller.user, method) ?? true;
  }

  get #allowed(): AllowedNetworks {
    return this.#options.networksOf?.(this.#options.caller.user);
  }

  #forbidden(tables: readonly TableName[]): EtherwsError {
    const methods = tables.map((table) => LIVE_TABLES[table].method).join(', ');
    const { user } = this.#options.caller;
    const who = user === null ? 'A caller without credentials' : `The user ${user}`;
    return new EtherwsError('METHOD_FORBIDDEN', `${who} may not observe ${tables.join(', ')}`, {
      hint: `The operator of the switch can allow ${methods} in its policy`,
    });
  }
}
