import * as v from 'valibot';
import { messageOf } from '../schema/check.ts';
import { atLeast, type Table, type ValuesOf } from '../schema/table.ts';
import { anyText, integer, listOf, type Schema, seconds, text } from '../schema/types.ts';
import { portReference } from '../schema/values.ts';

/** The parameters and results of the methods `capture` and `endCapture`. */

const MOST_PORTS = 64;
const MOST_FILTER_CHARACTERS = 4096;
/** Longer than any frame. */
const MOST_SNAP_LENGTH = 262_144;
const MOST_SECONDS = 1_000_000;

export const CAPTURE = {
  ports: {
    type: v.pipe(
      listOf(portReference as Schema<number | string>, MOST_PORTS),
      v.minLength(1, messageOf({ sentence: '{name} must name a port' })),
    ),
    required: true,
    help: 'numbers or names of ports',
  },
  filter: {
    type: text((filter) => (filter.length > MOST_FILTER_CHARACTERS ? 'is too long' : undefined)),
    flag: '--filter',
    metavar: 'EXPR',
    help: 'only frames that this expression matches, such as "tcp port 80"',
    defaultText: 'all',
  },
  snaplen: {
    type: integer(14, MOST_SNAP_LENGTH),
    flag: '--snaplen',
    metavar: 'N',
    unit: 'octets',
    help: 'only the first octets of each frame',
    defaultText: 'all',
  },
  count: { type: integer(1), flag: '--count', metavar: 'N', help: 'end when so many frames are captured' },
  duration: {
    type: seconds(MOST_SECONDS),
    flag: '--duration',
    metavar: 'S',
    unit: 'seconds',
    help: 'end after this time',
  },
} as const satisfies Table;

export type CaptureSpec = ValuesOf<typeof CAPTURE>;

/** A port in a capture. */
export const captureEntry = atLeast({
  port: integer(1),
  /** null without one */
  portName: v.nullable(anyText),
  /** frames that the port has received or sent in the capture */
  seen: integer(0),
  /** of these, matched by the filter */
  matched: integer(0),
  /** of the matched ones, not in the capture, since its reader was too slow */
  lost: integer(0),
});

export interface CaptureEntry {
  port: number;
  portName: string | null;
  seen: number;
  matched: number;
  lost: number;
}

export const CAPTURE_REASONS = ['count', 'duration', 'call', 'removed', 'stopped'] as const;

/** The notices of a capture, beside its octets: a port was removed, or the capture has ended. */
export type CaptureNotice =
  | { readonly event: 'port-removed'; readonly port: number; readonly portName: string | null }
  | {
      readonly event: 'ended';
      readonly reason: (typeof CAPTURE_REASONS)[number];
      readonly entries: readonly CaptureEntry[];
    };

/** The receiver of a capture's octets. */
export interface CaptureReader {
  readonly budget: CaptureReaderBudget;
  /** @param sent to be called once, when the octets were sent or dropped */
  send(octets: Uint8Array, sent: () => void): void;
  notify(notice: CaptureNotice): void;
}

/** The process's limit of octets that wait in captures. */
export interface CaptureReaderBudget {
  readonly isFull: boolean;
  hold(bytes: number): void;
  release(bytes: number): void;
}

/** A running capture of a switch. */
export interface SwitchCapture {
  readonly entries: CaptureEntry[];
  /** Whether octets wait for the reader. */
  readonly isReaderSlow: boolean;
  /** Records no more frames. Waiting ones are sent, then the statistics. */
  end(reason: 'call' | 'duration'): void;
  /** The same, but hands everything to the reader at once, however slow it is. */
  flush(): void;
  /** The reader is gone: sends nothing any more. */
  abandon(): void;
}
