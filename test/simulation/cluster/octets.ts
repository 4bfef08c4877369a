import { HEADER_BYTES, MIN_WIRE_BYTES } from '../../../src/wire/ethernet/ethernet-frame.ts';

/** Behind the Ethernet header: protocol, version, kind of frame; and what leads a message. */
const MESH_HEADER_BYTES = 4 + 3;

/** The octets of the frame that carries a message of the mesh, as the counters of the port count them. */
export function frameOctets(payload: Uint8Array): number {
  return Math.max(MIN_WIRE_BYTES, HEADER_BYTES + MESH_HEADER_BYTES + payload.length);
}

/** The frames of control that each node has sent and received. */
export class Octets {
  readonly sent: Float64Array;
  readonly received: Float64Array;
  frames = 0;

  constructor(nodes: number) {
    this.sent = new Float64Array(nodes);
    this.received = new Float64Array(nodes);
  }

  add(from: number, to: number, octets: number, frames = 1): void {
    this.frames += frames;
    this.sent[from] = (this.sent[from] as number) + octets;
    this.received[to] = (this.received[to] as number) + octets;
  }

  reset(): void {
    this.sent.fill(0);
    this.received.fill(0);
    this.frames = 0;
  }

  /** Sent and received, of the node with most and in the mean. */
  get atNodes(): { readonly most: number; readonly mean: number } {
    const both = this.sent.map((octets, node) => octets + (this.received[node] as number));
    return { most: both.reduce((most, octets) => Math.max(most, octets), 0), mean: sum(both) / both.length };
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
