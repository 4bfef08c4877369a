import type { Lldpdu } from '../../wire/lldp/lldpdu.ts';
import type { BridgePort } from '../bridge-port.ts';
import { LazyMap } from '../lazy-map.ts';

/** The most neighbours of one port: a hub of etherws 1.x relays LLDPDUs, so there may be more than one. */
export const MAX_NEIGHBORS_OF_PORT = 32;
/** The most neighbours of a network. With 2 KiB each that is at most 16 MiB. */
export const MAX_NEIGHBORS = 8192;

/** What an agent at the other end of a link said last: an MSAP (IEEE 802.1AB-2016, 3.2.9). */
export interface LldpNeighbor {
  readonly port: BridgePort;
  readonly lldpdu: Lldpdu;
  /** when its first LLDPDU came, and the last one with something new */
  readonly sinceMs: number;
  readonly changedMs: number;
  /** rxInfoTTL: when it is forgotten */
  readonly expiresMs: number;
}

interface Entry extends LldpNeighbor {
  lldpdu: Lldpdu;
  /** the octets of the LLDPDU, to see whether anything changed */
  octets: Buffer;
  changedMs: number;
  expiresMs: number;
}

/** What `take` did. `full`: the neighbour is a new one, and there is no room. */
export type Taken =
  | { readonly update: 'full' }
  | { readonly update: 'added' | 'changed' | 'refreshed'; readonly found: LldpNeighbor };

/** The remote systems of one network, bounded per port and in total. */
export class LldpNeighbors {
  readonly #byPort = new LazyMap<BridgePort, Map<string, Entry>>();
  #size = 0;
  /** No entry expires before it; spares the search each second. */
  #firstExpiryMs = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#size;
  }

  /** By port, in the order of their first LLDPDUs. */
  *all(): IterableIterator<LldpNeighbor> {
    for (const entries of this.#byPort.values()) yield* entries.values();
  }

  *of(port: BridgePort): IterableIterator<LldpNeighbor> {
    const entries = this.#byPort.get(port);
    if (entries !== undefined) yield* entries.values();
  }

  /**
   * Takes what a neighbour says; its TTL is above 0.
   * @param octets those of the LLDPDU; copied
   */
  take(port: BridgePort, lldpdu: Lldpdu, octets: Uint8Array, nowMs: number): Taken {
    const expiresMs = nowMs + lldpdu.ttlSeconds * 1000;
    const key = msapOf(lldpdu);
    const known = this.#byPort.get(port)?.get(key);
    if (known === undefined) {
      if (this.#size >= MAX_NEIGHBORS || (this.#byPort.get(port)?.size ?? 0) >= MAX_NEIGHBORS_OF_PORT)
        return { update: 'full' };
      const entry = { port, lldpdu, octets: Buffer.from(octets), sinceMs: nowMs, changedMs: nowMs, expiresMs };
      const entries = this.#byPort.get(port) ?? new Map<string, Entry>();
      this.#byPort.set(port, entries);
      entries.set(key, entry);
      this.#size++;
      this.#firstExpiryMs = Math.min(this.#firstExpiryMs, expiresMs);
      return { update: 'added', found: entry };
    }
    known.expiresMs = expiresMs;
    this.#firstExpiryMs = Math.min(this.#firstExpiryMs, expiresMs);
    if (known.octets.equals(octets)) return { update: 'refreshed', found: known };
    known.lldpdu = lldpdu;
    known.octets = Buffer.from(octets);
    known.changedMs = nowMs;
    return { update: 'changed', found: known };
  }

  /** Removes the neighbour that sent a shutdown LLDPDU. */
  leave(port: BridgePort, lldpdu: Lldpdu): LldpNeighbor | undefined {
    const key = msapOf(lldpdu);
    const entry = this.#byPort.get(port)?.get(key);
    if (entry !== undefined) this.#remove(key, entry);
    return entry;
  }

  /** Removes what expired, and calls back for each. */
  age(nowMs: number, removed: (neighbor: LldpNeighbor) => void): void {
    if (nowMs < this.#firstExpiryMs) return;
    this.#firstExpiryMs = Number.POSITIVE_INFINITY;
    for (const entries of [...this.#byPort.values()]) {
      for (const [key, entry] of [...entries]) {
        if (nowMs >= entry.expiresMs) {
          this.#remove(key, entry);
          removed(entry);
        } else this.#firstExpiryMs = Math.min(this.#firstExpiryMs, entry.expiresMs);
      }
    }
  }

  /** Removes the neighbours of a port. */
  forget(port: BridgePort): LldpNeighbor[] {
    const entries = [...(this.#byPort.get(port)?.values() ?? [])];
    this.#byPort.delete(port);
    this.#size -= entries.length;
    return entries;
  }

  #remove(key: string, { port }: LldpNeighbor): void {
    const entries = this.#byPort.get(port);
    if (entries?.delete(key) !== true) return;
    this.#size--;
    if (entries.size === 0) this.#byPort.delete(port);
  }
}

/** The identifiers of the sender: its chassis and its port, with their subtypes. */
function msapOf({ chassisId, portId }: Lldpdu): string {
  const text = ({ subtype, octets }: Lldpdu['chassisId']): string =>
    `${subtype}:${Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')}`;
  return `${chassisId.octets.length} ${text(chassisId)} ${text(portId)}`;
}
