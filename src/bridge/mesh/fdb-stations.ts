import type { StationName } from '../../wire/mesh/station-records.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { FilteringDatabase } from '../fdb.ts';
import type { EntryKind, FilteringEntry, StationWatcher, Told } from '../filtering-entry.ts';
import type { FlowInstaller } from '../flow-installer.ts';
import type { MeshStation, StationStore } from './mesh-station.ts';
import type { StationExchange } from './station-exchange.ts';

/** The filtering database of a bridge, as the exchange of stations uses it. */
export class FdbStations implements StationStore, StationWatcher {
  /** Told of changes. */
  readonly exchange: StationExchange;
  readonly #fdb: FilteringDatabase;
  readonly #flows: FlowInstaller;
  readonly #portOf: (node: string) => BridgePort | undefined;

  /**
   * @param portOf the port to a node
   * @param make makes the exchange on this store
   */
  constructor(
    fdb: FilteringDatabase,
    flows: FlowInstaller,
    portOf: (node: string) => BridgePort | undefined,
    make: (store: StationStore) => StationExchange,
  ) {
    this.#fdb = fdb;
    this.#flows = flows;
    this.#portOf = portOf;
    this.exchange = make(this);
  }

  find({ vid, mac }: StationName, nowMs: number): MeshStation | undefined {
    const entry = this.#fdb.find(vid, mac);
    if (entry === undefined || this.#fdb.lookup(vid, mac, nowMs) !== undefined) return entry;
    // It has expired and was not removed yet, so the others still count it.
    this.#fdb.delete(vid, mac);
    return undefined;
  }

  tell({ vid, mac }: StationName, node: string, told: Told, nowMs: number): void {
    const port = this.#portOf(node);
    if (port === undefined) return;
    const known = this.#fdb.find(vid, mac);
    // Isolation is decided once for a flow; a move ends it anyway.
    if (known !== undefined && known.isIsolated !== told.isIsolated) this.#flows.invalidateFlowsOf(known, nowMs);
    this.#fdb.tell(vid, mac, port, told, nowMs);
  }

  forget({ vid, mac }: MeshStation, nowMs: number): void {
    const entry = this.#fdb.delete(vid, mac);
    if (entry !== undefined) this.#flows.invalidateFlowsOf(entry, nowMs);
  }

  forgetNode(node: string): void {
    const port = this.#portOf(node);
    if (port !== undefined) this.#fdb.forgetPort(port);
    this.#flows.invalidate();
  }

  *own(): IterableIterator<MeshStation> {
    // Expired ones come as well: the others were told of them, and are told when they are removed.
    yield* this.#fdb.entriesOf(isOfStations);
  }

  *toldBy(node: string): IterableIterator<MeshStation> {
    const port = this.#portOf(node);
    if (port !== undefined) yield* this.#fdb.toldAt(port);
  }

  /** A port is isolated now, or no longer. */
  isolationChanged(port: BridgePort): void {
    if (!isOfStations(port)) return;
    for (const entry of this.#fdb.entriesOf((each) => each === port)) this.exchange.isolationChanged(entry);
  }

  get room(): number {
    return this.#fdb.capacity - this.#fdb.size;
  }

  appeared(entry: FilteringEntry): void {
    if (entry.port.number !== 0) this.exchange.appeared(entry);
  }

  moved(entry: FilteringEntry, from: BridgePort, was: EntryKind): void {
    const isFromInside = from.number === 0;
    // Another node that claims the address of the switch itself may have had it announced from there, too.
    if (isFromInside || entry.port.number === 0) this.exchange.movedInside(entry, from, was);
    else this.exchange.moved(entry, from, was);
    if (isFromInside) this.appeared(entry);
  }

  gone(entry: FilteringEntry): void {
    this.exchange.gone(entry);
  }
}

/** Whether its stations are told: not the switch itself, whose address each node may have, and not those of other nodes. */
function isOfStations({ number, meshNode }: BridgePort): boolean {
  return number !== 0 && meshNode === undefined;
}
