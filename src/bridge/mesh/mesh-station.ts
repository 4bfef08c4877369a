import type { StationName } from '../../wire/mesh/station-records.ts';
import type { EntryKind, Told } from '../filtering-entry.ts';

/** What the exchange knows of a port. */
export interface StationPlace {
  readonly meshNode: string | undefined;
  readonly isIsolated: boolean;
}

/** What the exchange knows of a station. A filtering entry is one. */
export interface MeshStation extends StationName {
  readonly kind: EntryKind;
  readonly seenMs: number;
  readonly port: StationPlace;
  /** Written by the exchange. */
  sequence: number;
  isHeld: boolean;
  isIsolated: boolean;
  isAnnounced: boolean;
}

/**
 * The stations that a node knows: the filtering database of its bridge, or a model of that. It calls `appeared`, `moved` and
 * `gone` of the exchange for each change that the exchange has not made by `tell`.
 */
export interface StationStore {
  /** undefined: unknown, or expired; then it is removed */
  find(name: StationName, nowMs: number): MeshStation | undefined;
  /** Sets what a node tells of a station, whatever was known of it. */
  tell(name: StationName, node: string, told: Told, nowMs: number): void;
  /** Removes a station. */
  forget(station: MeshStation, nowMs: number): void;
  /** Removes all that a node has told, and what was learned from its frames. */
  forgetNode(node: string): void;
  /** The stations at ports of this node's own. */
  own(): Iterable<MeshStation>;
  /** Those that a node has told. */
  toldBy(node: string): Iterable<MeshStation>;
  /** How many more stations it takes before it displaces some. */
  readonly room: number;
}

/** What decides between two nodes that have the same station. */
export interface Claim {
  readonly sequence: number;
  readonly isHeld: boolean;
  readonly node: string;
}

/**
 * Whether a claim supersedes another one (RFC 7432, 15.1 and 15.2): a station that is set does not move; else the later move
 * wins, and of equal ones the lower node.
 */
export function supersedes(one: Claim, other: Claim): boolean {
  if (one.isHeld !== other.isHeld) return one.isHeld;
  if (one.sequence !== other.sequence) return one.sequence > other.sequence;
  return one.node < other.node;
}

/** Whether the operator has set a station at this node. */
export function isSet({ kind }: MeshStation): boolean {
  return kind === 'static' || kind === 'sticky';
}

/** Whether the operator has set it, at this node or at the one that has told it. */
export function isHeldBySome(station: MeshStation): boolean {
  return isSet(station) || (station.kind === 'told' && station.isHeld);
}
