/** The parts of a test frame; absent ones have defaults. */
export interface FrameParts {
  readonly to?: string;
  readonly from: string;
  /** A C-TAG with this VID. */
  readonly vid?: number;
  readonly payload?: string;
}

/** An Ethernet frame of the local experimental EtherType 0x88b5 (IEEE 802), padded to 60 octets. */
export function frameOf({ to = 'ff:ff:ff:ff:ff:ff', from, vid, payload = '' }: FrameParts): Buffer {
  const tag = vid === undefined ? '' : `8100${vid.toString(16).padStart(4, '0')}`;
  const head = `${to}${from}`.replaceAll(':', '');
  const frame = Buffer.concat([Buffer.from(`${head}${tag}88b5`, 'hex'), Buffer.from(payload)]);
  return Buffer.concat([frame, Buffer.alloc(Math.max(0, 60 - frame.length))]);
}

/** The fields of a WebSocket frame's head; by default it is a complete binary message of a client. */
export interface MessageOptions {
  readonly opcode?: number;
  readonly isFinal?: boolean;
  readonly isMasked?: boolean;
  /** The three reserved bits. */
  readonly reserved?: number;
}

/** A frame of a WebSocket client as octets (RFC 6455, 5.2), masked unless `isMasked` is false. */
export function clientMessage(payload: Uint8Array, options: MessageOptions = {}): Buffer {
  const { opcode = 2, isFinal = true, isMasked = true, reserved = 0 } = options;
  const key = Buffer.from('37fa213d', 'hex');
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  const length = payload.length;
  const marker = length < 126 ? length : length < 65_536 ? 126 : 127;
  const head = Buffer.alloc(2 + (marker === 126 ? 2 : marker === 127 ? 8 : 0));
  head[0] = first;
  head[1] = (isMasked ? 0x80 : 0) | marker;
  if (marker === 126) head.writeUInt16BE(length, 2);
  if (marker === 127) head.writeBigUInt64BE(BigInt(length), 2);
  if (!isMasked) return Buffer.concat([head, payload]);
  return Buffer.concat([head, key, Buffer.from(payload).map((octet, index) => octet ^ (key[index % 4] as number))]);
}
