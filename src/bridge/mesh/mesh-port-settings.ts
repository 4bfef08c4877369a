import type { BridgePort } from '../bridge-port.ts';
import { type BridgePortSettings, DEFAULT_SETTINGS } from '../port-settings.ts';

/**
 * The settings of a port to another node of the cluster, which nothing changes. Its frames were judged where they came in:
 * by storm control, limits and guards of that port. All groups go there: the other node
 * selects among its ports.
 */
export const MESH_PORT_SETTINGS: BridgePortSettings = {
  ...DEFAULT_SETTINGS,
  lldp: 'off',
  storm: {},
  multicastRouter: 'on',
};

/** The settings of a port for which these are wanted. */
export function settingsFor({ meshNode }: BridgePort, wanted: BridgePortSettings): BridgePortSettings {
  return meshNode === undefined ? wanted : MESH_PORT_SETTINGS;
}
