/**
 * The control API's methods, parameters and results: the one source for the
 * server, the client and the documentation. The entries are those of etherws
 * 1.x; fields were added, none was renamed or dropped.
 */

/** A port, as `listPort`, `addPort`, `setPort` and `delPort` answer. */
export interface PortEntry {
  port: number;
  type: string;
  target: string;
  /** frames sent and received */
  tx: number;
  rx: number;
  shut: boolean;
  /** `shut` when the operator shut it, else what its link does */
  state: 'shut' | 'connecting' | 'up' | 'down' | 'backoff' | 'closed';
  /** why it is not up; null when it is */
  reason: string | null;
  txOctets: number;
  rxOctets: number;
  /** frames dropped, by reason; reasons that never occurred are not listed */
  txDiscards: Record<string, number>;
  rxDiscards: Record<string, number>;
}

/** The device of a tap or netdev port; `address` and `netmask` are the primary IPv4 address, null without one. */
export interface InterfaceEntry {
  port: number;
  type: string;
  target: string;
  address: string | null;
  netmask: string | null;
  mtu: number;
  /** every address, as `ADDRESS/LENGTH` */
  addresses: string[];
}

export interface FdbEntry {
  vid: number;
  mac: string;
  port: number;
  /** seconds since the address was last seen as a source */
  age: number;
}

/** What `addPort` asks for, after validation. `cacerts` is a path on the switch's host. */
export interface PortSpec {
  type: 'tap' | 'netdev' | 'client';
  target: string;
  options?: {
    user?: string;
    passwd?: string;
    cacerts?: string;
    insecure?: boolean;
  };
}

/** What `setInterface` asks for: the 1.x fields, and `addresses` as `ADDRESS/LENGTH`. */
export interface InterfaceSpec {
  address?: string;
  netmask?: string;
  mtu?: number;
  addresses?: string[];
}

/** The switch as the control methods see it; the daemon implements it. Failures are EtherwsErrors. */
export interface SwitchControl {
  addPort(spec: PortSpec): Promise<PortEntry>;
  setPort(port: number, settings: { shut?: boolean }): PortEntry;
  /** @returns the port's last state */
  delPort(port: number): Promise<PortEntry>;
  listPorts(): PortEntry[];
  setInterface(port: number, change: InterfaceSpec): InterfaceEntry;
  listInterfaces(): InterfaceEntry[];
  listFdb(): FdbEntry[];
}
