import { Bridge } from '../../src/bridge/bridge.ts';
import type { BridgeOptions } from '../../src/bridge/bridge-options.ts';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import type { MulticastOptions } from '../../src/bridge/multicast/multicast-settings.ts';
import type { MulticastSnooper } from '../../src/bridge/multicast/multicast-snooper.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { batchOf } from '../../src/wire/ethernet/frame-batch.ts';
import { parseMacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { IpWords } from '../../src/wire/multicast/ip-words.ts';
import { MulticastPacket } from '../../src/wire/multicast/multicast-packet.ts';
import { readMulticast } from '../../src/wire/multicast/read-multicast.ts';
import { dataFrame, type MessageFields } from './multicast-frames.ts';

export const SWITCH_MAC = parseMacAddress('02:00:00:00:0f:00');

/** A bridge with multicast snooping, memory ports that are numbered from 1, and a clock that the test drives. */
export class MulticastLan {
  nowMs = 1_000_000;
  readonly bridge: Bridge;
  readonly ports: BridgePort[] = [];
  readonly heard: Buffer[][] = [];

  constructor(count: number, options: Partial<MulticastOptions> = {}, bridgeOptions: BridgeOptions = {}) {
    this.bridge = new Bridge(bridgeOptions);
    for (let number = 0; number < count; number++) this.plug();
    this.bridge.setMulticast({ mac: SWITCH_MAC, isQuerier: false, ...options }, this.nowMs);
  }

  get snooper(): MulticastSnooper {
    const { multicast } = this.bridge;
    if (multicast === undefined) throw new Error('snooping is off');
    return multicast;
  }

  plug(): BridgePort {
    const heard: Buffer[] = [];
    const memory = new MemoryPort({ onFrames: (frames) => void heard.push(...frames) });
    const port = this.bridge.attach(memory);
    memory.open({
      receive: (batch) => this.bridge.receive(port, batch, this.nowMs),
      linkChanged: (state, reason) => this.bridge.setLink(port, state, reason),
      discarded: () => undefined,
    });
    this.ports.push(port);
    this.heard.push(heard);
    return port;
  }

  port(number: number): BridgePort {
    return this.ports[number - 1] as BridgePort;
  }

  /** Sends frames into a port. @returns the numbers of the ports that sent frames, in ascending order */
  send(number: number, ...frames: readonly Uint8Array[]): number[] {
    this.takeHeard();
    this.bridge.receive(this.port(number), batchOf(...frames), this.nowMs);
    return this.ports.filter((_, at) => (this.heard[at] as Buffer[]).length > 0).map((port) => port.number);
  }

  /** The ports to which a datagram to a group goes. */
  reach(number: number, group: string, fields: MessageFields = {}): number[] {
    return this.send(number, dataFrame(group, fields));
  }

  /** Lets time pass, a second at a time, as a switch does. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 1000) {
      this.nowMs += Math.min(1000, left);
      this.bridge.age(this.nowMs);
    }
  }

  /** The frames that each port has sent since the last call, and since the last `send`. */
  takeHeard(): Buffer[][] {
    return this.heard.map((frames) => frames.splice(0));
  }

  /**
   * The queries among the frames that ports have sent, as `port group from querier`, with `for` the sources that are asked for, and
   * with `S` for that flag.
   */
  takeQueries(): string[] {
    const packet = new MulticastPacket();
    return this.takeHeard().flatMap((frames, at) =>
      frames
        .filter((frame) => readMulticast(packet, frame, 0, frame.length) === 'query')
        .map((frame) => {
          readMulticast(packet, frame, 0, frame.length);
          const vid = frame.readUInt16BE(12) === 0x8100 ? ` in ${frame.readUInt16BE(14)}` : '';
          const asked = sourcesIn(packet);
          const sources = asked.length === 0 ? '' : ` for ${asked.join(' ')}`;
          return `${at + 1} ${packet.group} from ${packet.source}${vid}${sources}${packet.isSuppressing ? ' S' : ''}`;
        }),
    );
  }

  /** The memberships, as `vid group port seconds`, in any order. */
  get memberships(): string[] {
    return [...this.snooper.memberships(this.nowMs)]
      .map(
        ({ group, port, untilMs }) => `${group.vid} ${group.address} ${port.number} ${(untilMs - this.nowMs) / 1000}`,
      )
      .sort();
  }

  /** The ports that router messages were heard by, as `family vid port`. */
  get routers(): string[] {
    return [...this.snooper.vlans()].flatMap(({ vid, family, routers }) =>
      [...routers.entries()]
        .filter(([, untilMs]) => untilMs > this.nowMs)
        .map(([port]) => `${family} ${vid} ${port.number}`),
    );
  }
}

/** The sources of a query, or of the record that was read last. */
export function sourcesIn(packet: MulticastPacket): string[] {
  const source = new IpWords();
  return Array.from({ length: packet.sources }, (_, index) => {
    packet.readSource(index, source);
    return String(source);
  });
}
