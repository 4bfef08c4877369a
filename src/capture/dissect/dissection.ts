import { CUT, type DissectedLayer, type FieldBudget, Layer } from './layer.ts';

/** More headers in one another are not read. */
const MOST_LAYERS = 24;

/** The line that tells of a frame: each header that is read replaces what the one around it has said. */
export interface FrameSummary {
  /** the innermost protocol that is known, such as `DNS` */
  protocol: string;
  /** the source and the destination: IP addresses, else MAC addresses */
  source: string;
  destination: string;
  /** what the frame is for, such as `query 0x1a2b A example.org` */
  info: string;
}

/** Reads the header of one protocol, and hands what is behind it on. @param at its first octet @param end exclusive */
export type Dissector = (dissection: Dissection, at: number, end: number) => void;

/** Dissectors by the name of their protocol. So none imports another one, and they may call each other in circles. */
export type Dissectors = Readonly<Record<string, Dissector>>;

/** A frame while it is dissected, and the result. */
export class Dissection {
  readonly bytes: Uint8Array;
  readonly layers: DissectedLayer[] = [];
  readonly summary: FrameSummary = { protocol: '', source: '', destination: '', info: '' };
  readonly #budget: FieldBudget = { fields: 0 };
  readonly #dissectors: Dissectors;
  #isQuoted = false;

  constructor(bytes: Uint8Array, dissectors: Dissectors) {
    this.bytes = bytes;
    this.#dissectors = dissectors;
  }

  /** Hands octets to the dissector of a protocol; without one they are data. @returns whether there is one */
  pass(protocol: string | undefined, at: number, end: number): boolean {
    const dissector = protocol === undefined ? undefined : this.#dissectors[protocol];
    if (dissector === undefined) this.#data(at, end);
    else dissector(this, at, Math.min(end, this.bytes.length));
    return dissector !== undefined;
  }

  /** Begins the header of a protocol. @throws CUT if there are too many */
  layer(protocol: string, start: number, end: number): Layer {
    if (this.layers.length >= MOST_LAYERS) throw CUT;
    const layer: DissectedLayer = { protocol, start, octets: 0, fields: [], isCut: false };
    this.layers.push(layer);
    this.say({ protocol });
    return new Layer(this.bytes, end, layer, this.#budget);
  }

  say(words: Partial<FrameSummary>): void {
    if (!this.#isQuoted) Object.assign(this.summary, words);
  }

  /** Reads what may be cut, such as the packet in an ICMP error: the summary stays that of the outer header. */
  quote(protocol: string | undefined, at: number, end: number): void {
    const before = this.#isQuoted;
    this.#isQuoted = true;
    try {
      this.pass(protocol, at, end);
    } catch (error) {
      // Quoted packets are usually cut (RFC 792: 64 bits behind the header).
      if (error !== CUT) throw error;
    }
    this.#isQuoted = before;
  }

  /** The octets behind the last known header. */
  #data(at: number, end: number): void {
    const octets = Math.min(end, this.bytes.length) - at;
    if (octets <= 0 || this.layers.length >= MOST_LAYERS) return;
    this.layers.push({ protocol: 'Data', start: at, octets, fields: [], isCut: false });
  }
}
