/**
 * The frames of the simulation. The last octets of each say which one it is, so that it is known again with other tags, and
 * whether any octet of what was sent was changed:
 *
 *   destination, source, [tag], EtherType, …, 'NUMF', number, destination, source, checksum
 */

const MAGIC = Buffer.from('NUMF');
const TRAILER_BYTES = MAGIC.length + 4 + 6 + 6 + 4;
export const BROADCAST = 'ffffffffffff';
/** An EtherType for experiments (IEEE 802, 2014, 9.2.3). */
export const EXPERIMENT = '88b5';

export interface NumberedFrame {
  readonly number: number;
  /** The VID of an outer C-TAG; undefined without one. */
  readonly tag: number | undefined;
  readonly destination: string;
  readonly source: string;
}

export interface FrameFields {
  readonly number: number;
  readonly destination: string;
  readonly source: string;
  readonly tag?: number | undefined;
  /** hexadecimal, from the EtherType on; default: an experimental EtherType */
  readonly contents?: string;
}

export function numberedFrame({ number, destination, source, tag, contents = EXPERIMENT }: FrameFields): Buffer {
  const word = tag === undefined ? '' : `8100${tag.toString(16).padStart(4, '0')}`;
  const head = Buffer.from(destination + source + word + contents, 'hex');
  const padding = Buffer.alloc(Math.max(0, 64 - head.length - TRAILER_BYTES));
  const body = Buffer.concat([MAGIC, Buffer.alloc(4), Buffer.from(destination + source, 'hex')]);
  body.writeUInt32BE(number, MAGIC.length);
  return Buffer.concat([head, padding, body, checksum(body)]);
}

/** @returns undefined for another frame, such as a BPDU, and `damaged` for one with changed octets */
export function parseNumbered(frame: Buffer): NumberedFrame | 'damaged' | undefined {
  const body = frame.subarray(frame.length - TRAILER_BYTES, frame.length - 4);
  if (frame.length < 14 + TRAILER_BYTES || !body.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const isWhole = checksum(body).equals(frame.subarray(frame.length - 4));
  const isOwnHeader = frame.subarray(0, 12).equals(body.subarray(MAGIC.length + 4));
  if (!isWhole || !isOwnHeader) return 'damaged';
  return {
    number: body.readUInt32BE(MAGIC.length),
    tag: frame.readUInt16BE(12) === 0x8100 ? frame.readUInt16BE(14) & 0xfff : undefined,
    destination: frame.toString('hex', 0, 6),
    source: frame.toString('hex', 6, 12),
  };
}

/** Fletcher-32 over octets. */
function checksum(bytes: Buffer): Buffer {
  let [one, two] = [1, 1];
  for (const byte of bytes) {
    one = (one + byte) % 65_535;
    two = (two + one) % 65_535;
  }
  const sum = Buffer.alloc(4);
  sum.writeUInt16BE(one);
  sum.writeUInt16BE(two, 2);
  return sum;
}
