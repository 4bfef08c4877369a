import type { Contestant } from './contestant.ts';
import { BARE_VETH } from './contestants/bare-veth.ts';
import { type EtherwsVariant, etherws } from './contestants/etherws.ts';
import { FLOOR, FLOOR_PLAIN, FLOOR_SEALED } from './contestants/floor.ts';
import { N2N } from './contestants/n2n.ts';
import { OPENVPN_PLAIN, OPENVPN_TLS } from './contestants/openvpn.ts';
import { SOFTETHER_PLAIN, SOFTETHER_TLS } from './contestants/softether.ts';
import { TINC } from './contestants/tinc.ts';
import { VDE } from './contestants/vde.ts';
import type { Measurement } from './measurement.ts';
import { BOTH_WAYS, FOUR_FLOWS, ONE_FLOW } from './measurements/flows.ts';
import { FLOODING, IDLE_PORTS } from './measurements/many-ports.ts';
import { MEMORY } from './measurements/memory.ts';
import { IDLE_ROUND_TRIP, LOADED_ROUND_TRIP, SHAPED_ROUND_TRIP } from './measurements/round-trip.ts';
import { SMALL_PACKETS } from './measurements/small-packets.ts';

/**
 * Everyone who takes part: first what the others are compared with and
 * ourselves, so that a run that is cut short has them, then the peers.
 * @param how what runs the etherws switches
 */
export function contestants(how: Pick<EtherwsVariant, 'node' | 'nodeOptions'>): Contestant[] {
  return [
    BARE_VETH,
    FLOOR,
    etherws({ name: 'etherws', title: 'etherws, batched wire, ws://', wire: 'auto', isTls: false, ...how }),
    etherws({ name: 'etherws-tls', title: 'etherws, batched wire, wss://', wire: 'auto', isTls: true, ...how }),
    FLOOR_PLAIN,
    etherws({ name: 'etherws-raw', title: 'etherws, raw wire, ws://', wire: 'raw', isTls: false, ...how }),
    etherws({ name: 'etherws-raw-tls', title: 'etherws, raw wire, wss://', wire: 'raw', isTls: true, ...how }),
    etherws({
      name: 'etherws-tls-openssl',
      title: "etherws, wss:// by Node's OpenSSL",
      wire: 'auto',
      isTls: true,
      aes: 'openssl',
      ...how,
    }),
    FLOOR_SEALED,
    SOFTETHER_TLS,
    SOFTETHER_PLAIN,
    OPENVPN_TLS,
    OPENVPN_PLAIN,
    TINC,
    VDE,
    N2N,
  ];
}

/** What is measured, in this order. The memory after the start is read first. */
export const MEASUREMENTS: readonly Measurement[] = [
  MEMORY,
  ONE_FLOW,
  FOUR_FLOWS,
  BOTH_WAYS,
  SMALL_PACKETS,
  IDLE_ROUND_TRIP,
  LOADED_ROUND_TRIP,
  SHAPED_ROUND_TRIP,
  IDLE_PORTS,
  FLOODING,
];
