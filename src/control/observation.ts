import { controlFailure } from './control-address.ts';
import { ControlStream, type ControlStreamOptions } from './control-stream.ts';
import { type Observed, ObservedTable } from './live/observed-table.ts';
import type { LiveEntry, TableName } from './live/table-keys.ts';

export interface ObservationOptions extends ControlStreamOptions {
  readonly table: TableName;
  /** seconds */
  readonly interval: number;
  /** Called when a snapshot or a difference is complete, with the entries in any order. */
  readonly onChange: (entries: Iterable<LiveEntry>) => void;
  /** Called once, with the reason, when the connection ends without a call. */
  readonly onEnd: (error: Error) => void;
}

/**
 * Opens a WebSocket to a control API and observes one table.
 * @returns the function that ends the observation
 * @throws ControlError, EtherwsError as `ControlClient.call`
 */
export async function openObservation(options: ObservationOptions): Promise<() => void> {
  const { table: name, interval, onChange, onEnd } = options;
  const table = new ObservedTable(name);
  const fail = (): void => {
    stream.end();
    onEnd(controlFailure(options.address, `does not let this user observe ${name} any more`, 'Its policy has changed'));
  };
  const stream = await ControlStream.open(
    options,
    'observe',
    { tables: [name], interval },
    {
      notified: (method, params) => {
        if (method !== 'observed') return;
        const piece = params as Observed;
        table.apply(piece);
        if (piece.forbidden === true) fail();
        else if (piece.done === true) onChange(table.rows.values());
      },
      ended: onEnd,
    },
  );
  return () => stream.end();
}
