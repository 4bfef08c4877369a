import { INSTANCE_BYTES, NONCE_BYTES } from '../ethernet/loop-probe.ts';

/**
 * What nodes of a cluster tell each other of loops: the payloads of messages of the mesh, by their kinds. Numbers are of ports
 * of the node that is named.
 */
export const LOOP_HELLO = 17;
export const LOOP_HEARD = 18;
export const LOOP_FOUND = 19;
export const LOOP_SHUT = 20;

/** A port of the sender in a loop. */
export interface LoopEnd {
  readonly port: number;
  /** for how long the port has been there, in milliseconds */
  readonly ageMs: number;
  /** whether it is shut for a loop, or by another protection, already; `off`: loop detection is, so it cannot be */
  readonly shut: 'no' | 'loop' | 'other' | 'off';
}

/** LOOP_HEARD: a probe of the receiver's port has come by a port of the sender. */
export interface LoopHeard {
  readonly probed: number;
  /** NONCE_BYTES octets */
  readonly nonce: Uint8Array;
  readonly end: LoopEnd;
}

/** LOOP_FOUND: the probe was the sender's; the receiver decides between its port `by` and the sender's. */
export interface LoopFoundMessage {
  readonly by: number;
  readonly end: LoopEnd;
}

const SHUT = ['no', 'loop', 'other', 'off'] as const;
const END_BYTES = 13;
const HEARD_BYTES = 4 + NONCE_BYTES + END_BYTES;
const FOUND_BYTES = 4 + END_BYTES;
const SHUT_BYTES = 8;

export function encodeLoopHeard({ probed, nonce, end }: LoopHeard): Uint8Array {
  const bytes = new Uint8Array(HEARD_BYTES);
  viewOf(bytes).setUint32(0, probed);
  bytes.set(nonce, 4);
  writeEnd(bytes, 4 + NONCE_BYTES, end);
  return bytes;
}

export function decodeLoopHeard(bytes: Uint8Array): LoopHeard | undefined {
  if (bytes.length < HEARD_BYTES) return undefined;
  const nonce = bytes.slice(4, 4 + NONCE_BYTES);
  return { probed: viewOf(bytes).getUint32(0), nonce, end: readEnd(bytes, 4 + NONCE_BYTES) };
}

export function encodeLoopFound({ by, end }: LoopFoundMessage): Uint8Array {
  const bytes = new Uint8Array(FOUND_BYTES);
  viewOf(bytes).setUint32(0, by);
  writeEnd(bytes, 4, end);
  return bytes;
}

export function decodeLoopFound(bytes: Uint8Array): LoopFoundMessage | undefined {
  return bytes.length < FOUND_BYTES ? undefined : { by: viewOf(bytes).getUint32(0), end: readEnd(bytes, 4) };
}

/** LOOP_SHUT. @param port the receiver's, which it is to shut. @param other the sender's in the same loop */
export function encodeLoopShut(port: number, other: number): Uint8Array {
  const bytes = new Uint8Array(SHUT_BYTES);
  viewOf(bytes).setUint32(0, port);
  viewOf(bytes).setUint32(4, other);
  return bytes;
}

export function decodeLoopShut(bytes: Uint8Array): { readonly port: number; readonly other: number } | undefined {
  if (bytes.length < SHUT_BYTES) return undefined;
  return { port: viewOf(bytes).getUint32(0), other: viewOf(bytes).getUint32(4) };
}

/** LOOP_HELLO: the instance in the sender's probes. @returns it as a text */
export function decodeLoopHello(bytes: Uint8Array): string | undefined {
  return bytes.length < INSTANCE_BYTES ? undefined : instanceText(bytes.subarray(0, INSTANCE_BYTES));
}

export function instanceText(instance: Uint8Array): string {
  return Array.from(instance, (octet) => octet.toString(16).padStart(2, '0')).join('');
}

function writeEnd(bytes: Uint8Array, at: number, { port, ageMs, shut }: LoopEnd): void {
  const view = viewOf(bytes);
  view.setUint32(at, port);
  view.setFloat64(at + 4, ageMs);
  view.setUint8(at + 12, SHUT.indexOf(shut));
}

function readEnd(bytes: Uint8Array, at: number): LoopEnd {
  const view = viewOf(bytes);
  return { port: view.getUint32(at), ageMs: view.getFloat64(at + 4), shut: SHUT[view.getUint8(at + 12)] ?? 'other' };
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
