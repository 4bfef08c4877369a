import type { AddressInfo } from 'node:net';
import type { CloseReason } from '../../bridge/port.ts';
import type { SwConfig } from '../../config/sw-config.ts';
import type { LogLevel, LogRoom } from '../../observability/log-rooms.ts';
import type { PlaceCounts } from '../../ports/tunnel/resume/tunnel-places.ts';

/** The contents of PEM files by path, which the first process may have read with rights that it has no more. */
export type PemTexts = readonly (readonly [path: string, text: string])[];

/** A worker as a node of the mesh of its service; see LocalNode. */
export interface LocalTask {
  readonly node: string;
  readonly socket: string;
  /** in base64url */
  readonly key: string;
}

/** What a worker is to do; given at its start. */
export interface WorkerTask {
  /** 2, 3, …: the first process is 1 */
  readonly number: number;
  /** of this worker (worker-config.ts) */
  readonly config: SwConfig;
  /** where the first process listens for tunnels */
  readonly address: AddressInfo;
  /** the numbers of its ports are above this one */
  readonly firstNumber: number;
  readonly mesh: LocalTask;
  readonly pems: PemTexts;
  readonly levels: readonly { readonly room: LogRoom; readonly level: LogLevel }[];
}

/** Messages of the first process to a worker. `store` is text of a StoreChannel. A connection comes as the handle of its message. */
export type ToWorker =
  | { readonly type: 'start'; readonly task: WorkerTask }
  | { readonly type: 'connection' }
  | { readonly type: 'reload'; readonly config: SwConfig; readonly pems: PemTexts }
  | { readonly type: 'levels'; readonly levels: WorkerTask['levels'] }
  | { readonly type: 'store'; readonly text: string }
  | { readonly type: 'places'; readonly changes: PlaceCounts }
  | { readonly type: 'stop'; readonly reason: CloseReason };

/** Messages of a worker. */
export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly hint: string | undefined }
  | { readonly type: 'load'; readonly load: WorkerLoad }
  | { readonly type: 'reloaded'; readonly failures: readonly string[] }
  | { readonly type: 'store'; readonly text: string }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly room: LogRoom;
      readonly fields: object;
      readonly message: string;
    };

/** What a worker has, told when it changes. */
export interface WorkerLoad {
  /** tunnels, handshakes, ports that wait for their clients, and connections before their handshake */
  readonly taken: number;
  /** how many connections it had been handed when it counted */
  readonly received: number;
  /** the counts that have changed since it told last */
  readonly places: PlaceCounts;
}
