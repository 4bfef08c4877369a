import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import type { PortNumber } from '../bridge-port.ts';
import { LazyMap } from '../lazy-map.ts';

/** How a binding came: `static` by the operator, `dhcp` from a lease, `first` by the first use of an IPv6 address. */
export type BindingKind = 'static' | 'dhcp' | 'first';

/** A station at a port and the IP address that it may use. */
export interface Binding {
  readonly port: PortNumber;
  readonly kind: BindingKind;
  /** Latin-1 text of 4 or 16 octets */
  readonly address: string;
  /** undefined: any */
  readonly mac: MacAddress | undefined;
  /** undefined: any */
  readonly vid: Vid | undefined;
  /** When it ends; Infinity: with the port, or by the operator. */
  readonly untilMs: number;
}

/** The most bindings of a port of each kind but `static`, which bounds what invented addresses can take. */
export const MOST_BINDINGS = 256;
/** The most IPv6 addresses that a port may take by first use: a host has some, and new ones each day (RFC 8981). */
export const MOST_FIRST = 16;

/** What a port has: the numbers of its bindings, and their addresses. */
interface Share {
  readonly counts: Record<BindingKind, number>;
  readonly addresses: Set<string>;
}

/** The bindings of all guarded ports of a bridge. Each address is looked up in one step. */
export class Bindings {
  /** Called when the bindings of a port have changed, but for those of the operator. */
  onChange: (port: PortNumber) => void = () => undefined;
  /** By address; most have one. */
  readonly #byAddress = new LazyMap<string, Binding[]>();
  /** By port, so that the end of a port touches only its own. */
  readonly #shares = new LazyMap<PortNumber, Share>();
  /** No binding ends before. */
  #nextEndMs = Number.POSITIVE_INFINITY;

  get size(): number {
    let size = 0;
    for (const bindings of this.#byAddress.values()) size += bindings.length;
    return size;
  }

  *all(nowMs: number): IterableIterator<Binding> {
    for (const bindings of this.#byAddress.values()) for (const each of bindings) if (nowMs < each.untilMs) yield each;
  }

  /** Those of a port. */
  *at(port: PortNumber, nowMs: number): IterableIterator<Binding> {
    for (const address of this.#shares.get(port)?.addresses ?? []) {
      for (const each of this.#byAddress.get(address) ?? []) if (each.port === port && nowMs < each.untilMs) yield each;
    }
  }

  /** The binding by which the station may use the address at this port. */
  find(port: PortNumber, vid: Vid, mac: MacAddress, address: string, nowMs: number): Binding | undefined {
    const bindings = this.#byAddress.get(address);
    return bindings?.find((each) => each.port === port && fits(each, vid, mac) && nowMs < each.untilMs);
  }

  /** Whether another station has the address, at any port. */
  isTaken(port: PortNumber, vid: Vid, mac: MacAddress, address: string, nowMs: number): boolean {
    const bindings = this.#byAddress.get(address);
    return (
      bindings?.some(
        (each) =>
          nowMs < each.untilMs &&
          (each.vid === undefined || each.vid === vid) &&
          !(each.port === port && (each.mac === undefined || each.mac === mac)),
      ) ?? false
    );
  }

  /**
   * Adds a binding, instead of one that is alike.
   * @returns whether there was room for it
   */
  add(binding: Binding): boolean {
    const { address, port, kind, mac, vid } = binding;
    this.#removeOf(address, (each) => each.port === port && each.mac === mac && each.vid === vid && each.kind === kind);
    const { counts, addresses } = this.#shareOf(port);
    if (kind !== 'static' && counts[kind] >= (kind === 'first' ? MOST_FIRST : MOST_BINDINGS)) return false;
    counts[kind]++;
    addresses.add(address);
    this.#nextEndMs = Math.min(this.#nextEndMs, binding.untilMs);
    const bindings = this.#byAddress.get(address);
    if (bindings === undefined) this.#byAddress.set(address, [binding]);
    else bindings.push(binding);
    if (kind !== 'static') this.onChange(port);
    return true;
  }

  /**
   * Removes the lease of a station at its port: it has released the address.
   * @returns whether it may; false: the station has the lease at another port
   */
  endLease(port: PortNumber, vid: Vid, mac: MacAddress, address: string, nowMs: number): boolean {
    const isLease = (each: Binding): boolean => each.kind === 'dhcp' && each.vid === vid && each.mac === mac;
    const lease = this.#byAddress.get(address)?.find((each) => isLease(each) && nowMs < each.untilMs);
    if (lease !== undefined && lease.port !== port) return false;
    this.#removeOf(address, isLease);
    return true;
  }

  /** Removes what a new lease of an address replaces: leases of the same station, and what any station has by first use. */
  removeForLease(vid: Vid, mac: MacAddress, address: string): void {
    this.#removeOf(
      address,
      (each) => each.vid === vid && (each.kind === 'first' || (each.kind === 'dhcp' && each.mac === mac)),
    );
  }

  /** Removes all bindings of a port, or those of one kind. */
  removePort(port: PortNumber, kind?: BindingKind): void {
    const share = this.#shares.get(port);
    if (share === undefined || (kind !== undefined && share.counts[kind] === 0)) return;
    for (const address of [...share.addresses]) {
      this.#removeOf(address, (each) => each.port === port && (kind === undefined || each.kind === kind));
    }
    if (kind === undefined) this.#shares.delete(port);
  }

  /** Removes what has ended. */
  age(nowMs: number): void {
    if (nowMs < this.#nextEndMs) return;
    const ended: string[] = [];
    let nextEndMs = Number.POSITIVE_INFINITY;
    for (const bindings of this.#byAddress.values()) {
      for (const { address, untilMs } of bindings) {
        if (nowMs >= untilMs) ended.push(address);
        else if (untilMs < nextEndMs) nextEndMs = untilMs;
      }
    }
    this.#nextEndMs = nextEndMs;
    for (const address of ended) this.#removeOf(address, ({ untilMs }) => nowMs >= untilMs);
  }

  #removeOf(address: string, isOver: (binding: Binding) => boolean): void {
    const bindings = this.#byAddress.get(address);
    if (bindings === undefined) return;
    const kept = bindings.filter((binding) => !isOver(binding));
    if (kept.length === bindings.length) return;
    const removed = bindings.filter((binding) => !kept.includes(binding));
    for (const { port, kind } of removed) {
      const { counts, addresses } = this.#shareOf(port);
      counts[kind]--;
      if (!kept.some((each) => each.port === port)) addresses.delete(address);
    }
    if (kept.length === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, kept);
    for (const { port, kind } of removed) if (kind !== 'static') this.onChange(port);
  }

  #shareOf(port: PortNumber): Share {
    let share = this.#shares.get(port);
    if (share === undefined) {
      share = { counts: { static: 0, dhcp: 0, first: 0 }, addresses: new Set() };
      this.#shares.set(port, share);
    }
    return share;
  }
}

function fits(binding: Binding, vid: Vid, mac: MacAddress): boolean {
  return (binding.mac === undefined || binding.mac === mac) && (binding.vid === undefined || binding.vid === vid);
}
