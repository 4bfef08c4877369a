import { MemoryPort } from '../src/index.ts';

/** Local Experimental EtherType 1 (IEEE 802-2014, 9.2.4). */
const ETHER_TYPE = 0x88b5;
const HEADER_BYTES = 14;
/** The fields behind the header: the kind of the frame, 1 octet, and its number, 4 octets. */
const CONTROL_BYTES = 5;
const MAX_FRAME_BYTES = 1514;

export const DATA_BYTES: number = MAX_FRAME_BYTES - HEADER_BYTES - CONTROL_BYTES;

export type Kind = keyof typeof KINDS;
const KINDS = { data: 0, taken: 1, ping: 2, pong: 3 } as const;
const NAMES = Object.keys(KINDS) as Kind[];

/** A frame between two stations. The receiver owns `payload`. */
export interface Message {
  readonly kind: Kind;
  readonly number: number;
  readonly payload: Buffer;
}

/** A host with one network interface: an in-memory port and a MAC address. */
export class Station {
  readonly port: MemoryPort;
  readonly #address: Buffer;
  #receive: (messages: Message[]) => void = () => undefined;

  /** @param address six octets in hex */
  constructor(name: string, address: string) {
    this.#address = Buffer.from(address, 'hex');
    this.port = new MemoryPort({
      target: name,
      onFrames: (frames) => this.#receive(frames.filter((frame) => this.#isForUs(frame)).map(parse)),
    });
  }

  /** Replaces the receiver of messages, which is called once a batch. */
  onMessages(receive: (messages: Message[]) => void): void {
    this.#receive = receive;
  }

  send(to: Station, ...messages: readonly { kind: Kind; number: number; payload?: Uint8Array }[]): void {
    this.port.deliver(
      ...messages.map(({ kind, number, payload = new Uint8Array() }) => {
        const control = Buffer.alloc(2 + CONTROL_BYTES);
        control.writeUInt16BE(ETHER_TYPE);
        control[2] = KINDS[kind];
        control.writeUInt32BE(number, 3);
        return Buffer.concat([to.#address, this.#address, control, payload]);
      }),
    );
  }

  #isForUs(frame: Buffer): boolean {
    return frame.length >= HEADER_BYTES + CONTROL_BYTES && frame.subarray(0, 6).equals(this.#address);
  }
}

function parse(frame: Buffer): Message {
  return {
    kind: NAMES[frame[HEADER_BYTES] ?? 0] ?? 'data',
    number: frame.readUInt32BE(HEADER_BYTES + 1),
    payload: frame.subarray(HEADER_BYTES + CONTROL_BYTES),
  };
}
