import { type BridgePortSettings, DEFAULT_SETTINGS } from '../bridge/port-settings.ts';
import type { BridgePortValues } from '../schema/bridge-port-options.ts';

/** The settings of a bridge port from their values in the control API and in files; absent values are the defaults. */
export function settingsOf({
  isolated = DEFAULT_SETTINGS.isIsolated,
  multicastRouter = DEFAULT_SETTINGS.multicastRouter,
  fastLeave = DEFAULT_SETTINGS.fastLeave,
  multicastLimit = DEFAULT_SETTINGS.multicastLimit,
}: BridgePortValues): BridgePortSettings {
  return { isIsolated: isolated, multicastRouter, fastLeave, multicastLimit };
}
