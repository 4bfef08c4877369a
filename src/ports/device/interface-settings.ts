import type {
  InterfaceAddress,
  InterfaceChange,
  InterfaceSettings,
  NetworkInterface,
} from '../../bridge/port-details.ts';
import { EtherwsError } from '../../errors.ts';
import { nativeAddon } from '../../native/addon.ts';
import { deviceError, type ErrnoTable, errnoOf } from '../../native/device-error.ts';
import type { Link, LinkAddress } from '../../native/links.ts';
import {
  checkPrefix,
  classfulPrefixLength,
  formatPrefix,
  parseHostAddress,
  prefixLengthOfNetmask,
} from '../../wire/ethernet/ip-address.ts';
import type { Whereabouts } from './attached-device.ts';

/** RFC 8200, 5: IPv6 needs an MTU of 1280 octets; below it the kernel removes the device's IPv6 addresses. */
const IPV6_MIN_MTU = 1280;
/** RFC 791, 3.1: every host must accept datagrams of 576 octets. */
export const MIN_MTU = 576;
export const MAX_MTU = 65_535;

type Addresses = readonly InterfaceAddress[];

/** Reads and changes the settings of a Linux network device by rtnetlink; also of a TAP device in another namespace. */
export class LinuxInterface implements NetworkInterface {
  readonly #find: () => Whereabouts | undefined;
  readonly #name: () => string;

  /** @param find locates the device; its result is undefined when the device is gone */
  constructor(find: () => Whereabouts | undefined, name: () => string) {
    this.#find = find;
    this.#name = name;
  }

