import { randomBytes } from 'node:crypto';
import {
  LoopDetection,
  type LoopDetectionMode,
  type LoopDetectionParts,
} from '../../src/bridge/loop-detection/loop-detection.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { type LanPort, MemoryLan } from './memory-lan.ts';

const PROBE = '034557530001';

/** A bridge with loop detection, and what it has said. */
export class ProbingLan extends MemoryLan {
  readonly said: string[] = [];
  readonly detection: LoopDetection;

  /** @param parts replace those of this test */
  constructor(mode: LoopDetectionMode = 'on', parts: Partial<LoopDetectionParts> = {}) {
    super();
    this.detection = new LoopDetection(mode, {
      address: 0x0200_0000_00ff as MacAddress,
      randomBytes,
      transmit: (port, vid, frame) => void this.bridge.transmitInVlan(port, vid, frame),
      protect: (port, reason) => this.bridge.protect(port, { cause: 'loop', reason }),
      unprotect: (port) => this.bridge.protect(port, undefined),
      onFound: ({ from, by, shut }) => this.said.push(`${from.number} by ${by.number}: shut ${shut.number}`),
      onOpened: ({ number }) => this.said.push(`open ${number}`),
      ...parts,
    });
    this.bridge.loopDetection = this.detection;
  }

  /** Seconds pass; after each, `wire` carries what ports have sent. */
  seconds(count: number, wire: () => void = () => undefined): void {
    for (let second = 0; second < count; second++) {
      this.pass(1000);
      this.detection.tick(this.bridge.eachPort(), this.nowMs);
      wire();
    }
  }
}

/** A cable between two ports. */
export function cable(one: LanPort, other: LanPort): () => void {
  return () => {
    const [from, to] = [one.take(), other.take()];
    other.send(...from);
    one.send(...to);
  };
}

export const probes = (frames: readonly string[]): string[] => frames.filter((frame) => frame.startsWith(PROBE));
