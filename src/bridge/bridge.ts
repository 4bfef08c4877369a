import { destinationOf, HEADER_BYTES, MAX_SUPER_FRAME_BYTES, sourceOf, vidOf } from '../wire/ethernet-frame.ts';
import type { FrameBatch } from '../wire/frame-batch.ts';
import { isGroupAddress, type MacAddress } from '../wire/mac-address.ts';
import type { Vid } from '../wire/vid.ts';
import { BridgePort, type PortNumber } from './bridge-port.ts';
import { FilteringDatabase, type FilteringEntry } from './filtering-database.ts';
import type { DiscardReason, LinkState, Port } from './port.ts';

export interface BridgeOptions {
  /** 802.1Q's ageing time; default 300 s (IEEE 802.1Q-2022, table 8-6). */
  ageingTimeMs?: number;
  /** The most filtering database entries; default 65 536. */
  fdbCapacity?: number;
  /** Told of what the bridge decides, for a debug log. Costs nothing when absent. */
  trace?: BridgeTrace;
}

export interface BridgeTrace {
  learned(entry: { vid: Vid; mac: MacAddress; port: PortNumber; from?: PortNumber }): void;
  aged(entry: FilteringEntry): void;
  forwarded(from: PortNumber, to: readonly PortNumber[], length: number): void;
}

/**
 * A transparent bridge (IEEE 802.1Q-2022, clause 8), sans-I/O: it owns no
 * timer, no clock and no socket. Whoever runs it calls `receive` for what
 * arrives, `age` now and then, and passes the time, in milliseconds of any
 * monotonic clock, to both.
 *
 * One frame's way, in the order of the code:
 *   1. `receive`   is it a frame at all, may its port receive?
 *   2. `#learn`    the source address is behind this port
 *   3. `#decide`   one port, all other ports, or none
 *   4. `#transmit` hand it to an egress port, count it or its discard
 *   5. at the end of the batch: flush each port that was touched, once
 */
export class Bridge {
  readonly #ports = new Map<PortNumber, BridgePort>();
  readonly #fdb: FilteringDatabase;
  readonly #trace: BridgeTrace | undefined;
  /** The ports that frames are flooded to; made anew when a port changes, not for each frame. */
  #forwarding: readonly BridgePort[] = [];
  #lastNumber = 0;
  #lastBatch = 0;
  #touched: BridgePort[] = [];

