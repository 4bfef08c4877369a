import { Bridge } from '../../src/bridge/bridge.ts';
import type { BridgeOptions } from '../../src/bridge/bridge-options.ts';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import type { BridgePortSettings } from '../../src/bridge/port-settings.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';

export const BROADCAST = 'ffffffffffff';
export const GROUP = '01005e000001';
export const ADA = '020000000001';
export const BOB = '020000000002';
export const CEM = '020000000003';

/** A port of a `MemoryLan`. */
export interface LanPort {
  readonly port: BridgePort;
  /** copies of the frames that it sent, in hexadecimal */
  readonly got: string[];
  send(...frames: readonly (Uint8Array | string)[]): void;
  /** Takes what was sent since the last call. */
  take(): string[];
}

/** A frame of the local experimental EtherType, in hexadecimal. */
export function plain(destination: string, source: string, tag = ''): string {
  return `${destination}${source}${tag}88b5${'00'.repeat(46)}`;
}

/** A bridge of ports in memory, on a clock that the test turns. */
export class MemoryLan {
  readonly bridge: Bridge;
  nowMs = 0;

  constructor(options: BridgeOptions = {}) {
    this.bridge = new Bridge(options);
  }

  join(settings: Partial<BridgePortSettings> = {}): LanPort {
    const got: string[] = [];
    const memory = new MemoryPort({
      onFrames: (frames) => got.push(...frames.map((frame) => Buffer.from(frame).toString('hex'))),
    });
    const port = this.bridge.attach(memory);
    this.set(port, settings);
    memory.open({
      receive: (batch) => this.bridge.receive(port, batch, this.nowMs),
      linkChanged: (state, reason) => this.bridge.setLink(port, state, reason),
      discarded: (direction, reason, frames) => port.discard(direction, reason, frames),
    });
    const octets = (frame: Uint8Array | string): Uint8Array =>
      typeof frame === 'string' ? Buffer.from(frame, 'hex') : frame;
    return {
      port,
      got,
      send: (...frames) => void memory.deliver(...frames.map(octets)),
      take: () => got.splice(0),
    };
  }

  /** Changes settings; absent ones stay. */
  set(port: BridgePort, settings: Partial<BridgePortSettings>): void {
    this.bridge.setSettings(port, { ...port.settings, ...settings });
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.bridge.age(this.nowMs);
  }
}

/** The discards of a port at ingress, without those that are 0. */
export function refusals({ port }: LanPort): Record<string, number> {
  return Object.fromEntries(Object.entries(port.rx.discards).filter(([, frames]) => frames > 0));
}
