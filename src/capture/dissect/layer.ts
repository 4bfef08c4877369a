import { formatIpv4, formatIpv6 } from '../../wire/ethernet/ip-address.ts';
import { formatMacAddress, readMacAddress } from '../../wire/ethernet/mac-address.ts';

/** A field of a frame. `value` is printable, and begins with the number or address in the octets. */
export interface DissectedField {
  readonly label: string;
  readonly value: string;
  /** its first octet, from the beginning of the frame */
  readonly start: number;
  /** 0: derived from other octets */
  readonly octets: number;
  readonly fields?: readonly DissectedField[];
}

/** The header of one protocol, and what was read of it. */
export interface DissectedLayer {
  readonly protocol: string;
  readonly start: number;
  octets: number;
  readonly fields: DissectedField[];
  /** the frame ends, or was cut, before the end of this header */
  isCut: boolean;
}

/** Thrown by reads beyond the end of a layer, and by a frame of too many fields. `dissect` catches it. */
export const CUT: Error = new Error('the frame is cut');
/** More fields of a frame are not shown: a frame of 64 KiB may have as many TLVs without a value. */
const MOST_FIELDS = 1000;

/** The fields of all layers of one frame. */
export interface FieldBudget {
  fields: number;
}

/** Reads one header, field by field, and notes each field. All octets are in network order. */
export class Layer {
  /** the next octet to be read */
  at: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  readonly #layer: DissectedLayer;
  readonly #budget: FieldBudget;
  #fields: DissectedField[];

  constructor(bytes: Uint8Array, end: number, layer: DissectedLayer, budget: FieldBudget) {
    this.bytes = bytes;
    this.at = layer.start;
    this.end = Math.min(end, bytes.length);
    this.#layer = layer;
    this.#fields = layer.fields;
    this.#budget = budget;
  }

  get left(): number {
    return this.end - this.at;
  }

  /** An unsigned number of 1 to 4 octets, at any place of the layer, which is not noted. @throws CUT */
  peek(at: number, octets: number): number {
    if (at < 0 || at + octets > this.end) throw CUT;
    let value = 0;
    for (let index = 0; index < octets; index++) value = value * 256 + (this.bytes[at + index] as number);
    return value;
  }

  /** A number of 1 to 4 octets. @param show its text; without it the decimal number. @throws CUT */
  number(label: string, octets: number, show: (value: number) => string = String): number {
    const value = this.peek(this.at, octets);
    this.#add(label, show(value), octets);
    return value;
  }

  mac(label: string): string {
    this.#need(6);
    return this.#add(label, formatMacAddress(readMacAddress(this.bytes, this.at)), 6);
  }

  ipv4(label: string): string {
    return this.#add(label, formatIpv4(this.peek(this.at, 4)), 4);
  }

  ipv6(label: string): string {
    this.#need(16);
    return this.#add(label, ipv6At(this.bytes, this.at), 16);
  }

  /** Octets that `show` makes a text of; without it they are hexadecimal, at most 32 of them. @throws CUT */
  octets(label: string, octets: number, show: (octets: Uint8Array) => string = hexText): string {
    this.#need(octets);
    return this.#add(label, show(this.bytes.subarray(this.at, this.at + octets)), octets);
  }

  /** Notes a text about octets that are read elsewhere. */
  note(label: string, value: string, start: number = this.at, octets = 0): void {
    const at = this.at;
    this.at = start;
    this.#add(label, value, octets);
    this.at = at;
  }

  /** A field of fields, which `read` reads. @param value may be made of what was read */
  group(label: string, read: () => string): void {
    const [fields, start] = [this.#fields, this.at];
    this.#fields = [];
    let value = '(cut)';
    try {
      value = read();
    } finally {
      const inner = this.#fields;
      this.#fields = fields;
      fields.push({ label, value, start, octets: Math.max(0, this.at - start), fields: inner });
    }
  }

  skip(octets: number): void {
    this.#need(octets);
    this.at += octets;
  }

  /** Counts a part of a field that costs as much as a field. @throws CUT after too many of a frame */
  spend(): void {
    if (++this.#budget.fields > MOST_FIELDS) throw CUT;
  }

  #need(octets: number): void {
    if (octets < 0 || this.at + octets > this.end) throw CUT;
  }

  #add(label: string, value: string, octets: number): string {
    this.spend();
    this.#fields.push({ label, value, start: this.at, octets });
    this.at += octets;
    this.#layer.octets = Math.max(this.#layer.octets, this.at - this.#layer.start);
    return value;
  }
}

export function ipv6At(bytes: Uint8Array, at: number): string {
  const group = (index: number): number =>
    ((bytes[at + 2 * index] as number) << 8) | (bytes[at + 2 * index + 1] as number);
  return formatIpv6(Array.from({ length: 8 }, (_, index) => group(index)));
}

const MOST_SHOWN_OCTETS = 32;

export function hexText(octets: Uint8Array): string {
  const shown = [...octets.subarray(0, MOST_SHOWN_OCTETS)].map((octet) => octet.toString(16).padStart(2, '0')).join('');
  return octets.length > MOST_SHOWN_OCTETS ? `${shown}… (${octets.length} octets)` : shown;
}

/** `0x0800 (IPv4)`. @param digits hexadecimal digits */
export function hexNumber(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

/** A function for `number`: `6 (TCP)`, or `99` for a number without a name. */
export function named(names: Readonly<Record<number, string>>): (value: number) => string {
  return (value) => (names[value] === undefined ? String(value) : `${value} (${names[value]})`);
}

/** The names of the bits that are set, as `0x12 (SYN, ACK)`. @param names by bit, the lowest first; `''` has none */
export function flagsText(value: number, names: readonly string[], digits = 2): string {
  const set = names.filter((name, bit) => name !== '' && ((value >>> bit) & 1) === 1);
  return set.length === 0 ? hexNumber(value, digits) : `${hexNumber(value, digits)} (${set.join(', ')})`;
}
