import type { Contestant } from './contestant.ts';
import { BARE_VETH } from './contestants/bare-veth.ts';
import { otherBuild, THIS_BUILD } from './contestants/build.ts';
import { type EtherwsVariant, etherws, etherwsRelay, type Runtime } from './contestants/etherws.ts';
import { FLOOR, FLOOR_PLAIN, FLOOR_SEALED } from './contestants/floor.ts';
import { N2N } from './contestants/n2n.ts';
import { OPENVPN_PLAIN, OPENVPN_RELAY, OPENVPN_TLS } from './contestants/openvpn.ts';
import { SOFTETHER_PLAIN, SOFTETHER_RELAY, SOFTETHER_TLS } from './contestants/softether.ts';
import { TINC, TINC_RELAY } from './contestants/tinc.ts';
import { VDE } from './contestants/vde.ts';
import type { Measurement } from './measurement.ts';
import { CONTROL } from './measurements/control.ts';
import { BOTH_WAYS, FOUR_FLOWS, ONE_FLOW } from './measurements/flows.ts';
import { FLOODING, IDLE_PORTS } from './measurements/many-ports.ts';
import { MEMORY } from './measurements/memory.ts';
import { LARGE_PACKETS, SMALL_PACKETS } from './measurements/packets.ts';
import { RELAY } from './measurements/relay.ts';
import { IDLE_ROUND_TRIP, LOADED_ROUND_TRIP, SHAPED_ROUND_TRIP } from './measurements/round-trip.ts';

const BATCHED: EtherwsVariant = { name: 'etherws', title: 'etherws, batched wire, ws://', wire: 'auto', isTls: false };
const BATCHED_TLS: EtherwsVariant = {
  ...{ name: 'etherws-tls', title: 'etherws, batched wire, wss://', wire: 'auto', isTls: true },
};
const POLICY: EtherwsVariant = {
  ...{ name: 'etherws-policy', title: 'etherws, batched wire, ws://, a policy', wire: 'auto' },
  ...{ isTls: false, hasPolicy: true },
};
const MANAGED: EtherwsVariant = {
  ...{ name: 'etherws-managed', title: 'etherws, batched wire, ws://, managed', wire: 'auto' },
  ...{ isTls: false, isManaged: true },
};
const RAW: EtherwsVariant = { name: 'etherws-raw', title: 'etherws, raw wire, ws://', wire: 'raw', isTls: false };
const RAW_TLS: EtherwsVariant = {
  ...{ name: 'etherws-raw-tls', title: 'etherws, raw wire, wss://', wire: 'raw', isTls: true },
};
const OPENSSL: EtherwsVariant = {
  ...{ name: 'etherws-tls-openssl', title: "etherws, wss:// by Node's OpenSSL", wire: 'auto' },
  ...{ isTls: true, aes: 'openssl' },
};

export interface Choice extends Omit<Runtime, 'build'> {
  /** The directory of another built clone, which is then measured alternating with this one. */
  readonly against?: string | undefined;
}

/**
 * All contestants. The references and etherws come first, so that a short run
 * includes them; then come the peers. The other build of a contestant follows it.
 */
export function contestants({ against, ...how }: Choice): Contestant[] {
  const builds = against === undefined ? [THIS_BUILD] : [THIS_BUILD, otherBuild(against)];
  const switches = (variant: EtherwsVariant): Contestant[] =>
    builds.map((build) => etherws(variant, { build, ...how }));
  return [
    BARE_VETH,
    FLOOR,
    ...switches(BATCHED),
    ...switches(BATCHED_TLS),
    ...switches(POLICY),
    etherws(MANAGED, { build: THIS_BUILD, ...how }),
    FLOOR_PLAIN,
    ...switches(RAW),
    ...switches(RAW_TLS),
    ...builds.map((build) => etherwsRelay({ build, ...how })),
    ...switches(OPENSSL),
    FLOOR_SEALED,
    SOFTETHER_TLS,
    SOFTETHER_PLAIN,
    OPENVPN_TLS,
    OPENVPN_PLAIN,
    TINC,
    VDE,
    N2N,
    SOFTETHER_RELAY,
    OPENVPN_RELAY,
    TINC_RELAY,
  ];
}

/** All measurements in their order. Those of a fresh start come first. */
export const MEASUREMENTS: readonly Measurement[] = [
  CONTROL,
  MEMORY,
  ONE_FLOW,
  FOUR_FLOWS,
  BOTH_WAYS,
  SMALL_PACKETS,
  LARGE_PACKETS,
  IDLE_ROUND_TRIP,
  LOADED_ROUND_TRIP,
  SHAPED_ROUND_TRIP,
  IDLE_PORTS,
  FLOODING,
  RELAY,
];
