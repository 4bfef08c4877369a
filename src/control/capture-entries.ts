import * as v from 'valibot';
import { messageOf } from '../schema/check.ts';
import { networkName } from '../schema/network-options.ts';
import { atLeast, type Table, type ValuesOf } from '../schema/table.ts';
import { anyText, integer, listOf, type Schema, seconds, text } from '../schema/types.ts';
import { portReference } from '../schema/values.ts';
import type { AllowedNetworks } from './method-reach.ts';

/** The parameters and results of the methods `capture`, `captureCluster` and `endCapture`. */

/** The most ports of a capture at one node. */
export const MOST_CAPTURED_PORTS = 64;
const MOST_FILTER_CHARACTERS = 4096;
/** Longer than any frame. */
const MOST_SNAP_LENGTH = 262_144;
const MOST_SECONDS = 1_000_000;

/** What both kinds of captures have. */
const FRAMES = {
  network: {
    type: networkName,
    flag: '--net',
    metavar: 'NAME',
    help: 'all ports of this network, but those to other nodes, instead of named ports',
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

export const CAPTURE = {
  ports: {
    type: v.pipe(
      listOf(portReference as Schema<number | string>, MOST_CAPTURED_PORTS),
      v.minLength(1, messageOf({ sentence: '{name} must name a port' })),
    ),
    help: 'numbers or names of ports',
  },
  ...FRAMES,
} as const satisfies Table;

/** A port of a node, `NODE/PORT`. */
const PORT_OF_NODE = /^[A-Za-z0-9_-]{1,63}\/.+$/s;
const portOfNode = text((port) => (PORT_OF_NODE.test(port) ? undefined : 'is no NODE/PORT'), {
  pattern: PORT_OF_NODE.source,
});

export const CAPTURE_CLUSTER = {
  ports: {
    type: v.pipe(
      listOf(portOfNode, MOST_CAPTURED_PORTS),
      v.minLength(1, messageOf({ sentence: '{name} must name a port' })),
    ),
    help: 'ports of nodes, as NODE/PORT',
  },
  ...FRAMES,
} as const satisfies Table;

export type CaptureSpec = ValuesOf<typeof CAPTURE>;
export type CaptureClusterSpec = ValuesOf<typeof CAPTURE_CLUSTER>;

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
  /** frames in the capture, where a limit of frames has left out some; absent for one process */
  captured: v.optional(integer(0)),
});

export interface CaptureEntry {
  port: number;
  portName: string | null;
  seen: number;
  matched: number;
  lost: number;
  captured?: number;
}

/** A port in a capture at several nodes. */
export const clusterCaptureEntry = atLeast({
  node: anyText,
  port: integer(1),
  portName: v.nullable(anyText),
  /** null: the node has ended without telling it */
  seen: v.nullable(integer(0)),
  matched: v.nullable(integer(0)),
  lost: v.nullable(integer(0)),
  /** frames in the capture */
  captured: integer(0),
});

export interface ClusterCaptureEntry {
  node: string;
  port: number;
  portName: string | null;
  seen: number | null;
  matched: number | null;
  lost: number | null;
  captured: number;
}

/** An entry of either kind. */
export type AnyCaptureEntry = CaptureEntry | ClusterCaptureEntry;

/** `nodes`: no node of the capture is left. */
export const CAPTURE_REASONS = ['count', 'duration', 'call', 'removed', 'stopped', 'nodes'] as const;
export type CaptureReason = (typeof CAPTURE_REASONS)[number];

/**
 * The notices of a capture, beside its octets: a port was removed, a node or a process takes no part any more, or the
 * capture has ended.
 */
export type CaptureNotice =
  | { readonly event: 'port-removed'; readonly node?: string; readonly port: number; readonly portName: string | null }
  | { readonly event: 'node-ended'; readonly node: string; readonly reason: string }
  | { readonly event: 'ended'; readonly reason: CaptureReason; readonly entries: readonly AnyCaptureEntry[] };

/** The receiver of a capture's octets. */
export interface CaptureReader {
  /** the user that captures; null: a local caller without credentials */
  readonly user: string | null;
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

/** A running capture. */
export interface SwitchCapture<Entry extends AnyCaptureEntry = CaptureEntry> {
  readonly entries: Entry[];
  /** Whether octets wait for the reader. */
  readonly isReaderSlow: boolean;
  /** Whether all of its ports that are still there are in these networks. */
  isWithin(allowed: AllowedNetworks): boolean;
  /** Records no more frames. Waiting ones are sent, then the statistics. */
  end(reason: 'call' | 'duration'): void;
  /** The same, but hands everything to the reader at once, however slow it is. */
  flush(): void;
  /** The reader is gone: sends nothing any more. */
  abandon(): void;
}
