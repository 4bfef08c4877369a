import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { StaticBinding } from './source-guard/source-guard.ts';
import { STORM_DEFAULTS, type StormRates } from './storm-control.ts';

/** The settings of a bridge port that limit what it brings and gets. */
export interface PortSecuritySettings {
  /** Whether source addresses are learned (bridge(8), `learning`). */
  readonly isLearning: boolean;
  /** Whether only frames are taken whose source has an entry at this port (bridge(8), `locked`). */
  readonly isLocked: boolean;
  /** The most addresses that the port may learn; 0: any number. */
  readonly macLimit: number;
  /** What happens to a frame from one address more: it is discarded, or the port is shut as well. */
  readonly macLimitAction: 'discard' | 'shut';
  /** Addresses that are always at this port (static filtering entries, IEEE 802.1Q-2022, 8.8.1). */
  readonly staticEntries: readonly { readonly vid: Vid; readonly mac: MacAddress }[];
  /** Whether flooded frames are sent by this port, by kind (bridge(8), `flood`, `mcast_flood`, `bcast_flood`). */
  readonly floodsUnicast: boolean;
  readonly floodsMulticast: boolean;
  readonly floodsBroadcast: boolean;
  /** How many frames that are flooded it may bring a second. */
  readonly storm: StormRates;
  /** Whether frames of DHCP servers, and router advertisements, that it brings are refused. */
  readonly hasDhcpGuard: boolean;
  readonly hasRaGuard: boolean;
  /** Whether DHCP servers behind it are believed. */
  readonly isDhcpTrusted: boolean;
  /** Whether only frames are taken whose IP source has a binding (SourceGuard). */
  readonly hasSourceGuard: boolean;
  readonly ipBindings: readonly StaticBinding[];
}

export const PORT_SECURITY_DEFAULTS: PortSecuritySettings = {
  isLearning: true,
  isLocked: false,
  macLimit: 0,
  macLimitAction: 'discard',
  staticEntries: [],
  floodsUnicast: true,
  floodsMulticast: true,
  floodsBroadcast: true,
  storm: STORM_DEFAULTS,
  hasDhcpGuard: false,
  hasRaGuard: false,
  isDhcpTrusted: false,
  hasSourceGuard: false,
  ipBindings: [],
};
