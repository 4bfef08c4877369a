import { ETHER_TYPE, etherTypeOf, HEADER_BYTES, MIN_WIRE_BYTES } from '../ethernet/ethernet-frame.ts';
import { type MacAddress, writeMacAddress } from '../ethernet/mac-address.ts';

/**
 * The frames by which the nodes of a cluster talk to each other on the ports of the mesh: an own protocol under the local
 * experimental EtherType 1 (IEEE 802-2014, 9.2.4), beside the probes of loop detection.
 *
 * | octets | field |
 * |---|---|
 * | 6 | destination 03-45-57-53-00-02: a locally administered group address; a node never relays it |
 * | 6 | source: the address of the network that sends it |
 * | 2 | EtherType 88-B5 |
 * | 2 | protocol 45-57 |
 * | 1 | version, 1 |
 * | 1 | kind, 2: messages of the mesh |
 * | | messages: each has one octet of its kind, two octets of the length of its payload, and the payload |
 * | | zeros up to the minimum length of IEEE 802.3; kind 0 is the end |
 *
 * Receivers pass over messages of kinds that they do not know.
 */
export const MESH_ADDRESS: MacAddress = 0x0345_5753_0002 as MacAddress;

const ETHER_TYPE_LOCAL_EXPERIMENTAL = 0x88b5;
const PROTOCOL = 0x4557;
const VERSION = 1;
const MESH = 2;
const MESSAGES = HEADER_BYTES + 4;
const LEAD_BYTES = 3;

/** The longest payload of a message: its frame fits into the MTU of any path. */
export const MAX_MESH_PAYLOAD_BYTES = 1400;

/** The end of the messages of a frame. */
const END = 0;

export interface MeshMessage {
  /** 1 to 255 */
  readonly kind: number;
  readonly payload: Uint8Array;
}

/**
 * The frame of one message, in octets of its own.
 * @throws RangeError for a kind or a payload that no frame can have, which is a mistake of the caller
 */
export function encodeMeshFrame(source: MacAddress, { kind, payload }: MeshMessage): Uint8Array {
  if (kind < 1 || kind > 255 || payload.length > MAX_MESH_PAYLOAD_BYTES) {
    throw new RangeError(`No message of kind ${kind} with ${payload.length} octets`);
  }
  const frame = new Uint8Array(Math.max(MIN_WIRE_BYTES, MESSAGES + LEAD_BYTES + payload.length));
  const view = new DataView(frame.buffer);
  writeMacAddress(view, 0, MESH_ADDRESS);
  writeMacAddress(view, 6, source);
  view.setUint16(ETHER_TYPE, ETHER_TYPE_LOCAL_EXPERIMENTAL);
  view.setUint16(HEADER_BYTES, PROTOCOL);
  view.setUint8(HEADER_BYTES + 2, VERSION);
  view.setUint8(HEADER_BYTES + 3, MESH);
  view.setUint8(MESSAGES, kind);
  view.setUint16(MESSAGES + 1, payload.length);
  frame.set(payload, MESSAGES + LEAD_BYTES);
  return frame;
}

/**
 * Reads the messages of a frame to MESH_ADDRESS.
 * @returns views of its octets; undefined for another protocol or version, and if a message is cut
 */
export function readMeshFrame(frame: Uint8Array): MeshMessage[] | undefined {
  if (frame.length < MESSAGES || etherTypeOf(frame, 0) !== ETHER_TYPE_LOCAL_EXPERIMENTAL) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (view.getUint16(HEADER_BYTES) !== PROTOCOL) return undefined;
  if (view.getUint8(HEADER_BYTES + 2) !== VERSION || view.getUint8(HEADER_BYTES + 3) !== MESH) return undefined;
  const messages: MeshMessage[] = [];
  for (let at = MESSAGES; at < frame.length && frame[at] !== END; ) {
    if (at + LEAD_BYTES > frame.length) return undefined;
    const end = at + LEAD_BYTES + view.getUint16(at + 1);
    if (end > frame.length) return undefined;
    messages.push({ kind: view.getUint8(at), payload: frame.subarray(at + LEAD_BYTES, end) });
    at = end;
  }
  return messages;
}
