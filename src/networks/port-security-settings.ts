import { PORT_SECURITY_DEFAULTS as DEFAULTS, type PortSecuritySettings } from '../bridge/port-security-settings.ts';
import type { StaticBinding } from '../bridge/source-guard/source-guard.ts';
import type { StormRates } from '../bridge/storm-control.ts';
import { parseBinding, parseStation } from '../schema/binding-values.ts';
import type { BridgePortValues } from '../schema/bridge-port-options.ts';
import { parseStormLimits } from '../schema/storm-values.ts';
import { parseMacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';

/** The settings of port security from their values; absent values are the defaults. */
export function securitySettingsOf(values: BridgePortValues): PortSecuritySettings {
  return {
    isLearning: values.learning ?? DEFAULTS.isLearning,
    isLocked: values.locked ?? DEFAULTS.isLocked,
    macLimit: values.macLimit ?? DEFAULTS.macLimit,
    macLimitAction: values.macLimitAction ?? DEFAULTS.macLimitAction,
    staticEntries: values.fdb === undefined ? DEFAULTS.staticEntries : values.fdb.flatMap(entryOf),
    floodsUnicast: values.floodUnicast ?? DEFAULTS.floodsUnicast,
    floodsMulticast: values.floodMulticast ?? DEFAULTS.floodsMulticast,
    floodsBroadcast: values.floodBroadcast ?? DEFAULTS.floodsBroadcast,
    storm: values.storm === undefined ? DEFAULTS.storm : ratesOf(values.storm),
    hasDhcpGuard: values.dhcpGuard ?? DEFAULTS.hasDhcpGuard,
    hasRaGuard: values.raGuard ?? DEFAULTS.hasRaGuard,
    isDhcpTrusted: values.dhcpTrusted ?? DEFAULTS.isDhcpTrusted,
    hasSourceGuard: values.ipSourceGuard ?? DEFAULTS.hasSourceGuard,
    ipBindings: values.ipBindings === undefined ? DEFAULTS.ipBindings : values.ipBindings.flatMap(bindingOf),
  };
}

function entryOf(words: string): PortSecuritySettings['staticEntries'] {
  const station = parseStation(words);
  return station === undefined ? [] : [{ mac: parseMacAddress(station.mac), vid: station.vid as Vid }];
}

function ratesOf(words: string): StormRates {
  const limits = Object.entries(parseStormLimits(words) ?? {}).filter(([, limit]) => limit !== undefined);
  return Object.fromEntries(limits) as StormRates;
}

function bindingOf(words: string): StaticBinding[] {
  const binding = parseBinding(words);
  if (binding === undefined) return [];
  const { octets, station, hasVid } = binding;
  const mac = station === undefined ? undefined : parseMacAddress(station.mac);
  const vid = hasVid ? (station?.vid as Vid) : undefined;
  return [{ address: String.fromCharCode(...octets), mac, vid }];
}
