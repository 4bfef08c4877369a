import type { TableChange, TableEntry, TableName } from './cluster-store.ts';
import type { Answer } from './store-errors.ts';

/** What a node asks of the process that has the store. `id` names a subscription, an answerer or a call of this node. */
export type StoreCommand =
  | { readonly do: 'publish'; readonly subject: string; readonly message: unknown }
  | { readonly do: 'subscribe' | 'respond'; readonly id: number; readonly subject: string }
  | { readonly do: 'stop'; readonly id: number }
  | { readonly do: 'flush'; readonly id: number }
  | {
      readonly do: 'request';
      readonly id: number;
      readonly subject: string;
      readonly message: unknown;
      readonly timeoutMs: number;
    }
  | { readonly do: 'answer'; readonly call: number; readonly answer: Answer }
  | {
      readonly do: 'put' | 'remove';
      readonly id: number;
      readonly table: TableName;
      readonly key: string;
      readonly value: unknown;
      readonly change: TableChange;
    }
  | { readonly do: 'history'; readonly id: number; readonly table: TableName; readonly key: string }
  | { readonly do: 'close' };

/** What the process with the store tells a node. */
export type StoreNotice =
  | { readonly tell: 'connection'; readonly isConnected: boolean }
  | { readonly tell: 'entry'; readonly table: TableName; readonly entry: TableEntry }
  | { readonly tell: 'loaded'; readonly table: TableName }
  | { readonly tell: 'message'; readonly id: number; readonly subject: string; readonly message: unknown }
  | { readonly tell: 'call'; readonly id: number; readonly call: number; readonly message: unknown }
  | { readonly tell: 'result'; readonly id: number; readonly answer: Answer };

/**
 * One end of a channel between two processes, which keeps the order. Messages are JSON as text, so that both ends of a channel
 * within one process share no objects.
 */
export interface StoreChannel {
  /** Does nothing when the other end is gone. */
  send(text: string): void;
  /** Called with each text of the other end; its owner sets it. */
  onText: ((text: string) => void) | undefined;
  /** Called once, when the other end is gone; its owner sets it. */
  onGone: (() => void) | undefined;
}
