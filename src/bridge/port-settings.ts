import type { VidSet } from '../wire/ethernet/vid-set.ts';
import type { LldpMode } from './lldp/lldp-agent.ts';
import type { MirrorDirection } from './mirror/mirrors.ts';
import { PORT_MULTICAST_DEFAULTS, type PortMulticastSettings } from './multicast/multicast-settings.ts';
import { PORT_SECURITY_DEFAULTS, type PortSecuritySettings } from './port-security-settings.ts';
import type { PortVlans } from './port-vlans.ts';
import { type AdminPortSettings, DEFAULT_ADMIN_SETTINGS } from './spanning-tree/settings.ts';

/**
 * The administrative settings of a bridge port, as its stages read them. They are changed by `Bridge.setSettings` only,
 * which ends the flows that were decided by the former ones.
 */
export interface BridgePortSettings extends PortMulticastSettings, PortSecuritySettings {
  /** What spanning tree reads of the port, where it is on. */
  readonly spanningTree: AdminPortSettings;
  /** Whether it exchanges no frames with other isolated ports (bridge(8), `isolated`). */
  readonly isIsolated: boolean;
  /** Its part in VLANs; undefined: it is transparent. */
  readonly vlans: PortVlans | undefined;
  /** The port for copies of its frames, by number or name; empty for none. MirrorEntity looks it up. */
  readonly mirrorTo: string;
  readonly mirrorDirection: MirrorDirection;
  /** undefined: all, frames without a tag included */
  readonly mirrorVlans: VidSet | undefined;
  /** Whether it sends and receives LLDPDUs (IEEE 802.1AB-2016, 9.2.5.1, adminStatus). */
  readonly lldp: LldpMode;
}

export const DEFAULT_SETTINGS: BridgePortSettings = {
  isIsolated: false,
  vlans: undefined,
  lldp: 'both',
  mirrorTo: '',
  mirrorDirection: 'both',
  mirrorVlans: undefined,
  spanningTree: DEFAULT_ADMIN_SETTINGS,
  ...PORT_MULTICAST_DEFAULTS,
  ...PORT_SECURITY_DEFAULTS,
};
