import type { CaptureReader, CaptureSpec, SwitchCapture } from './capture-entries.ts';
import type { Lister } from './live/listed.ts';
import type { TableName } from './live/table-keys.ts';
import type { Entries, MethodName, PortReference } from './schema.ts';

/** Calls at a switch that consists of several processes, of which this one has the control API. */
export interface ProcessCalls {
  /**
   * Makes a call where it belongs: here, at another process, or at all of them with one result.
   * @param own makes it here
   */
  call<M extends MethodName>(
    method: M,
    params: object,
    own: () => Entries[M][] | Promise<Entries[M][]>,
  ): Promise<Entries[M][]>;
  /** A table of `observe` of all processes. @param own the list of this one */
  table(name: TableName, own: Lister): Lister;
  /** The network of a port of another process; undefined if no process has it. */
  networkOf(port: PortReference): Promise<string | undefined>;
  /**
   * A capture of ports of all processes.
   * @throws EtherwsError as `SwitchControl.capture`
   */
  capture(spec: Omit<CaptureSpec, 'duration'>, reader: CaptureReader): Promise<SwitchCapture>;
}
