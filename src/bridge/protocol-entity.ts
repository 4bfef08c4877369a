import type { ReservedSet } from '../wire/ethernet/reserved-address.ts';
import type { BridgePort } from './bridge-port.ts';
import { LazySet } from './lazy-set.ts';
import type { Pass } from './pass.ts';
import { refuse } from './stages/refuse.ts';

/**
 * A protocol entity of a bridge (IEEE 802.1Q-2022, 8.13), such as spanning tree or LLDP. It gets the frames to its
 * reserved group addresses, which are then not relayed, also from a port in state `discarding`; not from a port that is
 * shut or stands by. It sends with `Bridge.transmit`.
 */
export interface ProtocolEntity {
  /** The reserved addresses that it reads; while it is there, the bridge does not relay these even with `forwardReserved`. */
  readonly addresses: ReservedSet;
  /**
   * Called for each frame to a reserved address, with whatever tags it has. It must not throw.
   * @param frame valid, and read-only, until the call returns
   * @returns whether the frame was taken
   */
  received(port: BridgePort, frame: Uint8Array, nowMs: number): boolean;
  /** The parallel tunnels of the bridge are left to this entity, instead of one of them standing by (ParallelTunnels). */
  readonly decidesParallel?: boolean;
}

/** The protocol entities of a bridge. */
export class ProtocolEntities {
  readonly #entities = new LazySet<ProtocolEntity>();

  /** The addresses of all of them. */
  get addresses(): ReservedSet {
    let all = 0;
    for (const { addresses } of this.#entities) all |= addresses;
    return all;
  }

  add(entity: ProtocolEntity): void {
    this.#entities.add(entity);
  }

  remove(entity: ProtocolEntity): void {
    this.#entities.delete(entity);
  }

  /** Whether one of them decides which of parallel tunnels forwards. */
  get decideParallel(): boolean {
    for (const { decidesParallel } of this.#entities) if (decidesParallel === true) return true;
    return false;
  }

  /** Hands the present frame to the entity that takes it; if none does, it is a discard. */
  take(pass: Pass): void {
    const { ingress, batch, index, nowMs } = pass;
    for (const entity of this.#entities) if (entity.received(ingress, batch.frame(index), nowMs)) return;
    refuse(pass, 'reserved');
  }
}
