import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { CapturedPort, type PortStatistics } from './captured-port.ts';
import type { FrameFilter } from './filter.ts';
import { enhancedPacket, interfaceDescription, type PacketRecord, sectionHeader } from './pcapng-writer.ts';
import { recordedOctets } from './recorded-octets.ts';

/** The consumer of a capture's octets. */
export interface CaptureSink {
  /** The process's limit of octets that wait in captures. */
  readonly budget: CaptureBudget;
  /** @param sent to be called once, when the octets were sent or dropped */
  send(octets: Uint8Array, sent: () => void): void;
  /** A port was removed; others are left. */
  portRemoved(index: number): void;
  /** The capture has ended; `send` is not called again. */
  ended(reason: CaptureEnd): void;
}

export interface CaptureBudget {
  readonly isFull: boolean;
  hold(bytes: number): void;
  release(bytes: number): void;
}

export const CAPTURE_ENDS = ['count', 'duration', 'call', 'removed', 'stopped'] as const;
/** Why a capture ends: `count` frames, its time limit, a call of its caller, no port left, the switch stops. */
export type CaptureEnd = (typeof CAPTURE_ENDS)[number];

export interface CaptureOptions {
  /** one interface of the file for each port */
  readonly ports: readonly { readonly name: string; readonly description: string }[];
  readonly filter: FrameFilter;
  /** the text of the filter, for the file */
  readonly filterText: string;
  /** limit of the recorded octets of a frame; 0: none */
  readonly snapLength: number;
  /** limit of frames; undefined: none */
  readonly count: number | undefined;
  /** the program that writes, with its version */
  readonly application: string;
}

/** Limit of the frames that wait for a slow reader; further ones are lost, and counted. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;
/** Memory of a waiting frame beside its octets, roughly. */
const RECORD_BYTES = 160;
/** Limit of the octets that the sink has and has not sent. */
const WINDOW_BYTES = 256 * 1024;
const CHUNK_BYTES = 32 * 1024;

/**
 * A capture of some ports for one reader, as pcapng. Frames are copied when they pass and encoded in a later turn of
 * the event loop, so that a record has the reason of a discard that happens after the copy.
 */
export class Capture {
  readonly ports: readonly CapturedPort[];
  readonly #options: CaptureOptions;
  readonly #sink: CaptureSink;
  /** Records, and encoded blocks, from `#next` on. */
  #queue: (PacketRecord | Buffer)[] = [];
  #next = 0;
  #waitingBytes = 0;
  #sentBytes = 0;
  #recorded = 0;
  #drain: NodeJS.Immediate | undefined;
  #end: CaptureEnd | undefined;
  #hasEnded = false;
  /** The wall clock at the start; times of frames count from it, so that changes of the clock do not disorder them. */
  readonly #originMs = Date.now() - performance.now();

  constructor(options: CaptureOptions, sink: CaptureSink) {
    this.#options = options;
    this.#sink = sink;
    this.ports = options.ports.map((_port, index) => new CapturedPort(index, this));
    const { snapLength, filterText: filter } = options;
    const interfaces = options.ports.map((port) => interfaceDescription({ ...port, snapLength, filter }));
    this.#push(Buffer.concat([sectionHeader(options.application), ...interfaces]));
  }

  /** The statistics of the ports, as of now. */
  get statistics(): PortStatistics[] {
    return this.ports.map(({ statistics }) => statistics);
  }

