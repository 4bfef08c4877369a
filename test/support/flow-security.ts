import type { Bridge } from '../../src/bridge/bridge.ts';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import { type BridgePortSettings, DEFAULT_SETTINGS } from '../../src/bridge/port-settings.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import type { Vid } from '../../src/wire/ethernet/vid.ts';
import type { Random } from './random.ts';

/** One of the stations of flow-traffic.ts. */
function anyStation(random: Random): MacAddress {
  return (0x0200_0000_0001 + random.below(6)) as MacAddress;
}

/** The IPv4 source address of `frameOf`. */
const OWN_IPV4 = String.fromCharCode(192, 0, 2, 0xaa);

/** Random settings of port security. */
export function anySecurity(random: Random): Partial<BridgePortSettings> {
  const rate = (): number => random.between(1, 60);
  return {
    isLearning: !random.once(3),
    isLocked: random.once(4),
    macLimit: random.once(3) ? random.between(1, 4) : 0,
    macLimitAction: random.once(3) ? 'shut' : 'discard',
    staticEntries: random.once(3) ? [{ vid: random.pick([0, 5]) as Vid, mac: anyStation(random) }] : [],
    floodsUnicast: !random.once(4),
    floodsMulticast: !random.once(4),
    floodsBroadcast: !random.once(4),
    storm: random.once(3) ? { broadcast: rate(), multicast: rate(), unicast: rate() } : DEFAULT_SETTINGS.storm,
    hasDhcpGuard: random.once(4),
    hasRaGuard: random.once(4),
    isDhcpTrusted: random.once(3),
    hasSourceGuard: random.once(4),
    ipBindings: random.once(2) ? [{ address: OWN_IPV4 }] : [],
  };
}

/** What an operator does with the filtering database: sets, removes or flushes. */
export type EntryChange = (bridge: Bridge, port: BridgePort, nowMs: number) => void;

export function anyEntryChange(random: Random): EntryChange {
  const [vid, mac] = [random.pick([0, 0, 5]) as Vid, anyStation(random)];
  const kind = random.pick(['static', 'sticky'] as const);
  const isWide = random.once(2);
  switch (random.below(3)) {
    case 0:
      return ({ entries }) => void entries.delete(vid, mac);
    case 1:
      return ({ entries }, port) => void entries.flush(isWide ? {} : { port });
    default:
      return ({ entries }, port, nowMs) => void entries.set(vid, mac, port, kind, nowMs);
  }
}
