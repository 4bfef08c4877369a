import type { BridgePort } from './bridge-port.ts';
import type { EntryKind, FilteringEntry } from './filtering-entry.ts';
import type { Sized } from './largest-first.ts';
import type { Moves } from './moves.ts';
import type { Station } from './station-table.ts';

/** An entry as the filtering database has it. */
export interface Node extends FilteringEntry, Station<Node> {
  port: BridgePort;
  kind: EntryKind;
  seenMs: number;
  learnedMs: number;
  flowUntilMs: number;
  moves: Moves | undefined;
  share: Share;
  older: Node | undefined;
  newer: Node | undefined;
}

/** The entries of one port that age, or its static ones, in a list from the least to the most recently seen. */
export interface Share extends Sized {
  oldest: Node | undefined;
  newest: Node | undefined;
}

/** Makes an entry the most recently seen one of its share. */
export function append(entry: Node): void {
  const { share } = entry;
  entry.older = share.newest;
  entry.newer = undefined;
  if (share.newest === undefined) share.oldest = entry;
  else share.newest.newer = entry;
  share.newest = entry;
}

/** Takes an entry out of the list of its share. */
export function unlink(entry: Node): void {
  const { share, older, newer } = entry;
  if (older === undefined) share.oldest = newer;
  else older.newer = newer;
  if (newer === undefined) share.newest = older;
  else newer.older = older;
}