  constructor(options: BridgeOptions = {}) {
    const ageingTimeMs = options.ageingTimeMs ?? 300_000;
    const capacity = options.fdbCapacity ?? 65_536;
    if (!(ageingTimeMs > 0)) throw new RangeError(`ageingTimeMs must be above 0, got ${ageingTimeMs}`);
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError(`fdbCapacity must be a whole number of at least 1, got ${capacity}`);
    }
    this.#fdb = new FilteringDatabase({ ageingTimeMs, capacity });
    this.#trace = options.trace;
  }

  get ports(): ReadonlyMap<PortNumber, BridgePort> {
    return this.#ports;
  }

  get fdbSize(): number {
    return this.#fdb.size;
  }

  /** Adds a port under the next number. The caller opens it, and passes on what it delivers. */
  attach(port: Port): BridgePort {
    this.#lastNumber++;
    const bridgePort = new BridgePort(this.#lastNumber as PortNumber, port);
    this.#ports.set(bridgePort.number, bridgePort);
    this.#refreshForwarding();
    return bridgePort;
  }

  /** Takes a port out and forgets what was learned from it. The caller closes it. */
  detach(bridgePort: BridgePort): void {
    this.#ports.delete(bridgePort.number);
    this.#fdb.forgetPort(bridgePort);
    this.#refreshForwarding();
  }

  setShut(bridgePort: BridgePort, isShut: boolean): void {
    bridgePort.isShut = isShut;
    this.#refreshForwarding();
  }

  setLink(bridgePort: BridgePort, state: LinkState, reason?: string): void {
    bridgePort.link = state;
    bridgePort.linkReason = state === 'up' ? undefined : reason;
    this.#refreshForwarding();
  }

  /** Forgets what has aged out. Look-ups ignore it anyway: this only frees memory. */
  age(nowMs: number): void {
    this.#fdb.age(nowMs, this.#trace === undefined ? undefined : (entry) => this.#trace?.aged(entry));
  }

  fdbEntries(nowMs: number): IterableIterator<FilteringEntry> {
    return this.#fdb.entries(nowMs);
  }

  /**
   * Forwards the frames of one wake-up. The bytes are read, never written, and
   * not needed any more when it returns. Malformed frames are discards, never
   * exceptions.
   */
  receive(ingress: BridgePort, batch: FrameBatch, nowMs: number): void {
    if (!this.#ports.has(ingress.number)) return;
    if (ingress.isShut) {
      ingress.rx.discard('shut', batch.count);
      return;
    }
    // A port that delivers while it is being flushed (two memory ports back to back) re-enters here.
    const touched = this.#touched;
    this.#touched = [];
    const batchId = ++this.#lastBatch;

    // Most frames of a batch belong to one flow: what was found for the one before holds for this one.
    let lastSource = -1;
    let lastDestination = -1;
    let lastVid = -1;
    let known: BridgePort | undefined;

    for (let index = 0; index < batch.count; index++) {
      const start = batch.starts[index] as number;
      const length = batch.lengths[index] as number;
      const malformed = frameFault(length);
      if (malformed !== undefined) {
        ingress.rx.discard(malformed);
        continue;
      }
      ingress.rx.count(length);

      const vid = vidOf(batch.bytes, start, length);
      const source = sourceOf(batch.bytes, start);
      if (source !== lastSource || vid !== lastVid) {
        this.#learn(vid, source, ingress, nowMs);
        lastSource = source;
        lastDestination = -1;
      }
      const destination = destinationOf(batch.bytes, start);
      if (destination !== lastDestination || vid !== lastVid) {
        known = this.#decide(vid, destination, nowMs);
        lastDestination = destination;
        lastVid = vid;
      }

      if (known === undefined) this.#flood(ingress, batch, index, touched, batchId);
      else if (known === ingress) ingress.rx.discard('filtered');
      else this.#transmit(known, batch, index, touched, batchId);
      if (this.#trace !== undefined) this.#traceForward(ingress, known, length);
    }

    const isSoleEgress = touched.length === 1;
    for (const egress of touched) egress.port.flush(isSoleEgress);
    touched.length = 0;
    this.#touched = touched;
  }

  #learn(vid: Vid, source: MacAddress, ingress: BridgePort, nowMs: number): void {
    if (isGroupAddress(source)) return;
    if (this.#trace === undefined) {
      this.#fdb.learn(vid, source, ingress, nowMs);
      return;
    }
    const from = this.#fdb.lookup(vid, source, nowMs)?.number;
    const learned = this.#fdb.learn(vid, source, ingress, nowMs);
    if (learned === 'refreshed') return;
    const entry = { vid, mac: source, port: ingress.number };
    this.#trace.learned(from === undefined ? entry : { ...entry, from });
  }

  /** The one port that `destination` is behind, or undefined: flood. */
  #decide(vid: Vid, destination: MacAddress, nowMs: number): BridgePort | undefined {
    return isGroupAddress(destination) ? undefined : this.#fdb.lookup(vid, destination, nowMs);
  }

  #flood(ingress: BridgePort, batch: FrameBatch, index: number, touched: BridgePort[], batchId: number): void {
    for (const egress of this.#forwarding) {
      if (egress !== ingress) this.#transmit(egress, batch, index, touched, batchId);
    }
  }

  #transmit(egress: BridgePort, batch: FrameBatch, index: number, touched: BridgePort[], batchId: number): void {
    if (!egress.isForwarding) {
      egress.tx.discard(egress.isShut ? 'shut' : 'linkDown');
      return;
    }
    const refused = egress.port.send(batch, index);
    if (refused !== undefined) {
      egress.tx.discard(refused);
      return;
    }
    egress.tx.count(batch.lengths[index] as number);
    if (egress.touchedBy !== batchId) {
      egress.touchedBy = batchId;
      touched.push(egress);
    }
  }

  #traceForward(ingress: BridgePort, known: BridgePort | undefined, length: number): void {
    const targets = known === undefined ? this.#forwarding : [known];
    const numbers = targets.filter((port) => port !== ingress).map((port) => port.number);
    this.#trace?.forwarded(ingress.number, numbers, length);
  }

  #refreshForwarding(): void {
    this.#forwarding = [...this.#ports.values()].filter((port) => port.isForwarding);
  }
}

function frameFault(length: number): DiscardReason | undefined {
  if (length < HEADER_BYTES) return 'runt';
  return length > MAX_SUPER_FRAME_BYTES ? 'tooLong' : undefined;
}
