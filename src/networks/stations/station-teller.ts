import type { FilteringEntry } from '../../bridge/fdb.ts';
import { addressTexts } from '../../bridge/stations/host-text.ts';
import { driftMs, type Listed, type Lister } from '../../control/live/listed.ts';
import type { LiveStationEntry } from '../../control/station-entries.ts';
import type { AttachedPort } from '../attached-port.ts';
import { fdbEntry, type SeenEntry } from '../fdb-entry.ts';
import { eachStation } from '../filtering-databases.ts';
import type { Switch } from '../switch.ts';
import type { WallClock } from './wall-clock.ts';

/** A station as it was told last, and what its entry was made of. */
interface Told extends Listed {
  entry: LiveStationEntry;
  port: AttachedPort;
  portName: string | undefined;
  kind: FilteringEntry['kind'];
  moves: number;
  isFlapping: boolean;
  seenMs: number;
  hostName: string | undefined;
  hostRevision: number;
  vendor: string | null;
  clockRevision: number;
  /** The last pass that has found it. */
  pass: number;
}

/**
 * Tells the stations to one reader, again and again. Of 65 536 stations few change within a second: the others cost a
 * comparison, and no object.
 */
export class StationTeller implements Lister {
  readonly #switch: Switch;
  readonly #clock: WallClock;
  readonly #vendorOf: (mac: number) => string | null;
  readonly #told = new Map<FilteringEntry, Told>();
  #pass = 0;

  constructor(owner: Switch, clock: WallClock, vendorOf: (mac: number) => string | null) {
    this.#switch = owner;
    this.#clock = clock;
    this.#vendorOf = vendorOf;
  }

  *each(): IterableIterator<Listed> {
    this.#clock.adjust();
    const pass = ++this.#pass;
    const drift = driftMs(this.#told.size);
    let found = 0;
    for (const { seen, port } of eachStation(this.#switch)) {
      let told = this.#told.get(seen.entry);
      if (told === undefined) {
        told = this.#tell(seen, port, undefined);
        this.#told.set(seen.entry, told);
      } else if (this.#hasChanged(told, seen, port, drift)) this.#tell(seen, port, told);
      if (told.pass !== pass) found++;
      told.pass = pass;
      yield told;
    }
    if (found === this.#told.size) return;
    for (const [entry, told] of this.#told) if (told.pass !== pass) this.#told.delete(entry);
  }

  #hasChanged(told: Told, { entry, isFlapping }: SeenEntry, port: AttachedPort, drift: number): boolean {
    const { moves, kind, host, seenMs, mac } = entry;
    return (
      told.port !== port ||
      told.portName !== port.name ||
      told.kind !== kind ||
      told.moves !== (moves?.total ?? 0) ||
      told.isFlapping !== isFlapping ||
      seenMs - told.seenMs > drift ||
      told.hostName !== host?.name ||
      told.hostRevision !== (host?.revision(performance.now()) ?? 0) ||
      told.vendor !== this.#vendorOf(mac) ||
      told.clockRevision !== this.#clock.revision
    );
  }

  /** Tells a station anew. @param told changed, if given */
  #tell(seen: SeenEntry, port: AttachedPort, told: Told | undefined): Told {
    const { entry, isFlapping } = seen;
    const { host, mac, moves, kind, learnedMs, seenMs } = entry;
    const { age: _, ...listed } = fdbEntry(seen, port);
    const vendor = this.#vendorOf(mac);
    const facts = {
      entry: {
        ...listed,
        seen: this.#clock.at(seenMs),
        since: learnedMs === 0 ? null : this.#clock.at(learnedMs),
        addresses: addressTexts(host, performance.now()),
        hostname: host?.name ?? null,
        vendor,
      },
      port,
      portName: port.name,
      kind,
      moves: moves?.total ?? 0,
      isFlapping,
      seenMs,
      hostName: host?.name,
      hostRevision: host?.revision(performance.now()) ?? 0,
      vendor,
      clockRevision: this.#clock.revision,
    };
    return told === undefined ? { ...facts, note: undefined, pass: 0 } : Object.assign(told, facts);
  }
}
