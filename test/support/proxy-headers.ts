/** PROXY headers, made by hand from the specification. */

const SIGNATURE = Buffer.from('0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a'.replaceAll(' ', ''), 'hex');

export interface BinaryHeader {
  /** high: version, low: command; default version 2, PROXY */
  readonly command?: number;
  /** high: family, low: protocol; default INET, STREAM */
  readonly family?: number;
  /** everything after the length; default 192.0.2.9:56324 to 10.0.0.1:443 */
  readonly body?: Uint8Array;
  /** default: that of the body */
  readonly length?: number;
}

export const INET_BODY: Buffer = Buffer.from('c0000209 0a000001 dc04 01bb'.replaceAll(' ', ''), 'hex');

/** A header of version 2. */
export function binaryHeader({ command = 0x21, family = 0x11, body = INET_BODY, length }: BinaryHeader = {}): Buffer {
  const size = length ?? body.length;
  return Buffer.concat([SIGNATURE, Buffer.of(command, family, size >> 8, size & 0xff), body]);
}

/** The body for IPv6 addresses, in eight groups each. */
export function inet6Body(from: readonly number[], to: readonly number[], ports: readonly [number, number]): Buffer {
  const body = Buffer.alloc(36);
  for (const [index, group] of [...from, ...to, ...ports].entries()) body.writeUInt16BE(group, index * 2);
  return body;
}