  /** Addresses are in the kernel's order, IPv4 first: the first IPv4 address is the primary one. */
  read(): InterfaceSettings {
    return this.#asking(() => {
      const { netns } = this.#where().elsewhere ?? {};
      const settings = { addresses: this.#addresses(), mtu: this.#link().mtu };
      return netns === undefined ? settings : { ...settings, netns };
    });
  }

  /**
   * Checks the whole change before any of it is made; when the kernel refuses a
   * part, the parts already made are undone.
   *
   * The primary IPv4 address is the first in the kernel's list. A new primary
   * address without netmask keeps the prefix length of the old one; without an
   * old one it gets the prefix length of its address class, as SIOCSIFADDR gave
   * it in etherws 1.x. Other addresses stay.
   */
  configure(change: InterfaceChange): void {
    const mtu = checkMtu(change.mtu);
    const present = this.read();
    const wanted = planAddresses(present.addresses, change, this.#name());
    refuseIpv6Below(mtu ?? present.mtu, change.addresses ?? []);
    const undo: (() => void)[] = [];
    try {
      if (mtu !== undefined && mtu !== present.mtu) {
        undo.push(() => this.#setMtu(present.mtu));
        this.#setMtu(mtu);
      }
      const { address, netmask, addresses, withoutAddresses } = change;
      if ([address, netmask, addresses, withoutAddresses].every((part) => part === undefined)) return;
      undo.push(
        () => this.#setAddresses(wanted, present.addresses),
        // Restores addresses that the kernel removed itself, with a primary address or because of a small MTU.
        () => this.#setAddresses([], present.addresses),
      );
      this.#setAddresses(present.addresses, wanted);
    } catch (error) {
      throw this.#undone(error, undo);
    }
  }

  #addresses(): InterfaceAddress[] {
    const { index, elsewhere } = this.#where();
    const found = nativeAddon().listAddresses(index, elsewhere?.netnsId);
    const ofFamily = (family: 4 | 6): LinkAddress[] => found.filter((entry) => entry.family === family);
    return [...ofFamily(4), ...ofFamily(6)].map(({ address, prefixLength }) => ({ address, prefixLength }));
  }

  /** @throws EtherwsError DEVICE_NOT_FOUND */
  #where(): Whereabouts {
    const found = this.#find();
    if (found !== undefined) return found;
    throw new EtherwsError('DEVICE_NOT_FOUND', `Device "${this.#name()}" is gone; its port waits for it`);
  }

  #link(): Link {
    const { index, elsewhere } = this.#where();
    return nativeAddon().readLink(index, elsewhere?.netnsId);
  }

  #setMtu(mtu: number): void {
    const { minMtu, maxMtu }: Link = this.#asking(() => this.#link());
    const refusal = {
      code: 'ARGUMENT_INVALID',
      message: `Device "${this.#name()}" does not take an MTU of ${mtu}`,
      ...(minMtu === undefined || maxMtu === undefined ? {} : { hint: `It takes ${minMtu} to ${maxMtu || MAX_MTU}` }),
    } as const;
    const { index, elsewhere } = this.#where();
    this.#asking(() => nativeAddon().changeLink(index, -1, mtu, -1, elsewhere?.tap), {
      EINVAL: refusal,
      ERANGE: refusal,
    });
  }

  /** Changes one list of addresses into another with the fewest changes that give the right order. */
  #setAddresses(from: Addresses, to: Addresses): void {
    for (const isOfFamily of [isIpv4, isIpv6]) {
      const old = from.filter(isOfFamily);
      const next = to.filter(isOfFamily);
      // The kernel appends new addresses, and the first IPv4 address is the primary one. So all IPv4 addresses from the
      // first difference on are deleted and added again. Deletion starts at the last one: deleting a primary address
      // deletes its secondary addresses too.
      const kept = isOfFamily === isIpv4 ? commonHead(old, next) : old.filter((entry) => includes(next, entry));
      for (const entry of old.filter((candidate) => !includes(kept, candidate)).reverse()) this.#delete(entry);
      for (const entry of next.filter((candidate) => !includes(kept, candidate))) this.#add(entry);
    }
  }

  #add({ address, prefixLength }: InterfaceAddress): void {
    const text = formatPrefix({ address, prefixLength });
    const refusal = { code: 'ADDRESS_INVALID', message: `Device "${this.#name()}" does not take ${text}` } as const;
    const { index, elsewhere } = this.#where();
    this.#changing(() => nativeAddon().addAddress(index, address, prefixLength, elsewhere?.tap), 'EEXIST', {
      EINVAL: refusal,
      EADDRNOTAVAIL: refusal,
      EACCES: { ...refusal, hint: `IPv6 is off there: sysctl net.ipv6.conf.${this.#name()}.disable_ipv6` },
    });
  }

  #delete({ address, prefixLength }: InterfaceAddress): void {
    const { index, elsewhere } = this.#where();
    this.#changing(() => nativeAddon().deleteAddress(index, address, prefixLength, elsewhere?.tap), 'EADDRNOTAVAIL');
  }

  /** @param done the errno that means that the wanted state exists already */
  #changing(make: () => void, done: string, table: ErrnoTable = {}): void {
    this.#asking(() => {
      try {
        make();
      } catch (error) {
        if (errnoOf(error) !== done) throw error;
      }
    }, table);
  }

  #asking<T>(ask: () => T, table: ErrnoTable = {}): T {
    try {
      return ask();
    } catch (error) {
      const netns = this.#find()?.elsewhere?.netns;
      throw deviceError(error, this.#name(), {
        EPERM: netns === undefined ? refusedHere(this.#name()) : refusedElsewhere(this.#name(), netns),
        ENODEV: { code: 'DEVICE_NOT_FOUND', message: `Device "${this.#name()}" is gone` },
        ...table,
      });
    }
  }

  /** Undoes the changes made so far. @returns the error to throw */
  #undone(error: unknown, undo: readonly (() => void)[]): unknown {
    try {
      for (const step of undo) step();
      return error;
    } catch {
      if (!(error instanceof EtherwsError)) return error;
      const { addresses, mtu } = this.read();
      const now = `MTU ${mtu}, addresses ${addresses.map(formatPrefix).join(', ') || 'none'}`;
      return new EtherwsError(error.code, `${error.message}; what was changed before could not be taken back: ${now}`, {
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    }
  }
}

type Refusal = NonNullable<ErrnoTable[string]>;

function refusedHere(device: string): Refusal {
  return {
    code: 'PERMISSION_DENIED',
    message: `This user may not change the settings of "${device}"`,
    hint: 'Run the switch as root, or with the capability CAP_NET_ADMIN',
  };
}

