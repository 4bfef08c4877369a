import type { MacAddress } from '../ethernet/mac-address.ts';
import type { BridgeId } from './bridge-id.ts';

/** The destination of BPDUs, 01-80-C2-00-00-00 (IEEE 802.1D-2004, table 7-10). */
export const BRIDGE_GROUP_ADDRESS = 0x0180_c200_0000 as MacAddress;

/** The bits of the flags octet (9.3.1, 9.3.3). A Configuration BPDU has only the first and the last. */
export const FLAG_TOPOLOGY_CHANGE = 0x01;
export const FLAG_PROPOSAL = 0x02;
export const FLAG_LEARNING = 0x10;
export const FLAG_FORWARDING = 0x20;
export const FLAG_AGREEMENT = 0x40;
export const FLAG_TOPOLOGY_CHANGE_ACK = 0x80;

/** The encoded port roles (9.2.9). */
export const ROLE_UNKNOWN = 0;
export const ROLE_ALTERNATE_BACKUP = 1;
export const ROLE_ROOT = 2;
export const ROLE_DESIGNATED = 3;
const ROLE_SHIFT = 2;
const ROLE_MASK = 0x0c;

/** A bridge protocol data unit (IEEE 802.1D-2004, 9.3). */
export type Bpdu = TopologyChangeNotification | ConfigurationMessage;

/** A TCN BPDU (9.3.2). */
export interface TopologyChangeNotification {
  readonly type: 'tcn';
}

/** A Configuration BPDU (9.3.1) or an RST BPDU (9.3.3). Times are in seconds, in steps of 1/256 s. */
export interface ConfigurationMessage {
  readonly type: 'config' | 'rst';
  readonly flags: number;
  readonly rootId: BridgeId;
  /** 0 to 2³²-1 */
  readonly rootPathCost: number;
  readonly bridgeId: BridgeId;
  /** 4 bits of priority and 12 bits of port number */
  readonly portId: number;
  readonly messageAge: number;
  readonly maxAge: number;
  readonly helloTime: number;
  readonly forwardDelay: number;
}

/** The port role that a message conveys: a Configuration BPDU always a Designated Port (17.21.8). */
export function roleIn({ type, flags }: ConfigurationMessage): number {
  return type === 'config' ? ROLE_DESIGNATED : (flags & ROLE_MASK) >> ROLE_SHIFT;
}

/** The bits of the flags octet for a port role. */
export function roleFlags(role: number): number {
  return role << ROLE_SHIFT;
}
