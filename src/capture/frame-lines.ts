import { describeFrame } from '../wire/ethernet/frame-summary.ts';
import { dissect } from './dissect/dissect.ts';
import type { ReadPacket } from './pcapng-reader.ts';

/** A captured frame as text, for `etherws ctl capture`. */
export interface FrameWords {
  /** the wall clock of the switch, as `2026-11-29T02:10:00.000123Z` */
  readonly time: string;
  /** the name of its port, or `port-N` */
  readonly port: string;
  /** `in`: the port has received it; `out`: it was to be sent by the port */
  readonly direction: 'in' | 'out';
  /** octets of the whole frame */
  readonly length: number;
  /** addresses, tags, IP addresses and ports, length */
  readonly frame: string;
  /** the innermost protocol that is known, such as `DNS` */
  readonly protocol: string;
  /** what the frame is for, such as `query 0x1a2b A example.org` */
  readonly info: string;
  /** such as `discarded: queueFull` */
  readonly comments: readonly string[];
}

export function wordsOfFrame({
  interfaceName,
  timeUs,
  direction,
  bytes,
  length,
  comments,
  lost,
}: ReadPacket): FrameWords {
  const microseconds = String(timeUs % 1000).padStart(3, '0');
  const { protocol, info } = dissect(bytes).summary;
  const frame = { bytes, start: 0, captured: bytes.length, length, hasOffloadHeader: false };
  return {
    time: new Date(Math.floor(timeUs / 1000)).toISOString().replace('Z', `${microseconds}Z`),
    port: interfaceName,
    direction: direction === 'rx' ? 'in' : 'out',
    length,
    frame: describeFrame(frame),
    protocol,
    info,
    comments: lost === 0 ? comments : [...comments, `${lost} lost before it`],
  };
}