function refusedElsewhere(device: string, netns: string): Refusal {
  return {
    code: 'PERMISSION_DENIED',
    message: `Device "${device}" is in network namespace ${netns}, whose settings this user may not see or change`,
    hint: `Make the change there: ip -n ${netns} address add … dev ${device}. Or run the switch with CAP_SYS_ADMIN`,
  };
}

/** @throws EtherwsError ARGUMENT_INVALID outside of 576..65535 */
export function checkMtu(mtu: number | undefined): number | undefined {
  if (mtu === undefined || (Number.isInteger(mtu) && mtu >= MIN_MTU && mtu <= MAX_MTU)) return mtu;
  throw new EtherwsError('ARGUMENT_INVALID', `MTU ${mtu} is outside ${MIN_MTU}..${MAX_MTU}`);
}

function refuseIpv6Below(mtu: number, additions: Addresses): void {
  const refused = additions.find(isIpv6);
  if (refused === undefined || mtu >= IPV6_MIN_MTU) return;
  throw new EtherwsError(
    'ADDRESS_INVALID',
    `IPv6 address ${refused.address} needs an MTU of ${IPV6_MIN_MTU}, not ${mtu}`,
  );
}

/**
 * The addresses that a device has after a change.
 * @throws EtherwsError ADDRESS_INVALID
 */
export function planAddresses(present: Addresses, change: InterfaceChange, device: string): InterfaceAddress[] {
  const without = change.withoutAddresses ?? [];
  const wanted = present.filter((entry) => !includes(without, entry));
  const primary = wanted.findIndex(isIpv4);
  if (change.address !== undefined || change.netmask !== undefined) {
    const next = nextPrimary(wanted[primary], change, device);
    if (primary >= 0) wanted.splice(primary, 1);
    withoutAddress(wanted, next.address);
    wanted.unshift(next);
  }
  for (const addition of change.addresses ?? []) {
    const { address, prefixLength } = checkPrefix(addition.address, addition.prefixLength);
    const at = wanted.findIndex((entry) => entry.address === address);
    if (at >= 0) wanted[at] = { address, prefixLength };
    else wanted.push({ address, prefixLength });
  }
  return wanted;
}

function nextPrimary(old: InterfaceAddress | undefined, change: InterfaceChange, device: string): InterfaceAddress {
  const given = change.address === undefined ? undefined : parseHostAddress(change.address);
  if (given?.family === 6) {
    throw new EtherwsError('ADDRESS_INVALID', `${given.address} is an IPv6 address, and has no netmask`, {
      hint: `Write it with its prefix length, as in ${given.address}/64`,
    });
  }
  const address = given?.address ?? old?.address;
  if (address === undefined) {
    throw new EtherwsError('ADDRESS_INVALID', `Device "${device}" has no IPv4 address for netmask ${change.netmask}`, {
      hint: 'Give the address too',
    });
  }
  if (change.netmask !== undefined) return { address, prefixLength: prefixLengthOfNetmask(change.netmask) };
  return { address, prefixLength: old?.prefixLength ?? classfulPrefixLength(address) };
}

function withoutAddress(addresses: InterfaceAddress[], address: string): void {
  const at = addresses.findIndex((entry) => entry.address === address);
  if (at >= 0) addresses.splice(at, 1);
}

function isIpv6({ address }: Pick<InterfaceAddress, 'address'>): boolean {
  return address.includes(':');
}

function isIpv4(entry: Pick<InterfaceAddress, 'address'>): boolean {
  return !isIpv6(entry);
}

function isSame(left: InterfaceAddress, right: InterfaceAddress | undefined): boolean {
  return left.address === right?.address && left.prefixLength === right.prefixLength;
}

function includes(addresses: Addresses, wanted: InterfaceAddress): boolean {
  return addresses.some((entry) => isSame(entry, wanted));
}

function commonHead(left: Addresses, right: Addresses): Addresses {
  const end = left.findIndex((entry, at) => !isSame(entry, right[at]));
  return end < 0 ? left : left.slice(0, end);
}
