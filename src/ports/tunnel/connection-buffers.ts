import type { BufferHolder } from '../stream/buffer-budget.ts';
import type { Outbox } from '../stream/outbox.ts';
import type { Transport } from '../stream/transport.ts';
import type { Inbox } from './inbox.ts';

export interface ConnectionBuffersOptions {
  readonly outbox: Pick<Outbox, 'heldBytes' | 'shed'>;
  readonly inbox: Pick<Inbox, 'heldBytes'>;
  readonly transport: Pick<Transport, 'heldBytes'>;
  /** ends the connection */
  readonly abandon: (reason: string) => void;
}

/** What a connection holds of the buffers of the process: frames that wait, and messages that have not come completely. */
export class ConnectionBuffers implements BufferHolder {
  readonly #options: ConnectionBuffersOptions;

  constructor(options: ConnectionBuffersOptions) {
    this.#options = options;
  }

  get heldBytes(): number {
    const { outbox, inbox, transport } = this.#options;
    return outbox.heldBytes + inbox.heldBytes + (transport.heldBytes ?? 0);
  }

  /** Drops waiting frames first. When that frees too little, the connection ends in the next turn of the event loop. */
  shed(bytes: number): number {
    const { heldBytes } = this;
    const given = this.#options.outbox.shed(bytes);
    if (given >= bytes) return given;
    setImmediate(() => this.#options.abandon('all buffers are full, and this tunnel held most'));
    return heldBytes;
  }
}