  /** Microseconds since 1970. */
  nowUs(): number {
    return Math.floor((this.#originMs + performance.now()) * 1000);
  }

  /** Whether frames wait for the reader. */
  get isReaderSlow(): boolean {
    return this.#sentBytes >= WINDOW_BYTES;
  }

  /** @returns the record of a frame that the filter matches; undefined for others, and for a frame that is lost */
  record(port: CapturedPort, direction: 'rx' | 'tx', batch: FrameBatch, index: number): PacketRecord | undefined {
    if (this.#end !== undefined) return undefined;
    const { filter, snapLength, count } = this.#options;
    const length = batch.lengths[index] as number;
    port.received++;
    if (!filter(batch.bytes, batch.starts[index] as number, length)) return undefined;
    port.accepted++;
    const bytes = snapLength > 0 ? Math.min(snapLength, length) : length;
    if (this.#waitingBytes + bytes > MOST_WAITING_BYTES || this.#sink.budget.isFull) {
      port.lose();
      return undefined;
    }
    const record: PacketRecord = {
      interfaceId: port.index,
      timeUs: port.timeUs,
      direction,
      bytes: recordedOctets(batch, index, snapLength),
      length,
      comments: [],
      lost: port.takeLost(),
    };
    this.#push(record);
    if (++this.#recorded === count) this.end('count');
    return record;
  }

  /** The port was removed: its statistics follow its last frame. */
  remove(port: CapturedPort): void {
    if (this.#end !== undefined || port.isRemoved) return;
    this.#push(port.finish());
    if (this.ports.every(({ isRemoved }) => isRemoved)) this.end('removed');
    else this.#sink.portRemoved(port.index);
  }

  /** Records no more frames. Waiting ones are sent, then the statistics of the ports. */
  end(reason: CaptureEnd): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#drain ??= setImmediate(() => this.#send());
  }

  /** As `end`, but hands everything to the sink at once, for a switch that stops. */
  flush(reason: CaptureEnd): void {
    if (this.#hasEnded) return;
    this.#end ??= reason;
    this.#send(Number.POSITIVE_INFINITY);
  }

  /** The reader is gone: sends nothing any more. */
  abandon(): void {
    this.#end ??= 'call';
    this.#hasEnded = true;
    clearImmediate(this.#drain);
    this.#sink.budget.release(this.#waitingBytes);
    this.#waitingBytes = 0;
    this.#queue = [];
    this.#next = 0;
  }

  #push(item: PacketRecord | Buffer): void {
    this.#queue.push(item);
    const bytes = sizeOf(item);
    this.#waitingBytes += bytes;
    this.#sink.budget.hold(bytes);
    this.#drain ??= setImmediate(() => this.#send());
  }

  #send(windowBytes: number = WINDOW_BYTES): void {
    clearImmediate(this.#drain);
    this.#drain = undefined;
    if (this.#hasEnded) return;
    while (this.#next < this.#queue.length && this.#sentBytes < windowBytes) this.#sendChunk();
    if (this.#next < this.#queue.length || this.#end === undefined) return;
    this.#hasEnded = true;
    for (const port of this.ports) if (!port.isRemoved) this.#hand(port.finish());
    this.#sink.ended(this.#end);
  }

  #sendChunk(): void {
    const blocks: Buffer[] = [];
    let bytes = 0;
    while (this.#next < this.#queue.length && bytes < CHUNK_BYTES) {
      const item = this.#queue[this.#next++] as PacketRecord | Buffer;
      const freed = sizeOf(item);
      this.#waitingBytes -= freed;
      this.#sink.budget.release(freed);
      const block = Buffer.isBuffer(item) ? item : enhancedPacket(item);
      blocks.push(block);
      bytes += block.length;
    }
    if (this.#next === this.#queue.length) {
      this.#queue = [];
      this.#next = 0;
    }
    this.#hand(Buffer.concat(blocks, bytes));
  }

  #hand(octets: Buffer): void {
    const { budget } = this.#sink;
    this.#sentBytes += octets.length;
    budget.hold(octets.length);
    this.#sink.send(octets, () => {
      this.#sentBytes -= octets.length;
      budget.release(octets.length);
      if (this.#next < this.#queue.length) this.#send();
    });
  }
}

function sizeOf(item: PacketRecord | Buffer): number {
  return Buffer.isBuffer(item) ? item.length : item.bytes.length + RECORD_BYTES;
}
