import type { Port } from './port.ts';

/**
 * What a port tells of itself beyond the contract: for listings, settings and
 * warnings. The bridge reads none of it.
 */
export type PortDetails = DeviceDetails | TunnelDetails;

/** A port that can tell. All kinds in the registry can; a port of another program need not. */
export interface Described {
  /** As of now. */
  readonly details: PortDetails;
}

/** A port on a device of the kernel. */
export interface DeviceDetails {
  readonly kind: 'device';
  readonly networkInterface: NetworkInterface;
  /** The network namespace that the device is in, where it is not the switch's own. */
  readonly netns: string | undefined;
}

/** A port on a tunnel. */
export interface TunnelDetails {
  readonly kind: 'tunnel';
  /** undefined while no connection stands */
  readonly connection: ConnectionDetails | undefined;
  /** The reason of `linkChanged` as of now, where time changes it; undefined while the link is up. */
  readonly linkReason: string | undefined;
}

/** The connection that carries a tunnel. */
export interface ConnectionDetails {
  /** `raw` as in 1.x, or `batched` between two switches that both know it */
  readonly wire: 'raw' | 'batched';
  /** The round trip of the last ping, in milliseconds; undefined before the first answer. */
  readonly roundTripMs: number | undefined;
  /** The URL that was dialled, where it is not the port's target. */
  readonly url: string | undefined;
  /** The address of this host that the connection has; undefined where the transport has none. */
  readonly localAddress: string | undefined;
}

/** What `port` tells of itself; undefined for a port that tells nothing. */
export function detailsOf(port: Port & Partial<Described>): PortDetails | undefined {
  return port.details;
}

/** An address with its prefix length: `{address: '192.0.2.1', prefixLength: 24}`. */
export interface InterfaceAddress {
  readonly address: string;
  readonly prefixLength: number;
}

/** The settings of the device behind a port, as the kernel has them now. */
export interface InterfaceSettings {
  readonly addresses: readonly InterfaceAddress[];
  readonly mtu: number;
  /** The network namespace that the device is in, where it is not the switch's own. */
  readonly netns?: string | undefined;
}

/** What `setif` changes; what is not named stays. */
export interface InterfaceChange {
  /** The IPv4 address as in 1.x: replaces the primary one. */
  address?: string;
  /** Dotted IPv4 netmask of `address`, or of the present primary address. */
  netmask?: string;
  /** Addresses with a prefix length, IPv4 or IPv6; each is added, or its prefix length changed. */
  addresses?: readonly InterfaceAddress[];
  /** Layer-3 MTU in octets, at least 576. */
  mtu?: number;
}

export interface NetworkInterface {
  /** @throws EtherwsError DEVICE_NOT_FOUND while the port waits for its device, PERMISSION_DENIED, DEVICE_FAILED */
  read(): InterfaceSettings;
  /** @throws EtherwsError ADDRESS_INVALID, PERMISSION_DENIED, DEVICE_FAILED; then nothing was changed, or it says what was */
  configure(change: InterfaceChange): void;
}
