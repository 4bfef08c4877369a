import { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { OffloadEngine } from '../wire/offload/engine.ts';
import { framesIn } from '../wire/offload/gso.ts';
import { neededOffloads, OFFLOAD_HEADER_BYTES, OFFLOAD_NONE, type Offloads } from '../wire/offload/virtio-header.ts';
import type { BridgePort } from './bridge-port.ts';
import { SoftwareOffload } from './software-offload.ts';

const NO_FRAMES: FrameBatch = new FrameBatch(Buffer.alloc(0), 0);

/** What lives for one batch on its way through the bridge. */
export class Pass {
  batch: FrameBatch = NO_FRAMES;
  readonly finishing: SoftwareOffload;
  readonly #touched: BridgePort[] = [];
  #id = 0;

  constructor(engine: OffloadEngine) {
    this.finishing = new SoftwareOffload(engine);
  }

  begin(id: number, batch: FrameBatch): void {
    this.#id = id;
    this.batch = batch;
    this.finishing.begin();
  }

  /** The one port that was handed frames; undefined: none was, or several. */
  get touched(): BridgePort | undefined {
    return this.#touched.length === 1 ? this.#touched[0] : undefined;
  }

  /** @returns whether the port took it */
  send(egress: BridgePort, batch: FrameBatch, index: number): boolean {
    // Also when it refuses: a port that is full must be seen to be congested.
    if (egress.touchedBy !== this.#id) {
      egress.touchedBy = this.#id;
      this.#touched.push(egress);
    }
    const refused = egress.port.send(batch, index);
    if (refused === undefined) egress.tx.count(batch.lengths[index] as number, framesIn(batch, index));
    else egress.drop('tx', refused, framesIn(batch, index), batch, index);
    return refused === undefined;
  }

  /**
   * Flushes each port that was handed a frame, once.
   * @returns the one port that everything from `ingress` has been going to for a while
   */
  end(ingress: BridgePort, nowMs: number): BridgePort | undefined {
    const [first] = this.#touched;
    const isSoleEgress = this.#touched.length === 1;
    for (const egress of this.#touched) egress.port.flush(isSoleEgress);
    this.#touched.length = 0;
    this.batch = NO_FRAMES;
    if (first === undefined) return undefined;
    const sole = isSoleEgress ? first : undefined;
    if (sole !== ingress.soleEgress) {
      ingress.soleEgress = sole;
      ingress.soleSinceMs = nowMs;
    }
    return sole !== undefined && ingress.sendsOnlyTo(sole, nowMs) ? sole : undefined;
  }
}

/** The offloads that frame `index` needs; none without an offload header. */
export function debtIn(batch: FrameBatch, index: number): Offloads {
  if (!batch.hasOffloadHeaders) return OFFLOAD_NONE;
  return neededOffloads(batch.bytes, (batch.starts[index] as number) - OFFLOAD_HEADER_BYTES);
}
