import type { Congestion } from '../../bridge/port.ts';
import type { Transport } from '../stream/transport.ts';

/** As MAX_WAIT_MS of the data path (native/datapath/backpressure.h). */
const MAX_WAIT_MS = 100;

/**
 * Lets a tunnel wait whose frames all go to a tunnel that has no room, where the bridge forwards them. The data path has its own
 * rule for flows; the reasons stand there, also why only an egress to another process of this machine is waited for.
 */
export class IngressWait {
  readonly #transport: Transport;
  /** Runs while the transport is not read. */
  #patience: NodeJS.Timeout | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @param congestion what the bridge has told of a batch */
  consider(congestion: Congestion | undefined): void {
    if (congestion?.isLocal !== true || this.#patience !== undefined) return;
    if (this.#transport.isLocal === true || this.#transport.hold === undefined) return;
    this.#transport.hold(true);
    this.#patience = setTimeout(this.end, MAX_WAIT_MS);
    congestion.onceRelieved(this.end);
  }

  /** The tunnel is read again. Idempotent. */
  readonly end = (): void => {
    if (this.#patience === undefined) return;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#transport.hold?.(false);
  };
}
