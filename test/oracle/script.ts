/*
 * Scripts of differential tests: events and frames that are played through a bridge of ours and through one of others
 * (Linux, Open vSwitch). A script is plain JSON, so that the smallest one that shows a difference can be pasted.
 */
import type { MirrorDirection } from '../../src/bridge/mirror/mirrors.ts';
import type { VlanMode } from '../../src/wire/ethernet/vlan-mode.ts';

/** A tag in front of the EtherType: the TPID and the control information. */
export type Tag = readonly [tpid: number, tci: number];

/** The far end of a port sends a frame. */
export interface FrameStep {
  readonly do: 'frame';
  /** from 1 */
  readonly port: number;
  /** 12 hexadecimal digits */
  readonly to: string;
  readonly from: string;
  readonly tags: readonly Tag[];
  /** The EtherType and what follows, hexadecimal. */
  readonly payload: string;
  /** Where the frame goes is not compared, but what it leaves behind is. */
  readonly isUnjudged?: boolean;
}

/** The settings of a port, under the names of bridge(8); each is 0 or 1 but `state`. */
export type PortSetting =
  | 'isolated'
  | 'learning'
  | 'flood'
  | 'mcast_flood'
  | 'bcast_flood'
  /** The three before at once. */
  | 'floods'
  | 'locked'
  | 'fastleave'
  | 'mcast_router'
  /** The most multicast groups; 0: any number. */
  | 'mcast_max_groups'
  /** 0 disabled, 1 listening, 2 learning, 3 forwarding, 4 blocking */
  | 'state';

/** The settings of the bridge: the most learned addresses (0: no limit), the reserved addresses that are relayed. */
export type BridgeSetting = 'fdb_max_learned' | 'group_fwd_mask' | 'mcast_snooping';

/** Copies of the frames of a port go to another one. */
export interface MirrorStep {
  readonly do: 'mirror';
  readonly port: number;
  /** 0: no copies */
  readonly to: number;
  readonly direction: MirrorDirection;
  /** The VLANs whose frames are copied; empty: all. */
  readonly vids: readonly number[];
}

/** How a port takes part in VLANs, in our own terms. */
export interface VlanStep {
  readonly do: 'vlan';
  readonly port: number;
  readonly mode: VlanMode;
  readonly pvid: number;
  readonly vlans: readonly number[];
  /** The TPID of its tags: 0x8100 or 0x88a8. */
  readonly tpid: number;
}

export type Step =
  | FrameStep
  | VlanStep
  | MirrorStep
  /** Copies of all frames of the bridge go to a port; 0: no copies. */
  | { readonly do: 'mirrorAll'; readonly to: number }
  /** The link of a port goes down, or comes up. */
  | { readonly do: 'link'; readonly port: number; readonly isUp: boolean }
  /** A port is removed from the bridge with its settings, or is added again with the default settings. */
  | { readonly do: 'detach' | 'attach'; readonly port: number }
  | { readonly do: 'set'; readonly port: number; readonly name: PortSetting; readonly value: number }
  | { readonly do: 'bridge'; readonly name: BridgeSetting; readonly value: number }
  /** An entry of the filtering database is added or removed by the operator. */
  | {
      readonly do: 'entry';
      readonly port: number;
      readonly vid: number;
      readonly mac: string;
      readonly kind: EntryKind | 'none';
    }
  /** Time passes: a number of WAIT_MS. */
  | { readonly do: 'wait'; readonly units: number };

/** A static entry does not age; a sticky one does; neither moves. */
export type EntryKind = 'dynamic' | 'static' | 'sticky';

export interface Script {
  /** how many ports the bridge has at the beginning, with numbers from 1 */
  readonly ports: number;
  readonly steps: readonly Step[];
}

/** The unit of `wait`, and the ageing time of all bridges: between two and three units, so that delays do not matter. */
export const WAIT_MS = 40;
export const AGEING_MS = 100;

/** The frames that came out at each step: `PORT HEX`, in ascending order. Steps that are no frames have none. */
export type Outcome = readonly (readonly string[])[];

/** A bridge that plays scripts. */
export interface World {
  readonly name: string;
  play(script: Script): Promise<Outcome>;
  close(): Promise<void>;
}

export function octetsOf({ to, from, tags, payload }: FrameStep): Buffer {
  const words = tags.flatMap(([tpid, tci]) => [hexWord(tpid), hexWord(tci)]);
  return Buffer.from([to, from, ...words, payload].join(''), 'hex');
}

export const heardAt = (port: number, frame: string): string => `${port} ${frame}`;

export const sortedOutcome = (frames: readonly string[]): readonly string[] => [...frames].sort();

const hexWord = (value: number): string => value.toString(16).padStart(4, '0');

/** A step in a line for a person. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case 'frame': {
      const tags = step.tags.map(([tpid, tci]) => `${hexWord(tpid)}:${tci >> 13}/${tci & 0xfff} `).join('');
      return `port ${step.port} gets a frame ${step.from} → ${step.to} ${tags}${step.payload.slice(0, 16)}…`;
    }
    case 'link':
      return `the link of port ${step.port} goes ${step.isUp ? 'up' : 'down'}`;
    case 'set':
      return `port ${step.port}: ${step.name} ${step.value}`;
    case 'bridge':
      return `bridge: ${step.name} ${step.value}`;
    case 'entry':
      return `port ${step.port}: entry ${step.mac} ${step.kind}`;
    case 'wait':
      return `${step.units * WAIT_MS} ms pass`;
    case 'mirror':
      return `port ${step.port}: copies of ${step.direction} to ${step.to}, VIDs ${step.vids.join() || 'all'}`;
    case 'mirrorAll':
      return `copies of all ports to ${step.to}`;
    case 'vlan':
      return `port ${step.port}: ${step.mode} pvid ${step.pvid} vlans ${step.vlans.join()} ${hexWord(step.tpid)}`;
    default:
      return `${step.do} port ${step.port}`;
  }
}
