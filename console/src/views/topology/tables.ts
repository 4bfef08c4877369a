import type { NeighborEntry } from '../../../../src/control/neighbor-entries.ts';
import type { NetworkEntry } from '../../../../src/control/network-entries.ts';
import type { PortEntry } from '../../../../src/control/schema.ts';
import type { LiveStpEntry, LiveStpPortEntry } from '../../../../src/control/stp-entries.ts';

/** The members of a station that the views of this folder read; those of `listStation`. */
export interface Station {
  readonly network: string;
  readonly vid: number;
  readonly mac: string;
  readonly port: number;
  readonly movedFrom: number | null;
  readonly flapping: boolean;
  /** absent from a switch that has no `listStation` */
  readonly addresses?: readonly string[];
  readonly hostname?: string | null;
  readonly vendor?: string | null;
}

/** The observed tables, by the keys of `observe`. */
export interface Tables {
  readonly ports: ReadonlyMap<string, PortEntry>;
  readonly stations: ReadonlyMap<string, Station>;
  readonly networks: ReadonlyMap<string, NetworkEntry>;
  readonly trees: ReadonlyMap<string, LiveStpEntry>;
  readonly treePorts: ReadonlyMap<string, LiveStpPortEntry>;
  readonly neighbors: ReadonlyMap<string, NeighborEntry>;
}
