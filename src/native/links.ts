import type { Descriptor } from './descriptors.ts';

/** A link as rtnetlink describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** ARPHRD_*: 1 is Ethernet */
  readonly hardwareType: number;
  /** set up by the administrator */
  readonly isUp: boolean;
  /** able to carry frames: up, and with a carrier */
  readonly isRunning: boolean;
  /** only in events: the device is gone */
  readonly isRemoved: boolean;
  readonly mtu: number;
  readonly minMtu?: number;
  readonly maxMtu?: number;
  readonly txQueueFrames?: number;
  /** `tun`, `veth`, `bridge`, …; hardware has none */
  readonly kind?: string;
  /** of the kind `tun`: whether it is a TAP device */
  readonly isTap?: boolean;
  /** of the kind `tun`: made for several queues, of which programs have so many */
  readonly isMultiQueue?: boolean;
  readonly queues?: number;
}

/** A link has got an address, or an address that it has was confirmed. */
export interface NewAddress {
  readonly index: number;
  readonly hasNewAddress: true;
}

export interface LinkAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 4 | 6;
  readonly isSecondary: boolean;
}

/** Network devices and their addresses, by rtnetlink. All throw the errno of the kernel: ENODEV, EPERM, EINVAL. */
export interface LinkDoor {
  /** A subscription to the changes of all links, and to the addresses that they get. */
  openLinkEvents(): Descriptor;
  /** What became of links, oldest first; null when the kernel had to drop events. */
  readLinkEvents(descriptor: Descriptor): (Link | NewAddress)[] | null;
  /** @param netnsId where, by the number that locateTap gives; default: our own network namespace */
  readLink(nameOrIndex: string | number, netnsId?: number): Link;
  /**
   * -1 leaves a setting as it is.
   * @param tap where: in the network namespace that this device is in, which takes CAP_SYS_ADMIN; default: our own
   */
  changeLink(index: number, isUp: -1 | 0 | 1, mtu: number, txQueueFrames: number, tap?: Descriptor): void;
  /** Sets the MAC address. */
  setLinkAddress(index: number, octets: Uint8Array): void;
  /** Puts a device into another network namespace, and sets it up there. @throws EEXIST: the name is taken there */
  moveLink(index: number, netnsFd: number): void;
  /** @param netnsId as of readLink */
  listAddresses(index: number, netnsId?: number): LinkAddress[];
  /** @param tap as of changeLink */
  addAddress(index: number, address: string, prefixLength: number, tap?: Descriptor): void;
  deleteAddress(index: number, address: string, prefixLength: number, tap?: Descriptor): void;
}
