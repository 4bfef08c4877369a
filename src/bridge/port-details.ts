import type { Port } from './port.ts';

/**
 * The properties of a port beyond the contract, for listings, settings and
 * warnings. The bridge does not read them; spanning tree takes path costs from them.
 */
export type PortDetails = DeviceDetails | TunnelDetails;

/** A port with details. All kinds of the registry have them; a port of another program need not. */
export interface Described {
  /** The present values. */
  readonly details: PortDetails;
}

/** A port on a device of the kernel. */
export interface DeviceDetails {
  readonly kind: 'device';
  readonly networkInterface: NetworkInterface;
  /** The network namespace of the device, if it is not that of the switch. */
  readonly netns: string | undefined;
}

/** A port on a tunnel. */
export interface TunnelDetails {
  readonly kind: 'tunnel';
  /** undefined without an open connection */
  readonly connection: ConnectionDetails | undefined;
  /** The present reason of `linkChanged`, if it changes with time; undefined while the link is up. */
  readonly linkReason: string | undefined;
}

/** The connection that carries a tunnel. */
export interface ConnectionDetails {
  /** `raw` as in 1.x, or `batched` between two switches that both know it */
  readonly wire: 'raw' | 'batched';
  /** The round trip of the last ping, in milliseconds; undefined before the first answer. */
  readonly roundTripMs: number | undefined;
  /** Measures the round trip now. @param answered called with it in milliseconds, if the peer answers */
  readonly measure?: (answered: (roundTripMs: number) => void) => void;
  /** The URL that was dialled, if it is not the port's target. */
  readonly url: string | undefined;
  /** The local address of the connection; undefined for a transport without one. */
  readonly localAddress: string | undefined;
  /** The remote end as `ADDRESS:PORT`; with a proxy, that of the proxy. */
  readonly peer: string | undefined;
  /** undefined without TLS */
  readonly tls: TlsDetails | undefined;
  /** The code that moves its octets. */
  readonly transport: 'native' | 'native-tls' | 'node';
  /** Octets that wait in user space. */
  readonly queuedBytes: number;
  /** How long the oldest frame in the queue has waited, in milliseconds; 0 when none waits. Absent: not known. */
  readonly oldestWaitedMs?: () => number;
}

/** What the TLS handshake agreed on. */
export interface TlsDetails {
  /** `TLSv1.3` */
  readonly protocol: string;
  /** `TLS_AES_128_GCM_SHA256` */
  readonly cipher: string;
  /** undefined if neither end has one, as with a pre-shared key */
  readonly certificate: CertificateDetails | undefined;
}

/** The certificate that the peer has presented, or else the one that this service has. */
export interface CertificateDetails {
  readonly of: 'peer' | 'service';
  /** the end of its validity, in milliseconds of the wall clock */
  readonly expiresMs: number;
}

/** The details of `port`; undefined for a port without. */
export function detailsOf(port: Port & Partial<Described>): PortDetails | undefined {
  return port.details;
}

/** An address with its prefix length: `{address: '192.0.2.1', prefixLength: 24}`. */
export interface InterfaceAddress {
  readonly address: string;
  readonly prefixLength: number;
}

/** The present settings of a port's device. */
export interface InterfaceSettings {
  readonly addresses: readonly InterfaceAddress[];
  readonly mtu: number;
  /** The network namespace of the device, if it is not that of the switch. */
  readonly netns?: string | undefined;
}

/** The changes of `setif`; absent settings stay unchanged. */
export interface InterfaceChange {
  /** The IPv4 address as in 1.x: replaces the primary one. */
  address?: string;
  /** Dotted IPv4 netmask of `address`, or of the present primary address. */
  netmask?: string;
  /** Addresses with a prefix length, IPv4 or IPv6; each is added, or its prefix length changed. */
  addresses?: readonly InterfaceAddress[];
  /** Addresses to remove; an absent one is no error. */
  withoutAddresses?: readonly InterfaceAddress[];
  /** Layer-3 MTU in octets, at least 576. */
  mtu?: number;
}

export interface NetworkInterface {
  /** @throws EtherwsError DEVICE_NOT_FOUND while the port waits for its device, PERMISSION_DENIED, DEVICE_FAILED */
  read(): InterfaceSettings;
  /** @throws EtherwsError ADDRESS_INVALID, PERMISSION_DENIED, DEVICE_FAILED; then nothing was changed, or it says what was */
  configure(change: InterfaceChange): void;
}
