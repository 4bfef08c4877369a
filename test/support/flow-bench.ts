import { Bridge } from '../../src/bridge/bridge.ts';
import type { BridgeOptions } from '../../src/bridge/bridge-options.ts';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import { MUST_COME } from '../../src/bridge/flow-permit.ts';
import type { Flow } from '../../src/bridge/flow-table.ts';
import type { IngressPolicy } from '../../src/bridge/ingress-policy.ts';
import type { Congestion, DiscardReason } from '../../src/bridge/port.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { batchOf, type FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';

/** A policy that must see each frame. */
export const READ_ALL = {
  isAdmitted: () => true,
  check: () => undefined,
  release: () => undefined,
  permit: MUST_COME,
} as unknown as IngressPolicy;
export const CONGESTION: Congestion = { onceRelieved: () => undefined };

/** A port whose ends of native flows, congestion and refusal a test sets. */
export class FlowPort extends MemoryPort {
  flowSource: object | undefined = {};
  flowTarget: object | undefined = {};
  congestion: Congestion | undefined;
  refusal: DiscardReason | undefined;

  override send(batch: FrameBatch, index: number): DiscardReason | undefined {
    return this.refusal ?? super.send(batch, index);
  }
}

/** A bridge with three ports; at each it has learned the station with the port's number. */
export class FlowBench {
  readonly ports = Array.from({ length: 3 }, () => new FlowPort({ maxFrameBytes: 1000 }));
  readonly bridge: Bridge;
  readonly attached: BridgePort[];
  /** the flows installed since the last `offered` */
  flows: Flow[] = [];
  /** the number of invalidations */
  invalidations = 0;

  constructor(options: BridgeOptions = {}) {
    const flowTable = {
      install: (flow: Flow) => void this.flows.push(flow),
      invalidate: () => void this.invalidations++,
    };
    this.bridge = new Bridge({ flowTable, ...options });
    this.attached = this.ports.map((port) => this.bridge.attach(port));
    for (const port of this.ports) {
      port.open({ receive: () => undefined, linkChanged: () => undefined, discarded: () => undefined });
    }
    for (const at of this.ports.keys()) this.receive(at, batchOf(frame(at, at)));
    this.flows = [];
    this.invalidations = 0;
  }

  at(index: number): BridgePort {
    return this.attached[index] as BridgePort;
  }

  port(index: number): FlowPort {
    return this.ports[index] as FlowPort;
  }

  receive(at: number, batch: FrameBatch, nowMs = 0): Congestion | undefined {
    return this.bridge.receive(this.at(at), batch, nowMs);
  }

  /** Delivers one batch to port 0. @returns the flows that were installed */
  offered(...frames: Buffer[]): Flow[] {
    this.flows = [];
    this.receive(0, batchOf(...frames));
    return this.flows;
  }
}

/** A frame from one station to another, by their numbers. */
export function frame(destination: number, source: number, length = 60): Buffer {
  const header = [2, 0, 0, 0, 0, destination, 2, 0, 0, 0, 0, source, 0x88, 0xb5];
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length - header.length)]);
}

export const GROUP = Buffer.concat([Buffer.alloc(6, 0xff), frame(0, 0).subarray(6)]);
export const STATION_1 = 0x0200_0000_0001 as MacAddress;
export const UNKNOWN = 99;
/** An unknown station: frames to it are flooded and make no flow. */
export const FLOODED = 98;
